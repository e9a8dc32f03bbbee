// Long-running calls: begun, watched and cancelled. They go on in the server whatever page is open, and a
// page that is loaded again finds those of this tab.
import { ApiError } from '../lib/api';
import { callFunction, cancelOperation, type Envelope, getStatus, type StatusCode, type Values } from './api';

const STORED = 'mailkeep.operations';
const WAIT_MS = 10_000;
const AGAIN_MS = 2_000;
const LOG_LINES = 500;

export class Operation {
  status = $state<StatusCode>('running');
  percent = $state<number | null>(null);
  text = $state('');
  log = $state.raw<string[]>([]);
  result = $state.raw<unknown>(null);
  error = $state.raw<ApiError | null>(null);
  #version = 0;

  constructor(
    readonly name: string,
    readonly values: Values,
    readonly token: string,
  ) {}

  get running(): boolean {
    return this.status === 'running';
  }

  take(news: Envelope): void {
    this.#version = news.statusVersion;
    this.percent = news.percentProgress;
    this.text = news.statusText ?? '';
    const lines = (news.logOutput ?? '').split('\r\n').filter((line) => line !== '');
    this.log = [...this.log, ...lines].slice(-LOG_LINES);
    this.result = news.result;
    if (news.error !== null) this.error = new ApiError(200, news.error.details, news.error.message);
    this.status = news.statusCode;
  }

  async #look(): Promise<void> {
    try {
      this.take(await getStatus(this.token, this.#version, WAIT_MS));
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'network') {
        this.error = error instanceof ApiError ? error : new ApiError(0, 'internal', '');
        this.status = 'failed';
      } else {
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  async watch(): Promise<void> {
    while (this.running) await this.#look();
    keep();
  }

  async cancel(): Promise<void> {
    await cancelOperation(this.token);
  }
}

let all = $state.raw<Operation[]>([]);

export const operations = {
  get all(): readonly Operation[] {
    return all;
  },
  /** Those of some functions, the newest first. */
  of(...names: string[]): Operation[] {
    return all.filter((operation) => names.includes(operation.name));
  },
  dismiss(operation: Operation): void {
    all = all.filter((other) => other !== operation);
    keep();
  },
};

interface Kept {
  name: string;
  values: Values;
  token: string;
}

function keep(): void {
  const running: Kept[] = all
    .filter((operation) => operation.running)
    // What was typed may be secret; the name is enough to show it again.
    .map(({ name, token }) => ({ name, values: {}, token }));
  sessionStorage.setItem(STORED, JSON.stringify(running));
}

function add(operation: Operation): void {
  all = [operation, ...all];
  void operation.watch();
}

/** Begins a long-running call. */
export async function start(name: string, values: Values = {}): Promise<Operation> {
  const first = await callFunction(name, values);
  if (first.token === null || first.error !== null)
    throw new ApiError(200, first.error?.details ?? 'internal', first.error?.message ?? '');
  const operation = new Operation(name, values, first.token);
  operation.take(first);
  add(operation);
  keep();
  return operation;
}

/** The answer of a call, with an operation where it is a long-running one. */
export async function run(name: string, values: Values): Promise<Envelope | Operation> {
  const first = await callFunction(name, values);
  if (first.token === null) return first;
  const operation = new Operation(name, values, first.token);
  operation.take(first);
  add(operation);
  keep();
  return operation;
}

function restore(): void {
  try {
    const kept = JSON.parse(sessionStorage.getItem(STORED) ?? '[]') as Kept[];
    for (const { name, values, token } of kept) add(new Operation(name, values, token));
  } catch {
    sessionStorage.removeItem(STORED);
  }
}

restore();
