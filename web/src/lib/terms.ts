// Marks the words of a query in a text that the server has not marked: roughly by the rules of the
// search language, without its care for diacritics.
import type { Range } from './api';

const CLAUSE = /(-?)(?:(subject|from|to|cc|bcc|bcontent|acontent):)?("[^"]*"?|[^\s"]+)/giu;
const WORD = /[\p{L}\p{M}\p{N}*?]+/gu;
const MARKS_MAX = 500;

type Where = 'subject' | 'from' | 'to' | 'body';
const FIELDS: Record<Where, readonly string[]> = {
  subject: ['subject'],
  from: ['from'],
  to: ['to', 'cc', 'bcc'],
  body: ['bcontent'],
};

function pattern(operand: string): string | null {
  const quoted = operand.startsWith('"');
  const words = operand.match(WORD)?.filter((word) => /[\p{L}\p{N}]/u.test(word)) ?? [];
  if (words.length === 0) return null;
  return words
    .map((word) =>
      quoted
        ? word.replace(/[*?]/g, '')
        : word.replace(/\*/g, '[\\p{L}\\p{M}\\p{N}]*').replace(/\?/g, '[\\p{L}\\p{M}\\p{N}]'),
    )
    .join('[^\\p{L}\\p{M}\\p{N}]+');
}

/** Null when the query has no word that could stand there. */
export function termsOf(query: string | undefined, where: Where): RegExp | null {
  const patterns: string[] = [];
  for (const [, not, field, operand] of (query ?? '').matchAll(CLAUSE)) {
    if (not === '-' || operand === undefined) continue;
    if (field !== undefined && !FIELDS[where].includes(field.toLowerCase())) continue;
    const found = pattern(operand);
    if (found !== null) patterns.push(found);
  }
  if (patterns.length === 0) return null;
  return new RegExp(`(?<![\\p{L}\\p{M}\\p{N}])(?:${patterns.join('|')})(?![\\p{L}\\p{M}\\p{N}])`, 'giu');
}

/** What was typed as it stands, also within words; null when that is nothing. */
export function literalOf(text: string): RegExp | null {
  const words = text.trim().split(/\s+/);
  if (words[0] === '') return null;
  return new RegExp(words.map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('\\s+'), 'giu');
}

export function rangesOf(text: string, terms: RegExp | null): Range[] {
  if (terms === null) return [];
  const ranges: Range[] = [];
  for (const match of text.matchAll(terms)) {
    if (match[0] !== '') ranges.push([match.index, match[0].length]);
    if (ranges.length === MARKS_MAX) break;
  }
  return ranges;
}

export interface Piece {
  text: string;
  marked: boolean;
}

export function pieces(text: string, ranges: readonly Range[]): Piece[] {
  const cut: Piece[] = [];
  let at = 0;
  for (const [begin, length] of ranges) {
    if (begin > at) cut.push({ text: text.slice(at, begin), marked: false });
    cut.push({ text: text.slice(begin, begin + length), marked: true });
    at = begin + length;
  }
  if (at < text.length) cut.push({ text: text.slice(at), marked: false });
  return cut;
}

let lastQuery: string | undefined;
const lastTerms = new Map<Where, RegExp | null>();

/** Ranges to mark in a text, with the query's patterns kept for the many rows of one list. */
export function marksOf(text: string, query: string | undefined, where: Where): Range[] {
  if (query !== lastQuery) {
    lastTerms.clear();
    lastQuery = query;
  }
  if (!lastTerms.has(where)) lastTerms.set(where, termsOf(query, where));
  return rangesOf(text, lastTerms.get(where) ?? null);
}
