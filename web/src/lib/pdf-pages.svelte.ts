// Pages of a PDF as pictures, of which those are here that are near what is seen. The server draws
// one at a time, so one is asked for at a time.
import { SvelteMap } from 'svelte/reactivity';
import { ApiError, isAborted, type PagePicture } from './api';
import { patiently } from './patiently';

/** More would be higher than browsers scroll. */
export const PAGES_MAX = 500;

export interface Size {
  width: number;
  height: number;
}

export type Page = { url: string } | { error: unknown };
type Draw = (page: number, signal: AbortSignal) => Promise<PagePicture>;

/** The document is at fault: damaged, locked, too much, or none that has pages. */
export const isUndrawable = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 422 || error.status === 404);

/** As it stands at the beginning of every PNG (PNG 1.2, 4.1.1). */
async function measure(png: Blob): Promise<Size> {
  const view = new DataView(await png.slice(16, 24).arrayBuffer());
  return { width: view.getUint32(0), height: view.getUint32(4) };
}

export class PdfPages {
  /** Of the document; the first PAGES_MAX can be had. */
  readonly count: number;
  readonly #draw: Draw;
  readonly #pages = new SvelteMap<number, Page>();
  readonly #sizes = new SvelteMap<number, Size>();
  readonly #wanted = new Set<number>();
  #running: { page: number; stop: AbortController } | null = null;

  private constructor(draw: Draw, count: number) {
    this.#draw = draw;
    this.count = count;
  }

  /** The first page tells how many there are; its errors are the document's. */
  static async open(draw: Draw, signal: AbortSignal): Promise<PdfPages> {
    const { picture, count } = await patiently((ends) => draw(1, ends), signal);
    const size = await measure(picture);
    signal.throwIfAborted();
    const pages = new PdfPages(draw, count);
    pages.#keep(1, picture, size);
    return pages;
  }

  at(page: number): Page | undefined {
    return this.#pages.get(page);
  }

  /** Of one that has not been here yet: as the first one's, since most documents are of one kind. */
  sizeOf(page: number): Size {
    return this.#sizes.get(page) ?? this.#sizes.get(1) ?? { width: 1, height: 1 };
  }

  /** It is near what is seen, or is no longer. */
  want(page: number, isWanted: boolean): void {
    if (isWanted) {
      this.#wanted.add(page);
    } else {
      this.#wanted.delete(page);
      this.#forget(page);
      if (this.#running?.page === page) this.#running.stop.abort();
    }
    void this.#next();
  }

  again(page: number): void {
    this.#forget(page);
    void this.#next();
  }

  /** Nobody looks: what is here stays, nothing more is asked for. */
  rest(): void {
    this.#wanted.clear();
    this.#running?.stop.abort();
  }

  close(): void {
    this.rest();
    for (const page of [...this.#pages.keys()]) this.#forget(page);
  }

  #keep(page: number, picture: Blob, size: Size): void {
    this.#sizes.set(page, size);
    this.#pages.set(page, { url: URL.createObjectURL(picture) });
  }

  #forget(page: number): void {
    const known = this.#pages.get(page);
    if (known !== undefined && 'url' in known) URL.revokeObjectURL(known.url);
    this.#pages.delete(page);
  }

  /** Those that are wanted lie around what is seen: of the missing ones the one nearest their middle. */
  #nearest(): number | undefined {
    const all = [...this.#wanted];
    const middle = (Math.min(...all) + Math.max(...all)) / 2;
    const missing = all.filter((page) => !this.#pages.has(page));
    return missing.sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle))[0];
  }

  async #next(): Promise<void> {
    const page = this.#nearest();
    if (this.#running !== null || page === undefined) return;
    const stop = new AbortController();
    this.#running = { page, stop };
    try {
      const { picture } = await patiently((ends) => this.#draw(page, ends), stop.signal);
      const size = await measure(picture);
      if (this.#wanted.has(page)) this.#keep(page, picture, size);
    } catch (error) {
      if (!isAborted(error)) this.#pages.set(page, { error });
    }
    this.#running = null;
    void this.#next();
  }
}
