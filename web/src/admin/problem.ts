// What is told of an error: in the user's language by its code, and what the server said itself.
import { ApiError } from '../lib/api';
import { type Key, t } from './texts';

const KEYS: Record<string, Key> = {
  network: 'problem.network',
  auth: 'problem.denied',
  denied: 'problem.denied',
  'not-found': 'problem.notFound',
  exists: 'problem.exists',
  invalid: 'problem.invalid',
  limit: 'problem.limit',
  busy: 'problem.busy',
  cancelled: 'problem.cancelled',
  timeout: 'problem.timeout',
  'no-space': 'problem.noSpace',
  io: 'problem.io',
  corrupt: 'problem.corrupt',
  key: 'problem.key',
  tls: 'problem.tls',
  unsupported: 'problem.unsupported',
};

export interface Problem {
  text: string;
  /** The server's own sentence, in English; may be empty. */
  detail: string;
}

export function codeText(code: string): string {
  return t(KEYS[code] ?? 'problem.internal');
}

/** The rooms of the server begin small, since what they say may be the end of another's sentence. */
const sentence = (text: string): string =>
  text.charAt(0).toUpperCase() + text.slice(1) + (text === '' || /[.!?…]$/.test(text) ? '' : '.');

export function problemOf(error: unknown): Problem {
  if (!(error instanceof ApiError)) return { text: t('problem.internal'), detail: '' };
  return { text: codeText(error.code), detail: sentence(error.message) };
}
