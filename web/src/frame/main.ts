// The page around a mail's HTML: takes the HTML from the application, makes it harmless, and shows
// it in a frame that runs no script and has no origin. It is a page of its own because its policy
// must allow the inline styles of mails, which the application's own page does not.
import type { FrameAnswer } from './answer';
import { HIT_ID } from './hits';
import { pageOf } from './page';
import { printMail, type PrintHead } from './print';
import { type InlineImages, sanitize, type Sanitized } from './sanitize';
import './frame.css';

export interface ShowMail {
  kind: 'show';
  html: string[];
  images: InlineImages;
  withRemote: boolean;
  title: string;
  /** The source of a regular expression; null: nothing is marked. */
  terms: string | null;
}

/** Shows the hit of this number, from 0. */
export interface ShowHit {
  kind: 'hit';
  hit: number;
}

export interface PrintMail {
  kind: 'print';
  head: PrintHead;
}

export type FrameRequest = ShowMail | ShowHit | PrintMail;

let shown: ShowMail | null = null;
let frame: HTMLIFrameElement | null = null;

function answer(message: FrameAnswer): void {
  parent.postMessage(message, location.origin);
}

function termsOf(source: string | null): RegExp | null {
  return source === null ? null : new RegExp(source, 'giu');
}

function sanitized(mail: ShowMail, terms: RegExp | null): Sanitized[] {
  const parts: Sanitized[] = [];
  for (const html of mail.html) {
    const hitsBefore = parts.reduce((sum, part) => sum + part.hits, 0);
    parts.push(sanitize(html, { images: mail.images, withRemote: mail.withRemote, terms, hitsBefore }));
  }
  return parts;
}

const joined = (parts: readonly Sanitized[]): string => parts.map((part) => part.html).join('<hr>');

function show(mail: ShowMail): void {
  const parts = sanitized(mail, termsOf(mail.terms));
  shown = mail;
  frame?.remove();
  frame = document.createElement('iframe');
  // No allow-scripts and no allow-same-origin. Links open tabs that are not in the sandbox.
  frame.setAttribute('sandbox', 'allow-popups allow-popups-to-escape-sandbox');
  frame.setAttribute('referrerpolicy', 'no-referrer');
  frame.title = mail.title;
  frame.srcdoc = pageOf(joined(parts), mail.withRemote);
  document.body.prepend(frame);
  answer({
    kind: 'shown',
    remote: parts.reduce((sum, part) => sum + part.remote, 0),
    text: parts.map((part) => part.text).join('\n\n'),
    hits: parts.reduce((sum, part) => sum + part.hits, 0),
  });
}

// What is in the frame has no origin that could be reached into; its address can be set all the same.
function showHit(hit: number): void {
  frame?.contentWindow?.location.replace(`about:srcdoc#${HIT_ID}${hit}`);
}

function print(head: PrintHead): void {
  if (shown !== null) printMail(joined(sanitized(shown, null)), shown.withRemote, head);
}

window.addEventListener('message', (event: MessageEvent<FrameRequest>) => {
  if (event.source !== parent || event.origin !== location.origin) return;
  switch (event.data.kind) {
    case 'show':
      return show(event.data);
    case 'hit':
      return showHit(event.data.hit);
    case 'print':
      return print(event.data.head);
  }
});

answer({ kind: 'ready' });
