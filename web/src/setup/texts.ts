import { translator } from '../lib/i18n.svelte';
import { de } from './locales/de';
import { en } from './locales/en';

export type { Key } from './locales/en';
export const { t, tn } = translator({ de, en });
