// What is asked of the server for a place.
import { criteriaQuery } from './criteria';
import type { Place, Sort } from './router.svelte';

export interface Question {
  /** The route: `messages` or `search`. */
  source: string;
  query: URLSearchParams;
}

function queryOf(place: Place): URLSearchParams {
  switch (place.view) {
    case 'search':
      return criteriaQuery(place.criteria);
    case 'folder':
      return new URLSearchParams({ folder: place.folder });
    case 'all':
    case 'message':
      return new URLSearchParams();
  }
}

export function questionOf(place: Place, sort: Sort, byConversation: boolean): Question {
  const query = queryOf(place);
  query.set('sort', sort.key);
  query.set('order', sort.ascending ? 'asc' : 'desc');
  if (place.view === 'search') query.set('snippets', '1');
  else if (byConversation && place.view === 'folder') query.set('subfolders', 'false');
  if (byConversation) query.set('group', 'conversation');
  return { source: place.view === 'search' || byConversation ? 'search' : 'messages', query };
}
