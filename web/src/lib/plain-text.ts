// Plain text cut into lines with their depth of quotation, and into links and other text.

export interface Line {
  depth: number;
  parts: TextPart[];
}

export interface TextPart {
  text: string;
  href: string | null;
}

const QUOTE = /^((?:>\s?)+)/;
// Ends before what usually belongs to the sentence rather than to the address.
const LINK = /\bhttps?:\/\/[^\s<>"'`]+[^\s<>"'`.,;:!?)\]}]/gi;
const LINES_MAX = 20_000;

function partsOf(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let at = 0;
  for (const match of text.matchAll(LINK)) {
    if (!URL.canParse(match[0])) continue;
    if (match.index > at) parts.push({ text: text.slice(at, match.index), href: null });
    parts.push({ text: match[0], href: new URL(match[0]).href });
    at = match.index + match[0].length;
  }
  if (at < text.length || parts.length === 0) parts.push({ text: text.slice(at), href: null });
  return parts;
}

export function linesOf(text: string): Line[] {
  return text
    .split(/\r?\n/, LINES_MAX)
    .map((line) => ({ depth: Math.min(4, QUOTE.exec(line)?.[1]?.match(/>/g)?.length ?? 0), parts: partsOf(line) }));
}

/** Neighbouring lines of the same depth belong together. */
export function blocksOf(text: string): { depth: number; lines: Line[] }[] {
  const blocks: { depth: number; lines: Line[] }[] = [];
  for (const line of linesOf(text.trimEnd())) {
    const last = blocks.at(-1);
    if (last !== undefined && last.depth === line.depth) last.lines.push(line);
    else blocks.push({ depth: line.depth, lines: [line] });
  }
  return blocks;
}
