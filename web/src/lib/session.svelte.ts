// Who is logged in: restored at the start from the cookie, ended by the server or by logging out.
import * as api from './api';

type State = 'unknown' | 'out' | 'in';

let state = $state<State>('unknown');
let current = $state.raw<api.Session | null>(null);
let ended = $state(false);

export const session = {
  get state(): State {
    return state;
  },
  get userName(): string {
    return current?.userName ?? '';
  },
  get isAdmin(): boolean {
    return current?.isAdmin ?? false;
  },
  get emailAddress(): string {
    return current?.emailAddress ?? '';
  },
  get canRestore(): boolean {
    return current?.canRestore ?? false;
  },
  /** It ended by itself, rather than by logging out. */
  get ended(): boolean {
    return ended;
  },
};

function enter(known: api.Session): void {
  current = known;
  state = 'in';
  ended = false;
}

function leave(byItself: boolean): void {
  ended = byItself && state === 'in';
  current = null;
  state = 'out';
}

export async function restore(): Promise<void> {
  api.watchSession(() => leave(true));
  try {
    enter(await api.getSession());
  } catch {
    leave(false);
  }
}

/** What the server knows may have changed. */
export async function refresh(): Promise<void> {
  current = await api.getSession();
}

export async function logIn(userName: string, password: string, code: string | null): Promise<void> {
  enter(await api.logIn(userName, password, code));
}

export async function logOut(): Promise<void> {
  try {
    await api.logOut();
  } finally {
    leave(false);
  }
}
