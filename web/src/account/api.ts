// /api/v1/account (docs/protocols/web-api.md): the own password, two-factor sign-in, app passwords.
import { body, call, json, keepToken } from '../lib/api';

export interface AppPassword {
  id: number;
  name: string;
  created: string;
  used: string | null;
}

export interface OwnSession {
  id: string;
  address: string;
  since: string;
  last: string;
  isThis: boolean;
}

export interface Account {
  mayChangePassword: boolean;
  twoFactor: boolean;
  recoveryCodes: number;
  appPasswords: AppPassword[];
  sessions: OwnSession[];
}

interface WithToken {
  csrfToken: string;
}

export const getAccount = (): Promise<Account> => json<Account>('account');

export async function changePassword(password: string, newPassword: string): Promise<void> {
  await keepToken(json<WithToken>('account/password', body('POST', { password, newPassword })));
}

/** @return a secret in base32, which counts when a code of it is confirmed */
export const beginTwoFactor = async (password: string): Promise<string> =>
  (await json<{ secret: string }>('account/two-factor', body('POST', { password }))).secret;

/** @return the recovery codes */
export async function confirmTwoFactor(code: string): Promise<string[]> {
  const answer = json<WithToken & { recoveryCodes: string[] }>(
    'account/two-factor/confirm',
    body('POST', { code }),
  );
  return (await keepToken(answer)).recoveryCodes;
}

export async function endTwoFactor(password: string): Promise<void> {
  await call('account/two-factor/off', body('POST', { password }));
}

export const newRecoveryCodes = async (password: string): Promise<string[]> =>
  (await json<{ recoveryCodes: string[] }>('account/recovery-codes', body('POST', { password })))
    .recoveryCodes;

export const createAppPassword = async (password: string, name: string): Promise<string> =>
  (await json<{ appPassword: string }>('account/app-passwords', body('POST', { password, name })))
    .appPassword;

export async function revokeAppPassword(id: number): Promise<void> {
  await call(`account/app-passwords/${id}`, { method: 'DELETE' });
}

/** @param id of one; null: all but this one */
export async function endSessions(id: string | null): Promise<void> {
  await call(id === null ? 'account/sessions' : `account/sessions/${encodeURIComponent(id)}`, {
    method: 'DELETE',
  });
}
