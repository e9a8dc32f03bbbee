// The console's own texts.
import { translator } from '../lib/i18n.svelte';
import { de } from './locales/de';
import { en, type Key } from './locales/en';

export type { Key };
export const { t, tn } = translator<Key>({ de, en });

/** A text that there may be, of a name that the server gave; else the name itself. */
export function named(prefix: string, name: string): string {
  const key = `${prefix}.${name}`;
  return key in en ? t(key as Key) : name;
}
