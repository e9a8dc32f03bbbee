// What is told of an error, in the user's language.
import { ApiError } from './api';
import { number } from './format';
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

// The server's hints; its own messages are for those who write programs.
const HINTS: Record<string, Key> = {
  'query-mark': 'error.hint.mark',
  'query-star': 'error.hint.star',
  'query-word-length': 'error.hint.wordLength',
  'query-words': 'error.hint.words',
  'query-length': 'error.hint.length',
  'query-wildcard': 'error.hint.wildcard',
  'date-form': 'error.hint.dateForm',
  'date-order': 'error.hint.dateOrder',
  'size-order': 'error.hint.sizeOrder',
};

export function problemText(error: unknown): string {
  if (!(error instanceof ApiError)) return t('error.internal');
  if (error.status === 429) return t('error.throttled');
  const hint = error.hint === null ? undefined : HINTS[error.hint];
  if (hint !== undefined) return t(hint, { number: number(error.number ?? 0) });
  if (error.code === 'invalid') return t('error.query');
  return t(KEYS[error.code] ?? 'error.internal');
}

/** Asked again it is wrong again. */
export const isWrongQuery = (error: unknown): boolean =>
  error instanceof ApiError && (error.code === 'invalid' || error.code === 'limit');
