// The page around a mail's HTML: takes the HTML from the application, makes it harmless, and shows
// it in a frame that runs no script and has no origin. It is a page of its own because its policy
// must allow the inline styles of mails, which the application's own page does not.
import { type InlineImages, sanitize } from './sanitize';
import './frame.css';

export interface ShowMail {
  kind: 'show';
  html: string[];
  images: InlineImages;
  withRemote: boolean;
  title: string;
}

export type FrameAnswer = { kind: 'ready' } | { kind: 'shown'; remote: number; text: string };

const STYLE = `
  html { color-scheme: light; background: #fff; }
  body { margin: 0; padding: 16px; font: 14px/1.5 system-ui, sans-serif; color: #1b2430;
         overflow-wrap: anywhere; background: #fff; }
  img { max-width: 100%; height: auto; }
  table { max-width: 100%; }
  pre { white-space: pre-wrap; }
  blockquote { margin-inline: 0 0; padding-inline-start: 12px; border-inline-start: 3px solid #d5dbe3; }
  a { color: #1f5fbf; }`;

function policy(withRemote: boolean): string {
  const pictures = withRemote ? 'data: https: http:' : 'data:';
  return `default-src 'none'; style-src 'unsafe-inline'; img-src ${pictures}; form-action 'none'; base-uri 'none'`;
}

function page(html: string, withRemote: boolean): string {
  return (
    `<!doctype html><html><head><meta charset="utf-8">` +
    `<meta http-equiv="Content-Security-Policy" content="${policy(withRemote)}">` +
    `<meta name="referrer" content="no-referrer"><meta http-equiv="x-dns-prefetch-control" content="off">` +
    `<style>${STYLE}</style></head><body>${html}</body></html>`
  );
}

function answer(message: FrameAnswer): void {
  parent.postMessage(message, location.origin);
}

function show(mail: ShowMail): void {
  const parts = mail.html.map((html) => sanitize(html, mail.images, mail.withRemote));
  const frame = document.createElement('iframe');
  // No allow-scripts and no allow-same-origin. Links open tabs that are not in the sandbox.
  frame.setAttribute('sandbox', 'allow-popups allow-popups-to-escape-sandbox');
  frame.setAttribute('referrerpolicy', 'no-referrer');
  frame.title = mail.title;
  frame.srcdoc = page(parts.map((part) => part.html).join('<hr>'), mail.withRemote);
  document.body.replaceChildren(frame);
  answer({
    kind: 'shown',
    remote: parts.reduce((sum, part) => sum + part.remote, 0),
    text: parts.map((part) => part.text).join('\n\n'),
  });
}

window.addEventListener('message', (event: MessageEvent<ShowMail>) => {
  if (event.source === parent && event.origin === location.origin && event.data.kind === 'show') show(event.data);
});

answer({ kind: 'ready' });
