// What is open over or beside the list, and commands from the keyboard to the open mail.

export type DialogName = 'shortcuts' | 'help' | 'extended' | 'save';
export type View = 'html' | 'text' | 'headers' | 'source';

let dialog = $state<DialogName | null>(null);
let drawer = $state(false);
let view = $state<View>('html');

export const ui = {
  get dialog(): DialogName | null {
    return dialog;
  },
  set dialog(name: DialogName | null) {
    dialog = name;
  },
  /** The folders, where they have no room beside the list. */
  get drawer(): boolean {
    return drawer;
  },
  set drawer(open: boolean) {
    drawer = open;
  },
  /** How the open mail is shown. */
  get view(): View {
    return view;
  },
  set view(next: View) {
    view = next;
  },
};
