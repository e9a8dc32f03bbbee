// What may be shown of an attachment: decided by its octets, never by the type that the sender
// claims. Pictures that are documents themselves (SVG) are not among them.

export const PREVIEW_MAX = 20 * 1024 * 1024;
export const TEXT_MAX = 256 * 1024;

const IMAGES: readonly [type: string, begin: readonly (number | null)[]][] = [
  ['image/png', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['image/jpeg', [0xff, 0xd8, 0xff]],
  ['image/gif', [0x47, 0x49, 0x46, 0x38]],
  ['image/webp', [0x52, 0x49, 0x46, 0x46, null, null, null, null, 0x57, 0x45, 0x42, 0x50]],
  ['image/bmp', [0x42, 0x4d]],
];
const PDF = [0x25, 0x50, 0x44, 0x46, 0x2d];

function begins(octets: Uint8Array, begin: readonly (number | null)[]): boolean {
  return begin.every((octet, i) => octet === null || octets[i] === octet);
}

export function imageType(octets: Uint8Array): string | null {
  return IMAGES.find(([, begin]) => begins(octets, begin))?.[0] ?? null;
}

export const isPdf = (octets: Uint8Array): boolean => begins(octets, PDF);

/** Null when it is no text: control characters, or not UTF-8 and of no text type. */
export function textOf(octets: Uint8Array, claimsText: boolean): string | null {
  const head = octets.subarray(0, TEXT_MAX);
  if (head.some((octet) => octet < 0x20 && ![0x09, 0x0a, 0x0c, 0x0d, 0x1b].includes(octet))) return null;
  try {
    // The cut may be within a character: `stream` leaves that away.
    return new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
  } catch {
    return claimsText ? new TextDecoder('windows-1252').decode(head) : null;
  }
}

const TEXT_NAME = /\.(txt|csv|log|md|json|xml|ya?ml|ini|conf|eml|ics|vcf|sql|[ch]|py|js|ts|sh)$/i;
/** What the server reads the text of (docs/protocols/extract.md). */
const DOCUMENT_NAME = /\.(pdf|do[ct][xm]?|dot[xm]?|xl[st][xm]?|pp[ts][xm]?|pot[xm]?|od[tspg]|rtf|msg|html?)$/i;

export function isPdfNamed(name: string, type: string): boolean {
  return /\.pdf$/i.test(name) || /^application\/pdf$/i.test(type);
}

const PICTURE_NAME = /\.(png|jpe?g|gif|webp|bmp)$/i;

export function isDocument(name: string, type: string): boolean {
  return DOCUMENT_NAME.test(name) || /^(application\/(pdf|rtf|msword)|text\/html)$/i.test(type);
}

/** Is it worth a try? The octets decide later. */
export function mayPreview(name: string, type: string, size: number): boolean {
  if (size > PREVIEW_MAX) return false;
  return (
    TEXT_NAME.test(name) ||
    PICTURE_NAME.test(name) ||
    /^text\/(plain|csv|calendar|x-|markdown)/i.test(type) ||
    /^image\/(png|jpe?g|gif|webp|bmp)$/i.test(type) ||
    isDocument(name, type)
  );
}
