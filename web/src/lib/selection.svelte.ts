// The mails of the list that are chosen for something to be done with them. A row that stands for a
// conversation brings all its mails.
import { SvelteMap } from 'svelte/reactivity';
import type { MailRow } from './api';

export class Selection {
  #rows = new SvelteMap<string, readonly string[]>();
  /** Index of the row from which a range reaches. */
  anchor = -1;

  constructor(readonly max: number) {}

  get count(): number {
    let count = 0;
    for (const ids of this.#rows.values()) count += ids.length;
    return count;
  }

  get ids(): string[] {
    return [...new Set([...this.#rows.values()].flat())];
  }

  has(row: MailRow | undefined): boolean {
    return row !== undefined && this.#rows.has(row.id);
  }

  /** False: some did not fit any more. */
  add(rows: readonly MailRow[]): boolean {
    let room = this.max - this.count;
    for (const row of rows) {
      if (this.#rows.has(row.id)) continue;
      const ids = [row.id, ...(row.group ?? [])];
      room -= ids.length;
      if (room < 0) return false;
      this.#rows.set(row.id, ids);
    }
    return true;
  }

  toggle(row: MailRow): boolean {
    return this.#rows.delete(row.id) || this.add([row]);
  }

  clear(): void {
    this.#rows.clear();
    this.anchor = -1;
  }
}
