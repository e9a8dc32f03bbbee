// The server's JSON API (docs/protocols/web-api.md): every request of the application is made here.

import { cleanCriteria, type Criteria } from './criteria';

export interface Session {
  userName: string;
  isAdmin: boolean;
  /** The user's first own address. */
  emailAddress: string | null;
  /** Mail can be sent. */
  canRestore: boolean;
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
  /** Instead of a snippet: only text of attachments can have the words, and these have some. */
  inAttachments?: string[];
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
  /** What became of its text in the index; null: not known yet. */
  textResult: TextResult | null;
  textSize: number | null;
}

export type TextResult = 'complete' | 'truncated' | 'failed' | 'encrypted' | 'not-indexed' | 'empty';

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
    /** What the user did, and which word or bound it is about. */
    readonly hint: string | null = null,
    readonly number: number | null = null,
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
    const { error } = (await answer.json()) as {
      error: { code: string; message: string; hint?: string; number?: number };
    };
    return new ApiError(answer.status, error.code, error.message, error.hint ?? null, error.number ?? null);
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

/** @param token what changing requests carry from now on */
export function useToken(token: string | null): void {
  csrfToken = token;
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

/** Sends the mail to an address; the error's message is what the mail server said. */
export async function restoreMail(id: string, to: string): Promise<void> {
  await call(`${mailPath(id)}/restore`, body('POST', { to }));
}

export const ZIP_MAX = 1000;

const zipPath = (ids: readonly string[]): string => `messages/zip?ids=${ids.join(',')}`;

/** Whether the server would give these mails in one ZIP, and where. */
export async function zipUrl(ids: readonly string[]): Promise<string> {
  await call(zipPath(ids), { method: 'HEAD' });
  return BASE + zipPath(ids);
}

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

/** What a document says, which is not shown itself. */
export const getAttachmentText = (
  id: string,
  n: number,
  signal: AbortSignal,
): Promise<{ result: TextResult; text: string }> =>
  json<{ result: TextResult; text: string }>(`${mailPath(id)}/attachments/${n}/text`, { signal });

export interface PagePicture {
  picture: Blob;
  /** Of all pages of the document. */
  count: number;
}

/** @param page of a PDF, from 1 */
export async function getAttachmentPage(
  id: string,
  n: number,
  page: number,
  signal: AbortSignal,
): Promise<PagePicture> {
  const answer = await call(`${mailPath(id)}/attachments/${n}/pages/${page}`, { signal });
  return { picture: await answer.blob(), count: Number(answer.headers.get('X-Page-Count')) };
}

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

// --- for administrators ----------------------------------------------------------------------------

export interface Store {
  id: number;
  name: string;
}

/** Empty when they must not be seen. */
export async function getStores(signal: AbortSignal): Promise<Store[]> {
  const form = new URLSearchParams({ includeSize: 'false' });
  const answer = await json<{ error: object | null; result: Store[] | null }>('invoke/GetStores', {
    method: 'POST',
    body: form,
    signal,
  });
  return answer.result ?? [];
}
