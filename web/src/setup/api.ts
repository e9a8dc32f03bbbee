// The routes of the first start (docs/protocols/web-api.md, "First start"), and those functions of
// the Administration API that its later steps need.
import { ApiError, body, call, getSession, json, keepToken, type MailRow, type Session, useToken } from '../lib/api';
import type { Policy } from '../password/policy';

export interface Certificate {
  subject: string;
  issuer: string;
  names: string[];
  notBefore: string | null;
  notAfter: string | null;
  fingerprint: string;
  selfSigned: boolean;
  warnings: string[];
}

export interface Recovery {
  key: string;
  /** Which of its groups are asked back, counted from 1. */
  asked: number[];
}

export interface Chosen {
  step: 'password' | 'hostname' | 'certificate' | 'create' | 'recovery' | 'start';
  csrfToken: string;
  hostname: string;
  hostnameFixed: boolean;
  httpsPort: number;
  passwordPolicy: Policy;
  certificate: Certificate | null;
  certificateFixed: boolean;
  certificateChanges: boolean;
  recovery?: Recovery;
}

/** `claim`: the link waits to be used; `claimed`: by another browser. */
export type Status = Chosen | { step: 'claim' | 'claimed' };

const setup = <T>(step: string, init?: RequestInit): Promise<T> => json<T>(`setup${step}`, init);

/** Null: there is no first start any more. */
export async function getStatus(): Promise<Status | null> {
  try {
    const status = await setup<Status>('');
    if ('csrfToken' in status) useToken(status.csrfToken);
    return status;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

export async function claim(token: string): Promise<void> {
  await keepToken(setup<{ csrfToken: string }>('/claim', body('POST', { token })));
}

export const putPassword = (password: string): Promise<Chosen> =>
  setup('/password', body('PUT', { password }));

export const putHostname = (hostname: string): Promise<Chosen> =>
  setup('/hostname', body('PUT', { hostname }));

export const putSelfSigned = (): Promise<Chosen> =>
  setup('/certificate', body('PUT', { selfSigned: true }));

export const putCertificate = (certificate: string, key: string): Promise<Chosen> =>
  setup('/certificate', body('PUT', { certificate, key }));

export const create = (): Promise<Chosen> => setup('/create', body('POST', {}));

async function enter(session: Promise<Session>): Promise<void> {
  await keepToken(session);
}

export const confirm = (groups: string[]): Promise<void> =>
  enter(setup<Session>('/confirm', body('POST', { groups })));

export const start = (): Promise<void> => enter(setup<Session>('/start', body('POST', {})));

/** Who is signed in when the archive is there; null: nobody. */
export async function getAdministrator(): Promise<Session | null> {
  try {
    return await getSession();
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

// --- the Administration API -----------------------------------------------------------------------

interface Envelope<T> {
  error: { message: string; details: string } | null;
  result: T;
}

async function invoke<T>(name: string, values: Record<string, string> = {}): Promise<T> {
  const answer = await call(`invoke/${name}`, { method: 'POST', body: new URLSearchParams(values) });
  const { error, result } = (await answer.json()) as Envelope<T>;
  if (error !== null) throw new ApiError(200, error.details, error.message);
  return result;
}

export interface NewUser {
  userName: string;
  fullName: string;
  address: string;
  password: string;
}

/** Finds own mails only, as every user does at first. */
export async function createUser(user: NewUser): Promise<void> {
  const { userName, fullName, address, password } = user;
  await invoke('CreateUser', { userName, fullName, privileges: 'login,changePassword', password });
  await invoke('SetUserEmailAddresses', { userName, emailAddresses: address });
  await invoke('SetUserPrivilegesOnFolder', { userName, folder: userName, privileges: 'read' });
}

export interface KnownUser {
  userName: string;
  fullName: string | null;
}

export const getUsers = (): Promise<KnownUser[]> => invoke('GetUsers');

export interface UserInfo {
  userName: string;
  emailAddresses: string[];
}

export const getUser = (userName: string): Promise<UserInfo> => invoke('GetUserInfo', { userName });

export interface Mailbox {
  id: string;
  address: string;
}

export const getMailboxes = (): Promise<Mailbox[]> => invoke('GetGatewayMailboxes');

export const createMailbox = (address: string, name: string): Promise<Mailbox> =>
  invoke('CreateGatewayMailbox', { address, name });

export interface Endpoint {
  name: string;
  enabled: boolean;
  port: number;
}

export const getEndpoints = async (): Promise<Endpoint[]> =>
  (await invoke<{ endpoints: Endpoint[] }>('GetServiceConfiguration')).endpoints;

export const getHostname = async (): Promise<string> =>
  (await invoke<{ hostname: string }>('GetMachineSettings')).hostname;

export const getIsSelfSigned = async (): Promise<boolean> =>
  (await invoke<{ selfSigned: boolean }>('GetCertificate')).selfSigned;

export interface FolderCount {
  folder: string;
  count: number;
  size: number;
}

export const getFolderCounts = (): Promise<FolderCount[]> => invoke('GetFolderStatistics');

/** The newest mail, if it is one that the administrator may read. */
export async function getNewestMail(): Promise<MailRow | null> {
  const answer = await call('messages?sort=archived&order=desc&limit=1');
  return ((await answer.json()) as { items: MailRow[] }).items[0] ?? null;
}
