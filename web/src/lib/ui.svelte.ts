// What is open over or beside the list, and commands from the keyboard to the open mail.
import type { SavedSearch } from './api';

export type DialogName = 'shortcuts' | 'help' | 'extended' | 'save' | 'restore';
const STORED = 'mailkeep.byConversation';

export type View = 'html' | 'text' | 'headers' | 'source';

let dialog = $state<DialogName | null>(null);
let drawer = $state(false);
let edited = $state.raw<SavedSearch | null>(null);
let view = $state<View>('html');
let byConversation = $state(localStorage.getItem(STORED) === 'yes');

export const ui = {
  get dialog(): DialogName | null {
    return dialog;
  },
  set dialog(name: DialogName | null) {
    dialog = name;
  },
  /** The saved search that the dialog `save` changes; null: it makes one. */
  get edited(): SavedSearch | null {
    return edited;
  },
  set edited(search: SavedSearch | null) {
    edited = search;
  },
  /** The folders, where they have no room beside the list. */
  get drawer(): boolean {
    return drawer;
  },
  set drawer(open: boolean) {
    drawer = open;
  },
  /** Rows of the list are conversations rather than mails. */
  get byConversation(): boolean {
    return byConversation;
  },
  set byConversation(on: boolean) {
    byConversation = on;
    localStorage.setItem(STORED, on ? 'yes' : 'no');
  },
  /** How the open mail is shown. */
  get view(): View {
    return view;
  },
  set view(next: View) {
    view = next;
  },
};
