// The server's JSON API (docs/protocols/web-api.md): every request of the application is made here.

import { cleanCriteria, type Criteria } from './criteria';

export interface Session {
  userName: string;
  isAdmin: boolean;
  csrfToken: string | null;
}

export interface Folder {
  path: string;
  name: string;
  messages: number;
  size: number;
}

/** Where words of the query stand: begin and length in UTF-16 units. */
export type Range = readonly [number, number];

export interface Snippet {
  text: string;
  highlights: Range[];
  cutBefore: boolean;
  cutAfter: boolean;
}

export type Kind = 'in' | 'out' | 'other';

export interface MailRow {
  id: string;
  subject: string;
  from: string;
  to: string;
  date: string | null;
  archived: string | null;
  size: number;
  folder: string | null;
  hasAttachments: boolean;
  kind: Kind;
  highlights?: { subject?: Range[]; from?: Range[]; to?: Range[] };
  snippet?: Snippet | null;
  groupCount?: number;
  /** The other mails of the row when rows are conversations. */
  group?: string[];
}

export interface Page {
  total: number;
  items: MailRow[];
}

export interface Mailbox {
  name: string;
  address: string;
}

export interface Attachment {
  n: number;
  name: string;
  type: string;
  size: number;
  contentId: string;
  isInline: boolean;
}

export interface TextPart {
  n: number;
  type: string;
  text: string;
  truncated: boolean;
}

export interface Mail extends MailRow {
  summary: {
    subject: string;
    from: Mailbox[];
    to: Mailbox[];
    cc: Mailbox[];
    bcc: Mailbox[];
    date: string | null;
    messageId: string;
    importance: number;
    isEncrypted: boolean;
    isMalformed: boolean;
  };
  parts: TextPart[];
  attachments: Attachment[];
}

export interface MailHeaders {
  headers: { name: string; value: string }[];
  raw: string;
  truncated: boolean;
}

/** An error answer, or `network` when there was none. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

const BASE = '/api/v1/';
let csrfToken: string | null = null;
let onSessionEnd = (): void => {};

/** @param ended called when a request is refused since nobody is logged in any more */
export function watchSession(ended: () => void): void {
  onSessionEnd = ended;
}

export function isAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(BASE + path, { credentials: 'same-origin', redirect: 'error', ...init });
  } catch (error) {
    if (isAborted(error)) throw error;
    throw new ApiError(0, 'network', '');
  }
}

async function problemOf(answer: Response): Promise<ApiError> {
  try {
    const body = (await answer.json()) as { error: { code: string; message: string } };
    return new ApiError(answer.status, body.error.code, body.error.message);
  } catch {
    return new ApiError(answer.status, 'internal', '');
  }
}

/** For this file, and for the api.ts of a part that is loaded by itself. */
export async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (csrfToken !== null && init.method !== undefined) headers.set('X-CSRF-Token', csrfToken);
  const answer = await send(path, { ...init, headers });
  if (answer.ok) return answer;
  if (answer.status === 401 && path !== 'session') onSessionEnd();
  throw await problemOf(answer);
}

export async function json<T>(path: string, init: RequestInit = {}): Promise<T> {
  return (await (await call(path, init)).json()) as T;
}

export function body(method: string, value: unknown): RequestInit {
  return {
    method,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(value),
  };
}

const cancel = (signal?: AbortSignal): RequestInit => (signal === undefined ? {} : { signal });

// --- who asks ----------------------------------------------------------------------------------

/** Every answer with a token brings a new one. */
export async function keepToken<T extends { csrfToken: string | null }>(answer: Promise<T>): Promise<T> {
  const known = await answer;
  csrfToken = known.csrfToken;
  return known;
}

export const getSession = (): Promise<Session> => keepToken(json<Session>('session'));

/** @param code of two-factor sign-in; without one that is needed the answer is `second-factor` */
export const logIn = (userName: string, password: string, code: string | null): Promise<Session> =>
  keepToken(json<Session>('session', body('POST', { userName, password, code })));

