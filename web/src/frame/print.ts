// Prints a mail's HTML in full: in a second frame that no one sees, with who wrote to whom above it.
//
// Only a page of the same origin may be told to print, so this frame has ours; it runs no script
// (no allow-scripts, and a policy without any), so that nobody in it can make use of that, and it
// opens nothing. The head is out of the mail's reach: its styles do not get into a shadow tree, and
// ours that count here stand in the elements, where nothing is more important.
import { pageOf } from './page';

export interface PrintHead {
  /** The name of what is printed, and of the file when it becomes one. */
  title: string;
  lines: [label: string, value: string][];
}

const HEAD_STYLE = `
  :host { all: initial !important; display: block !important; position: relative !important;
          z-index: 1 !important; background: #fff !important; }
  h1 { margin: 0 0 8px; font: 650 17px/1.3 system-ui, sans-serif; overflow-wrap: anywhere; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 14px; margin: 0;
       padding-bottom: 10px; border-bottom: 1px solid #888; font: 12px/1.45 system-ui, sans-serif; }
  dt { color: #555; }
  dd { margin: 0; overflow-wrap: anywhere; }`;
const ROOT_STYLE =
  'display: block; visibility: visible; position: static; opacity: 1; filter: none; clip-path: none; mask: none; ' +
  'transform: none; zoom: 1; height: auto; max-height: none; overflow: visible; writing-mode: horizontal-tb;';
const MAIL_STYLE = 'display: block; position: relative; z-index: 0; overflow: clip; contain: paint; margin: 14px 0 0;';
const WAIT_MS = 10_000;
const KEPT_MS = 60_000;

function element(doc: Document, name: string, text: string): HTMLElement {
  const made = doc.createElement(name);
  made.textContent = text;
  return made;
}

function addHead(doc: Document, head: PrintHead): void {
  const host = doc.createElement('div');
  const list = doc.createElement('dl');
  for (const [label, value] of head.lines) list.append(element(doc, 'dt', `${label}:`), element(doc, 'dd', value));
  host.attachShadow({ mode: 'closed' }).append(
    element(doc, 'style', HEAD_STYLE),
    element(doc, 'h1', head.title),
    list,
  );
  doc.body.prepend(host);
}

/** Each declaration of @p style in the element itself, and nothing counts more. */
function fix(element: HTMLElement, style: string): void {
  for (const declaration of style.split(';')) {
    const [name, value] = declaration.split(':').map((text) => text.trim());
    if (name !== undefined && value !== undefined) element.style.setProperty(name, value, 'important');
  }
}

/** Pictures that were asked for are waited for, but not for ever. */
async function pictures(doc: Document): Promise<void> {
  const all = Promise.allSettled([...doc.images].map((image) => image.decode()));
  await Promise.race([all, new Promise((resolve) => setTimeout(resolve, WAIT_MS))]);
}

async function printFrame(frame: HTMLIFrameElement, head: PrintHead): Promise<void> {
  const doc = frame.contentDocument;
  const mail = doc?.querySelector<HTMLElement>('[data-print]');
  if (!doc || !mail) return;
  doc.title = head.title;
  fix(doc.documentElement, ROOT_STYLE);
  fix(doc.body, ROOT_STYLE);
  fix(mail, MAIL_STYLE);
  addHead(doc, head);
  await pictures(doc);
  frame.contentWindow?.addEventListener('afterprint', () => frame.remove());
  setTimeout(() => frame.remove(), KEPT_MS);
  frame.contentWindow?.print();
}

export function printMail(html: string, withRemote: boolean, head: PrintHead): void {
  const frame = document.createElement('iframe');
  frame.className = 'print';
  frame.setAttribute('sandbox', 'allow-same-origin allow-modals');
  frame.setAttribute('referrerpolicy', 'no-referrer');
  frame.setAttribute('aria-hidden', 'true');
  frame.tabIndex = -1;
  frame.addEventListener('load', () => void printFrame(frame, head), { once: true });
  frame.srcdoc = pageOf(`<div data-print>${html}</div>`, withRemote);
  for (const before of document.querySelectorAll('iframe.print')) before.remove();
  document.body.append(frame);
}
