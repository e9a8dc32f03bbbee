// The functions of the Administration API (docs/protocols/web-api.md, POST /api/v1/invoke/…).
import { ApiError, call } from '../lib/api';

export type Values = Record<string, string | number | boolean | null | undefined>;

export interface Argument {
  name: string;
  type: 'string' | 'number' | 'bool' | 'json';
  nullable: boolean;
}

export interface FunctionInfo {
  name: string;
  args: Argument[];
}

export type StatusCode = 'running' | 'succeeded' | 'failed' | 'cancelled';

/** What every function answers, at once or bit by bit. */
export interface Envelope {
  error: { message: string; details: string } | null;
  token: string | null;
  statusVersion: number;
  statusCode: StatusCode;
  percentProgress: number | null;
  statusText: string | null;
  result: unknown;
  logOutput: string | null;
}

async function post(action: string, values: Values, signal?: AbortSignal): Promise<Envelope> {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(values))
    if (value !== undefined && value !== null) form.set(name, String(value));
  const init: RequestInit = { method: 'POST', body: form };
  const answer = await call(action, signal === undefined ? init : { ...init, signal });
  return (await answer.json()) as Envelope;
}

/** The whole envelope, whatever is in it. */
export const callFunction = (name: string, values: Values): Promise<Envelope> =>
  post(`invoke/${name}`, values);

export async function invoke<T>(name: string, values: Values = {}): Promise<T> {
  const answer = await callFunction(name, values);
  if (answer.error !== null) throw new ApiError(200, answer.error.details, answer.error.message);
  return answer.result as T;
}

/** News of a long-running call, as soon as there are any behind @p known, or after some seconds. */
export const getStatus = (token: string, known: number, waitMs: number): Promise<Envelope> =>
  post('get-status', { token, lastKnownStatusVersion: known, millisecondsTimeout: waitMs });

export const cancelOperation = (token: string): Promise<Envelope> => post('cancel-async', { token });

export async function getMetadata(): Promise<FunctionInfo[]> {
  return (await (await call('get-metadata', {})).json()) as FunctionInfo[];
}

// --- the machine -----------------------------------------------------------------------------------

export interface StoreSummary {
  id: number;
  name: string;
  mails: number;
  mailBytes: number;
  contentBytes: number;
  databaseBytes: number;
  indexBytes: number;
  indexNeedsRebuild: boolean;
  verified: string | null;
  verifiedErrors: number;
  error: string | null;
}

export interface JournalActivity {
  id: string;
  address: string;
  suspended: boolean;
  lastArrival: string | null;
  silent: boolean;
}

export interface Dashboard {
  version: string;
  machineName: string;
  started: string;
  now: string;
  arrivals: {
    days: { begins: string; count: number }[];
    today: number;
    last7Days: number;
    last30Days: number;
  };
  ingest: {
    kept: number;
    again: number;
    reportsBroken: number;
    unowned: number;
    failed: number;
    lastFailure: string | null;
    lastFailureCode: string | null;
    indexBehind: number;
  };
  stores: StoreSummary[];
  journals: JournalActivity[];
  warnings: string[];
  disk: { freeBytes: number; totalBytes: number };
}

export const getDashboard = (): Promise<Dashboard> => invoke<Dashboard>('GetDashboard');

export interface Endpoint {
  name: string;
  enabled: boolean;
  address: string;
  port: number;
}

export const getServices = (): Promise<{ endpoints: Endpoint[]; debugLogEnabled: boolean }> =>
  invoke('GetServiceConfiguration');

export interface ActiveSession {
  id: string;
  userName: string;
  protocol: string;
  address: string;
  since: string;
  lastActivity: string;
}

export const getSessions = (): Promise<ActiveSession[]> => invoke('GetActiveSessions');

// --- users -----------------------------------------------------------------------------------------

export interface FolderRights {
  folder: string;
  privileges: string[];
}

export interface User {
  userName: string;
  fullName: string;
  distinguishedName: string;
  authentication: 'integrated' | 'directoryServices';
  emailAddresses: string[];
  pop3UserNames: string[];
  privileges: string[];
  privilegesOnFolders: FolderRights[];
  archive: string;
  hasPassword: boolean;
}

/** Of one user; a member is there when the server knows it. */
export interface UserInfo extends Omit<User, 'archive' | 'hasPassword'> {
  twoFactor?: boolean | string | null;
}

export const getUsers = (): Promise<User[]> => invoke('GetUserOverview');
export const getUser = (userName: string): Promise<UserInfo> => invoke('GetUserInfo', { userName });

// --- archives ----------------------------------------------------------------------------------------

export interface FolderStatistics {
  folder: string;
  count: number;
  size: number;
}

export const getStatistics = (): Promise<FolderStatistics[]> => invoke('GetFolderStatistics');

export interface Journal {
  id: string;
  address: string;
  name: string;
  description: string;
  mode: 'archive' | 'spool';
  status: 'active' | 'suspended';
}

export const getJournals = (): Promise<Journal[]> => invoke('GetGatewayMailboxes');

export interface Store {
  id: number;
  name: string;
  requestedState: string;
  databasePath: string;
  contentPath: string;
  indexPath: string;
  statisticsSize: number;
  statisticsCount: number;
  error: string | null;
  searchIndexesNeedRebuild: boolean;
}

export const getStores = (): Promise<Store[]> => invoke('GetStores', { includeSize: true });

export interface StoreIndex {
  storeId: number;
  storeName: string;
  folder: string;
  count: number;
  needsRebuild: boolean;
  selectedForRebuild: boolean;
  rebuilding: boolean;
  error: string | null;
}

export const getIndexes = (): Promise<StoreIndex[]> => invoke('GetStoreIndexes');

export interface DocumentKind {
  name: string;
  group: string;
  indexed: boolean;
  available: boolean;
  extensions: string[];
}

export interface IndexSettings {
  kinds: DocumentKind[];
  extensions: string[];
  ocr: boolean;
}

export const getIndexSettings = (): Promise<IndexSettings> => invoke('GetIndexSettings');

// --- the certificate -----------------------------------------------------------------------------------

export interface Certificate {
  subject: string;
  issuer: string;
  names: string[];
  notBefore: string;
  notAfter: string;
  fingerprint: string;
  publicKey: string;
  selfSigned: boolean;
  chainLength: number;
  /** The settings file names it: it cannot be replaced here. */
  fixed: boolean;
  warnings: string[];
}

export const getCertificate = (): Promise<Certificate> => invoke('GetCertificate');

export interface MachineSettings {
  hostname: string;
  /** The settings file names the host. */
  hostnameFixed: boolean;
  restartNeeded: boolean;
}

export const getMachineSettings = (): Promise<MachineSettings> => invoke('GetMachineSettings');
