// The account's own texts.
import { translator } from '../lib/i18n.svelte';
import { de } from './locales/de';
import { en, type Key } from './locales/en';

export type { Key };
export const { t, tn } = translator<Key>({ de, en });
