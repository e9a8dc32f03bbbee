// Keyboard shortcuts: one table for what they do and for the page that explains them.
import type { Key } from './i18n.svelte';

export type Command =
  | 'search'
  | 'extended'
  | 'next'
  | 'previous'
  | 'open'
  | 'close'
  | 'refresh'
  | 'folders'
  | 'list'
  | 'pick'
  | 'html'
  | 'text'
  | 'headers'
  | 'source'
  | 'download'
  | 'print'
  | 'find'
  | 'nextHit'
  | 'previousHit'
  | 'help';

interface Shortcut {
  keys: readonly string[];
  command: Command;
  text: Key;
  group: Key;
}

export const SHORTCUTS: readonly Shortcut[] = [
  { keys: ['/'], command: 'search', text: 'keys.search', group: 'keys.group.search' },
  { keys: ['e'], command: 'extended', text: 'keys.extended', group: 'keys.group.search' },
  { keys: ['j', 'n'], command: 'next', text: 'keys.next', group: 'keys.group.move' },
  { keys: ['k', 'p'], command: 'previous', text: 'keys.previous', group: 'keys.group.move' },
  { keys: ['o'], command: 'open', text: 'keys.open', group: 'keys.group.move' },
  { keys: ['u', 'Escape'], command: 'close', text: 'keys.close', group: 'keys.group.move' },
  { keys: ['r'], command: 'refresh', text: 'keys.refresh', group: 'keys.group.move' },
  { keys: ['f'], command: 'folders', text: 'keys.folders', group: 'keys.group.move' },
  { keys: ['l'], command: 'list', text: 'keys.list', group: 'keys.group.move' },
  { keys: ['x'], command: 'pick', text: 'keys.pick', group: 'keys.group.move' },
  { keys: ['1'], command: 'html', text: 'keys.html', group: 'keys.group.read' },
  { keys: ['2'], command: 'text', text: 'keys.text', group: 'keys.group.read' },
  { keys: ['3'], command: 'headers', text: 'keys.headers', group: 'keys.group.read' },
  { keys: ['4'], command: 'source', text: 'keys.source', group: 'keys.group.read' },
  { keys: ['i'], command: 'find', text: 'keys.find', group: 'keys.group.read' },
  { keys: ['h'], command: 'nextHit', text: 'keys.nextHit', group: 'keys.group.read' },
  { keys: ['H'], command: 'previousHit', text: 'keys.previousHit', group: 'keys.group.read' },
  { keys: ['d'], command: 'download', text: 'keys.download', group: 'keys.group.read' },
  { keys: ['P'], command: 'print', text: 'keys.print', group: 'keys.group.read' },
  { keys: ['?'], command: 'help', text: 'keys.help', group: 'keys.group.search' },
];

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLInputElement ||
    target instanceof HTMLSelectElement ||
    target instanceof HTMLTextAreaElement
  );
}

/** Null: the key means nothing here, or is meant for a field. */
export function commandOf(event: KeyboardEvent): Command | null {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return null;
  return SHORTCUTS.find((shortcut) => shortcut.keys.includes(event.key))?.command ?? null;
}
