// The texts of the password rules, in every part that asks for a new password.
import { translator } from '../lib/i18n.svelte';
import { de } from './locales/de';
import { en, type Key } from './locales/en';

export const { t } = translator<Key>({ de, en });
