// The console's paths: /admin/<page>/<what>.
import { goToPath, path } from '../lib/router.svelte';

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export interface AdminPlace {
  page: string;
  rest: string[];
}

export function place(): AdminPlace {
  const [, , page = '', ...rest] = path().split('/');
  return { page: page === '' ? 'home' : page, rest: rest.map(decode).filter((part) => part !== '') };
}

export function pathTo(page: string, ...rest: string[]): string {
  const parts = page === 'home' ? [] : [page, ...rest.map(encodeURIComponent)];
  return ['/admin', ...parts].join('/');
}

/** For links: follows them here, unless a new tab is wanted. */
export function onlink(event: MouseEvent): void {
  const link = event.currentTarget;
  if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  goToPath(new URL(link.href).pathname);
}

export function goTo(page: string, ...rest: string[]): void {
  goToPath(pathTo(page, ...rest));
}
