// Names of attachments as they are shown: nothing in them may hide what the file is.

// Control characters, and those that change the direction of what follows.
const HIDING = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

export interface ShownName {
  text: string;
  changed: boolean;
}

export function shownName(name: string): ShownName {
  const last = name.replace(HIDING, '').split(/[/\\]/).at(-1)?.trim() ?? '';
  return { text: last, changed: last !== name.trim() };
}
