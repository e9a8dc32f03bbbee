// The pictures that a mail brings along and its HTML names by Content-ID, as data: URLs.
import { type Attachment, getAttachment } from './api';
import { imageType } from './preview';
import type { InlineImages } from '../frame/sanitize';

const EACH_MAX = 5 * 1024 * 1024;
const COUNT_MAX = 50;

const normalId = (id: string): string => id.replace(/^<|>$/g, '').toLowerCase();

function wanted(html: readonly string[], attachments: readonly Attachment[]): Attachment[] {
  const text = html.join('\n').toLowerCase();
  if (!text.includes('cid:')) return [];
  return attachments
    .filter((a) => a.contentId !== '' && a.size <= EACH_MAX && text.includes('cid:'))
    .slice(0, COUNT_MAX);
}

function dataUrl(octets: Uint8Array<ArrayBuffer>, type: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(new Error('unreadable'));
    reader.readAsDataURL(new Blob([octets], { type }));
  });
}

export async function inlineImages(
  mail: string,
  html: readonly string[],
  attachments: readonly Attachment[],
  signal: AbortSignal,
): Promise<InlineImages> {
  const images: InlineImages = {};
  await Promise.all(
    wanted(html, attachments).map(async (attachment) => {
      const octets = await getAttachment(mail, attachment.n, EACH_MAX, signal).catch(() => null);
      const type = octets === null ? null : imageType(octets);
      if (octets !== null && type !== null) images[normalId(attachment.contentId)] = await dataUrl(octets, type);
    }),
  );
  return images;
}
