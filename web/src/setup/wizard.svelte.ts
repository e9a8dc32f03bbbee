// Where the wizard is. Until the archive is there the server says it; from then on the fragment of
// the address does, so that a page that is loaded again goes on where it was.
import * as api from './api';

export type Step =
  | 'welcome'
  | 'password'
  | 'hostname'
  | 'certificate'
  | 'create'
  | 'recovery'
  | 'start'
  | 'users'
  | 'mailbox'
  | 'connect'
  | 'mail'
  | 'done';

/** Before the first step, or where there is none. */
export type Outside = 'loading' | 'claim' | 'claimed' | 'wrong' | 'login' | 'unreachable';

const LATER: readonly Step[] = ['users', 'mailbox', 'connect', 'mail', 'done'];
const WELCOMED = 'mailkeep.setup.welcomed';

let step = $state<Step | Outside>('loading');
let chosen = $state.raw<api.Chosen | null>(null);

export const wizard = {
  get step(): Step | Outside {
    return step;
  },
  /** What has been chosen so far; null when the archive is there. */
  get chosen(): api.Chosen | null {
    return chosen;
  },
};

/** The server's step, but for the greeting, which is the page's own. */
export function follow(state: api.Chosen): void {
  chosen = state;
  step = state.step === 'password' && sessionStorage.getItem(WELCOMED) === null ? 'welcome' : state.step;
}

/** Back to what can still be changed, or forward to what the server waits for. */
export function show(next: Step): void {
  if (next !== 'welcome') sessionStorage.setItem(WELCOMED, 'yes');
  step = next;
  if (LATER.includes(next)) history.replaceState(null, '', `/setup#${next}`);
}

export function forward(): void {
  if (chosen !== null) {
    sessionStorage.setItem(WELCOMED, 'yes');
    follow(chosen);
  }
}

function laterStep(): Step {
  return LATER.find((name) => `#${name}` === location.hash) ?? 'users';
}

async function enterLater(): Promise<void> {
  const session = await api.getAdministrator();
  if (session?.isAdmin === true) show(laterStep());
  else step = 'login';
}

const TOKEN = /^#([0-9a-f]{64})$/;

async function claim(): Promise<void> {
  const token = TOKEN.exec(location.hash)?.[1];
  if (token === undefined) {
    step = 'claim';
    return;
  }
  // Not to be found in the history, nor over somebody's shoulder.
  history.replaceState(null, '', '/setup');
  try {
    await api.claim(token);
  } catch {
    step = 'wrong';
    return;
  }
  await begin();
}

export async function begin(): Promise<void> {
  try {
    const status = await api.getStatus();
    if (status === null) await enterLater();
    else if ('csrfToken' in status) follow(status);
    else if (status.step === 'claim') await claim();
    else step = 'claimed';
  } catch {
    step = 'unreachable';
  }
}

/** The archive is there and the services run. */
export function enter(certificateChanged: boolean): void {
  history.replaceState(null, '', '/setup#users');
  // The browser must ask about the new certificate, which it does for pages only.
  if (certificateChanged) location.reload();
  else show('users');
  chosen = null;
}
