// The functions of the Administration API that the page of the SMTP settings calls.
import { ApiError, call } from '../lib/api';

export const PROTOCOLS = ['SMTP-TLS', 'SMTP-SSL', 'SMTP'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export interface SmtpSettings {
  hostname: string;
  port: number;
  protocol: Protocol;
  ignoreSslPolicyErrors: boolean;
  authenticationRequired: boolean;
  username: string;
  fromDisplayName: string;
  fromEmailAddress: string;
  recipientEmailAddress: string;
}

interface Envelope<T> {
  error: { message: string; details: string } | null;
  token: string | null;
  statusVersion: number;
  statusCode: string;
  result: T;
}

const WAIT_MS = '10000';

async function post<T>(action: string, values: Record<string, string>): Promise<Envelope<T>> {
  const answer = await call(action, { method: 'POST', body: new URLSearchParams(values) });
  const envelope = (await answer.json()) as Envelope<T>;
  if (envelope.error !== null) throw new ApiError(200, envelope.error.details, envelope.error.message);
  return envelope;
}

export const getSmtpSettings = async (): Promise<SmtpSettings> =>
  (await post<SmtpSettings>('invoke/GetSmtpSettings', {})).result;

/** @param password null: the one there is */
export async function setSmtpSettings(settings: SmtpSettings, password: string | null): Promise<void> {
  await post('invoke/SetSmtpSettings', { settings: JSON.stringify({ ...settings, password }) });
}

/** Sends a test mail by the settings there are; waits until the other server has answered. */
export async function testSmtpSettings(): Promise<void> {
  let answer = await post('invoke/TestSmtpSettings', {});
  while (answer.statusCode === 'running' && answer.token !== null)
    answer = await post('get-status', {
      token: answer.token,
      lastKnownStatusVersion: String(answer.statusVersion),
      millisecondsTimeout: WAIT_MS,
    });
}
