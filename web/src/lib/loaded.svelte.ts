// A value that is fetched for a key: the newest key counts, older requests are ended.
import { isAborted } from './api';

export class Loaded<T> {
  value = $state.raw<T | null>(null);
  error = $state.raw<unknown>(null);
  #running: AbortController | null = null;

  async load(fetch: (signal: AbortSignal) => Promise<T>): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.error = null;
    try {
      const value = await fetch(running.signal);
      if (this.#running === running) this.value = value;
    } catch (error) {
      if (isAborted(error) || this.#running !== running) return;
      this.value = null;
      this.error = error;
    }
  }

  stop(): void {
    this.#running?.abort();
    this.#running = null;
  }
}
