// A mail's HTML as it may be shown: without anything that runs, posts, loads or leads elsewhere by
// itself. It is shown in a frame that forbids all of that once more; both must fail for harm.
import { HIT_ID, markHits } from './hits';

/** Taken out with all that is in them. */
const DROPPED =
  'script,iframe,frame,frameset,object,embed,applet,base,meta,link,svg,math,video,audio,source,track,' +
  'area,template,noscript,noembed,noframes,portal,fencedframe,input,button,select,textarea,option,dialog,title,xmp,plaintext';
/** Taken out, but what is in them stays. */
const UNWRAPPED = 'form,fieldset,label,picture,map';
const LINK_SCHEMES = ['http:', 'https:', 'mailto:', 'tel:'];
const REMOTE = /^\s*(?:https?:)?\/\//i;
const REMOTE_IN_STYLE = /(?:https?:)?\/\//i;

export interface Sanitized {
  html: string;
  /** Things that would be fetched from elsewhere. */
  remote: number;
  text: string;
  /** Places where what was searched for stands. */
  hits: number;
}

export interface SanitizeOptions {
  images: InlineImages;
  withRemote: boolean;
  terms: RegExp | null;
  /** Hits in the texts before. */
  hitsBefore: number;
}

export type InlineImages = Record<string, string>;

function dropElements(doc: Document): void {
  for (const element of doc.querySelectorAll(DROPPED)) element.remove();
  for (const element of doc.querySelectorAll(UNWRAPPED)) element.replaceWith(...element.childNodes);
}

const ATTRIBUTES_DROPPED =
  /^(?:on.*|srcdoc|srcset|action|formaction|ping|target|download|autofocus|usemap|ismap|longdesc|lowsrc|dynsrc|xlink:.*|xmlns.*|http-equiv|is|slot|part|popover.*|command.*|tabindex|accesskey|contenteditable|draggable)$/i;

function dropAttributes(element: Element): void {
  for (const { name, value } of [...element.attributes])
    if (ATTRIBUTES_DROPPED.test(name) || (/^(?:id|name)$/i.test(name) && value.startsWith(HIT_ID)))
      element.removeAttribute(name);
}

function linkTarget(href: string): URL | null {
  try {
    const url = new URL(href.trim());
    return LINK_SCHEMES.includes(url.protocol) ? url : null;
  } catch {
    return null;
  }
}

function cleanLink(element: Element): void {
  const url = linkTarget(element.getAttribute('href') ?? '');
  if (url === null) {
    element.removeAttribute('href');
    return;
  }
  element.setAttribute('href', url.href);
  element.setAttribute('target', '_blank');
  element.setAttribute('rel', 'noopener noreferrer');
  element.setAttribute('title', url.href);
}

/** True when it names something elsewhere. */
function cleanImage(element: Element, name: string, images: InlineImages, withRemote: boolean): boolean {
  const source = (element.getAttribute(name) ?? '').trim();
  if (/^cid:/i.test(source)) {
    const image = images[decodeURIComponent(source.slice(4)).toLowerCase()];
    if (image === undefined) element.removeAttribute(name);
    else element.setAttribute(name, image);
    return false;
  }
  if (/^data:image\//i.test(source)) return false;
  const isRemote = REMOTE.test(source);
  if (!isRemote || !withRemote) element.removeAttribute(name);
  else if (source.startsWith('//')) element.setAttribute(name, `https:${source}`);
  return isRemote;
}

function hasRemoteStyle(element: Element): boolean {
  const style = element.tagName === 'STYLE' ? element.textContent : element.getAttribute('style');
  return /url\(|@import/i.test(style ?? '') && REMOTE_IN_STYLE.test(style ?? '');
}

/** Counts what is remote. */
function cleanElements(doc: Document, images: InlineImages, withRemote: boolean): number {
  let remote = 0;
  for (const element of doc.querySelectorAll('*')) {
    dropAttributes(element);
    if (element.hasAttribute('href')) cleanLink(element);
    for (const name of ['src', 'background', 'poster', 'data', 'cite'])
      if (element.hasAttribute(name) && cleanImage(element, name, images, withRemote)) remote++;
    if (hasRemoteStyle(element)) remote++;
  }
  return remote;
}

const BLOCKS = 'address,article,blockquote,div,dl,dt,dd,h1,h2,h3,h4,h5,h6,hr,li,ol,p,pre,section,table,tr,ul';

/** Its text, with line ends where blocks end. The document is of no use afterwards. */
function plainText(doc: Document): string {
  for (const element of doc.querySelectorAll('style,head')) element.remove();
  for (const element of doc.querySelectorAll('br')) element.replaceWith('\n');
  for (const element of doc.querySelectorAll('td,th')) element.append(' ');
  for (const element of doc.querySelectorAll(BLOCKS)) element.append('\n');
  return (doc.body?.textContent ?? '')
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

export function sanitize(html: string, options: SanitizeOptions): Sanitized {
  const doc = new DOMParser().parseFromString(html, 'text/html');
  dropElements(doc);
  const remote = cleanElements(doc, options.images, options.withRemote);
  const hits = markHits(doc, options.terms, options.hitsBefore);
  const styles = [...doc.querySelectorAll('style')].filter((style) => !doc.body.contains(style));
  const head = styles.map((style) => style.outerHTML).join('');
  const body = doc.body.outerHTML.replace(/^<body/, '<div data-mail-body').replace(/<\/body>$/, '</div>');
  return { html: head + body, remote, hits, text: plainText(doc) };
}
