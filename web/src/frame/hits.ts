// Marks what was searched for in a mail's HTML. A hit may begin in one element and end in the next
// ("of <b>the quarter</b>"), but not beyond the end of a block or a line.

const HITS_MAX = 2000;
const BLOCKS =
  'address,article,blockquote,body,caption,center,dd,div,dl,dt,figure,footer,h1,h2,h3,h4,h5,h6,header,li,main,nav,' +
  'ol,p,pre,section,table,tbody,td,th,tr,ul';
const BREAKS = 'br,hr,img';
/** The mail's own elements must not take this name. */
export const HIT_ID = 'mailkeep-hit-';

interface Span {
  begin: number;
  end: number;
  hit: number;
}

/** Rows of text nodes that are read as one text. */
function runsOf(doc: Document): Text[][] {
  const runs: Text[][] = [];
  const walker = doc.createTreeWalker(doc.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  let run: Text[] = [];
  let block: Element | null = null;
  const end = (): void => {
    if (run.length > 0) runs.push(run);
    run = [];
  };
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    if (node instanceof Element && node.matches(BREAKS)) end();
    if (!(node instanceof Text) || node.parentElement?.matches('style') !== false) continue;
    const around = node.parentElement.closest(BLOCKS);
    if (around !== block) end();
    block = around;
    run.push(node);
  }
  end();
  return runs;
}

function markNode(node: Text, spans: readonly Span[]): void {
  const doc = node.ownerDocument;
  const pieces: Node[] = [];
  let at = 0;
  for (const { begin, end, hit } of spans) {
    const mark = doc.createElement('mark');
    mark.textContent = node.data.slice(begin, end);
    mark.setAttribute('id', `${HIT_ID}${hit}`);
    pieces.push(doc.createTextNode(node.data.slice(at, begin)), mark);
    at = end;
  }
  pieces.push(doc.createTextNode(node.data.slice(at)));
  node.replaceWith(...pieces);
}

function markRun(run: readonly Text[], terms: RegExp, count: number): number {
  const text = run.map((node) => node.data).join('');
  const found = [...text.matchAll(terms)].filter((match) => match[0].trim() !== '').slice(0, HITS_MAX - count);
  let at = 0;
  for (const node of run) {
    const [from, to] = [at, at + node.data.length];
    at = to;
    const spans = found
      .map((match, i) => ({
        begin: Math.max(match.index, from) - from,
        end: Math.min(match.index + match[0].length, to) - from,
        hit: count + i,
      }))
      .filter((span) => span.begin < span.end);
    if (spans.length > 0) markNode(node, spans);
  }
  return found.length;
}

/** @param count of the hits before. Returns how many there are in this document. */
export function markHits(doc: Document, terms: RegExp | null, count: number): number {
  if (terms === null) return 0;
  let marked = 0;
  for (const run of runsOf(doc)) marked += markRun(run, terms, count + marked);
  return marked;
}
