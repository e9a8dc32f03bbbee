// A list of any length of which only the pages near the eye are here. A newer question ends the
// older ones; what was there stays to be seen until the new answer has come.
import { SvelteMap } from 'svelte/reactivity';
import { getPage, isAborted, type MailRow, type Page } from './api';

// Text around hits is made for each row of a page, which is most of an answer's time: a screen has 10 to 20.
const PAGE_ROWS = 50;
const PAGES_KEPT = 80;

export class MailList {
  total = $state<number | null>(null);
  error = $state.raw<unknown>(null);
  busy = $state(false);
  /** Grows with each new question that has been answered. */
  generation = $state(0);

  #source = '';
  #query = new URLSearchParams();
  #pages = new SvelteMap<number, MailRow[]>();
  #running = new Map<number, AbortController>();
  #question: AbortController | null = null;

  isOther(source: string, query: URLSearchParams): boolean {
    return source !== this.#source || query.toString() !== this.#query.toString();
  }

  /** Asks anew; nothing happens when the question is the one that has been asked. */
  async ask(source: string, query: URLSearchParams, again = false): Promise<void> {
    if (!again && !this.isOther(source, query)) return;
    this.#cancelAll();
    this.#source = source;
    this.#query = query;
    this.busy = true;
    const question = new AbortController();
    this.#question = question;
    try {
      this.#begin(await getPage(source, query, 0, PAGE_ROWS, question.signal));
    } catch (error) {
      if (isAborted(error)) return;
      this.#fail(error);
    }
    if (this.#question === question) this.busy = false;
  }

  retry(): void {
    void this.ask(this.#source, this.#query, true);
  }

  row(index: number): MailRow | undefined {
    return this.#pages.get(Math.floor(index / PAGE_ROWS))?.[index % PAGE_ROWS];
  }

  /** Rows of a range, also of pages that are not here; those beyond @p most are left out. */
  async rows(first: number, last: number, most: number): Promise<MailRow[]> {
    const rows: MailRow[] = [];
    for (let index = first; index <= last && rows.length < most; ) {
      const page = Math.floor(index / PAGE_ROWS);
      const known = this.#pages.get(page) ?? (await this.#read(page)).items;
      const part = known.slice(index % PAGE_ROWS, index % PAGE_ROWS + last - index + 1);
      if (part.length === 0) break;
      rows.push(...part);
      index = (page + 1) * PAGE_ROWS;
    }
    return rows.slice(0, most);
  }

  /** Of a mail that is here; -1 when it is not. */
  indexOf(id: string): number {
    for (const [page, rows] of this.#pages) {
      const at = rows.findIndex((row) => row.id === id);
      if (at >= 0) return page * PAGE_ROWS + at;
    }
    return -1;
  }

  /** Rows that are to be seen: fetches what is missing, gives up what is wanted no more. */
  need(first: number, last: number): void {
    if (this.total === null || this.busy) return;
    const from = Math.floor(first / PAGE_ROWS);
    const to = Math.floor(Math.min(last, this.total - 1) / PAGE_ROWS);
    for (const [page, controller] of this.#running)
      if (page < from || page > to) {
        controller.abort();
        this.#running.delete(page);
      }
    for (let page = from; page <= to; page++)
      if (!this.#pages.has(page) && !this.#running.has(page)) void this.#fetch(page);
    this.#forgetFar(from, to);
  }

  #begin(answer: Page): void {
    this.#pages.clear();
    this.#pages.set(0, answer.items);
    this.total = answer.total;
    this.error = null;
    this.generation++;
  }

  #fail(error: unknown): void {
    this.#pages.clear();
    this.total = null;
    this.error = error;
    this.generation++;
  }

  #read(page: number, signal = new AbortController().signal): Promise<Page> {
    return getPage(this.#source, this.#query, page * PAGE_ROWS, PAGE_ROWS, signal);
  }

  async #fetch(page: number): Promise<void> {
    const controller = new AbortController();
    this.#running.set(page, controller);
    try {
      const answer = await this.#read(page, controller.signal);
      this.#pages.set(page, answer.items);
      this.total = answer.total;
    } catch (error) {
      if (!isAborted(error)) this.error = error;
    } finally {
      if (this.#running.get(page) === controller) this.#running.delete(page);
    }
  }

  #forgetFar(from: number, to: number): void {
    if (this.#pages.size <= PAGES_KEPT) return;
    const middle = (from + to) / 2;
    const farthest = [...this.#pages.keys()].sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle));
    for (const page of farthest.slice(0, this.#pages.size - PAGES_KEPT)) this.#pages.delete(page);
  }

  #cancelAll(): void {
    this.#question?.abort();
    for (const controller of this.#running.values()) controller.abort();
    this.#running.clear();
  }
}
