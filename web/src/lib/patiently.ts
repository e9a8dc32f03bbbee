// The server reads and draws one document at a time, for all its users: who comes second asks again.
import { ApiError } from './api';

const TRIES = 30;
const PAUSE_MS = 500;

const isBusy = (error: unknown): boolean => error instanceof ApiError && error.status === 503;

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, PAUSE_MS);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('', 'AbortError'));
    });
  });
}

export async function patiently<T>(ask: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask(signal);
    } catch (error) {
      if (!isBusy(error) || tries === TRIES) throw error;
      await pause(signal);
    }
  }
}
