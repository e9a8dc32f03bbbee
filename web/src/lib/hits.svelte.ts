// Hits in the open mail: what is looked for, how many there are, and which one was gone to last.
import { literalOf, termsOf } from './terms';

export class Hits {
  /** Looked for in this mail alone; null: the words of the search. */
  wanted = $state<string | null>(null);
  count = $state(0);
  current = $state(-1);
  readonly #query: () => string | undefined;

  constructor(query: () => string | undefined) {
    this.#query = query;
  }

  readonly terms = $derived.by(() => (this.wanted === null ? termsOf(this.#query(), 'body') : literalOf(this.wanted)));

  want(text: string | null): void {
    this.wanted = text;
    this.current = -1;
  }

  /** Another mail, or another view of it, with so many hits. */
  found(count: number): void {
    this.count = count;
    this.current = -1;
  }

  /** Goes round at either end; -1 when there is none. */
  step(by: 1 | -1): number {
    if (this.count === 0) return -1;
    const from = this.current < 0 && by < 0 ? 0 : this.current;
    this.current = (from + by + this.count) % this.count;
    return this.current;
  }
}