export async function logOut(): Promise<void> {
  await call('session', { method: 'DELETE' });
  csrfToken = null;
}

// --- folders and lists -------------------------------------------------------------------------

export const getFolders = async (): Promise<Folder[]> =>
  (await json<{ folders: Folder[] }>('folders')).folders;

/** @param source `messages` or `search`, with the arguments of that route but for the page */
export function getPage(
  source: string,
  query: URLSearchParams,
  offset: number,
  limit: number,
  signal: AbortSignal,
): Promise<Page> {
  const all = new URLSearchParams(query);
  all.set('offset', String(offset));
  all.set('limit', String(limit));
  return json<Page>(`${source}?${all}`, { signal });
}

// --- one mail ------------------------------------------------------------------------------------

const mailPath = (id: string): string => `messages/${encodeURIComponent(id)}`;

export const getMail = (id: string, signal?: AbortSignal): Promise<Mail> =>
  json<Mail>(mailPath(id), cancel(signal));

export const getHeaders = (id: string, signal?: AbortSignal): Promise<MailHeaders> =>
  json<MailHeaders>(`${mailPath(id)}/headers`, cancel(signal));

export const rawUrl = (id: string): string => `${BASE}${mailPath(id)}/raw`;

export const attachmentUrl = (id: string, n: number): string =>
  `${BASE}${mailPath(id)}/attachments/${n}`;

async function readUpTo(answer: Response, limit: number): Promise<Uint8Array<ArrayBuffer>[]> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const reader = answer.body?.getReader();
  let size = 0;
  while (reader !== undefined && size < limit) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    size += value.length;
  }
  await reader?.cancel();
  return chunks;
}

/** The first octets of a download, at least @p limit of them when there are so many. */
async function getOctets(path: string, limit: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const chunks = await readUpTo(await call(path, cancel(signal)), limit);
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

export const getRaw = (id: string, limit: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> =>
  getOctets(`${mailPath(id)}/raw`, limit, signal);

export const getAttachment = (
  id: string,
  n: number,
  limit: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> => getOctets(`${mailPath(id)}/attachments/${n}`, limit, signal);

// --- suggestions ---------------------------------------------------------------------------------

export interface Suggestion {
  kind: 'word' | 'address' | 'folder';
  text: string;
  detail: string | null;
}

export const getSuggestions = async (q: string, limit: number, signal: AbortSignal): Promise<Suggestion[]> =>
  (
    await json<{ suggestions: Suggestion[] }>(
      `suggest?${new URLSearchParams({ q, limit: String(limit) })}`,
      { signal },
    )
  ).suggestions;

// --- conversations -------------------------------------------------------------------------------

/** The mails of the conversation that a mail belongs to, itself among them, oldest first. */
export const getConversation = (id: string, limit: number, signal: AbortSignal): Promise<Page> =>
  json<Page>(`${mailPath(id)}/conversation?limit=${limit}`, { signal });

// --- saved searches --------------------------------------------------------------------------------

export interface SavedSearch {
  id: number;
  name: string;
  criteria: Criteria;
}

interface KeptSearch {
  id: number;
  name: string;
  criteria: Record<string, string | number | boolean | null>;
}

export async function getSavedSearches(): Promise<SavedSearch[]> {
  const { savedSearches } = await json<{ savedSearches: KeptSearch[] }>('saved-searches');
  return savedSearches.map(({ id, name, criteria }) => {
    const texts = Object.entries(criteria).map(([key, value]) => [key, String(value ?? '')]);
    return { id, name, criteria: cleanCriteria(Object.fromEntries(texts) as Criteria) };
  });
}

/** @param id of the one that is changed; null makes one */
export async function putSavedSearch(id: number | null, name: string, criteria: Criteria): Promise<void> {
  if (id === null) await call('saved-searches', body('POST', { name, criteria }));
  else await call(`saved-searches/${id}`, body('PUT', { name, criteria }));
}

export async function deleteSavedSearch(id: number): Promise<void> {
  await call(`saved-searches/${id}`, { method: 'DELETE' });
}
