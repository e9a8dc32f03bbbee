// Which view the address bar names, and the way from one to the next (History API).
//
//   /                      all mails            ?mail=1:42  the mail that is open beside the list
//   /folder/<path>         one folder           ?sort=…&order=…
//   /search?q=…            a search             its other criteria: criteria.ts
//   /message/1:42          one mail alone
//   /admin/…               the administration console (admin/), which reads the path itself
//   /account               the user's own account (account/)
//
// src/web/assets.c answers all of these paths with the application's page.
import { type Criteria, criteriaOf, criteriaQuery } from './criteria';

export type SortKey = 'date' | 'archived' | 'from' | 'to' | 'subject' | 'size';
export const SORT_KEYS: readonly SortKey[] = ['date', 'archived', 'from', 'to', 'subject', 'size'];

export interface Sort {
  key: SortKey;
  ascending: boolean;
}

export type Place =
  | { view: 'all' }
  | { view: 'folder'; folder: string }
  | { view: 'search'; criteria: Criteria }
  | { view: 'message' };

export interface Route {
  place: Place;
  sort: Sort;
  mail: string | null;
}

const MAIL_ID = /^\d{1,10}:\d{1,10}$/;

export function defaultSort(key: SortKey): Sort {
  return { key, ascending: key === 'from' || key === 'to' || key === 'subject' };
}

function parseSort(query: URLSearchParams): Sort {
  const key = SORT_KEYS.find((k) => k === query.get('sort')) ?? 'date';
  const order = query.get('order');
  return order === null ? defaultSort(key) : { key, ascending: order === 'asc' };
}

function parseMail(text: string | null | undefined): string | null {
  return text !== null && text !== undefined && MAIL_ID.test(text) ? text : null;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function parseRoute(url: URL): Route {
  const [, first = '', ...rest] = url.pathname.split('/');
  const sort = parseSort(url.searchParams);
  const mail = parseMail(url.searchParams.get('mail'));
  if (first === 'folder' && rest.length > 0)
    return { place: { view: 'folder', folder: rest.map(decode).join('/') }, sort, mail };
  if (first === 'search')
    return { place: { view: 'search', criteria: criteriaOf(url.searchParams) }, sort, mail };
  if (first === 'message')
    return { place: { view: 'message' }, sort, mail: parseMail(decode(rest[0] ?? '')) };
  return { place: { view: 'all' }, sort, mail };
}

function pathOf(route: Route): string {
  switch (route.place.view) {
    case 'all':
      return '/';
    case 'folder':
      return `/folder/${route.place.folder.split('/').map(encodeURIComponent).join('/')}`;
    case 'search':
      return '/search';
    case 'message':
      return `/message/${route.mail ?? ''}`;
  }
}

export function routeUrl(route: Route): string {
  const query =
    route.place.view === 'search' ? criteriaQuery(route.place.criteria) : new URLSearchParams();
  const usual = defaultSort(route.sort.key);
  if (route.sort.key !== 'date') query.set('sort', route.sort.key);
  if (route.sort.ascending !== usual.ascending) query.set('order', route.sort.ascending ? 'asc' : 'desc');
  if (route.mail !== null && route.place.view !== 'message') query.set('mail', route.mail);
  // A colon needs no escape in a query and is easier to read.
  const text = query.toString().replaceAll('%3A', ':');
  return pathOf(route) + (text === '' ? '' : `?${text}`);
}

let current = $state.raw<Route>(parseRoute(new URL(location.href)));
let shown = $state(location.pathname);

/** The path as it stands, for what is no view of mails: /admin/… */
export function path(): string {
  return shown;
}

export function goToPath(next: string): void {
  if (next !== location.pathname) history.pushState(null, '', next);
  follow();
}

function follow(): void {
  shown = location.pathname;
  current = parseRoute(new URL(location.href));
}

export function route(): Route {
  return current;
}

/** @param replace the step back leads to where the last step back led */
export function go(next: Partial<Route>, replace = false): void {
  current = { ...current, ...next };
  const url = routeUrl(current);
  if (replace) history.replaceState(null, '', url);
  else if (url !== location.pathname + location.search) history.pushState(null, '', url);
  shown = location.pathname;
}

export function goToPlace(place: Place, replace = false): void {
  go({ place, mail: null }, replace);
}

export function openMail(id: string | null): void {
  // From mail to mail is no step of its own: "back" leaves the reading.
  go({ mail: id }, id !== null && current.mail !== null);
}

window.addEventListener('popstate', follow);
