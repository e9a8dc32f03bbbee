// What is told of an error, in the user's language.
import { ApiError } from './api';
import { type Key, t } from './i18n.svelte';

const KEYS: Record<string, Key> = {
  network: 'error.network',
  auth: 'error.auth',
  denied: 'error.denied',
  'wrong-code': 'error.wrongCode',
  'not-found': 'error.notFound',
  busy: 'error.busy',
  cancelled: 'error.busy',
  timeout: 'error.timeout',
  limit: 'error.limit',
};

export function problemText(error: unknown): string {
  if (!(error instanceof ApiError)) return t('error.internal');
  if (error.status === 429) return t('error.throttled');
  // The parser's hint says which word is wrong; it is in English, but better than none.
  if (error.code === 'invalid') return `${t('error.query')} ${error.message}`.trim();
  return t(KEYS[error.code] ?? 'error.internal');
}
