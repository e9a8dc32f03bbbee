// The password policy as the server tells it, rule by rule, and passwords that fulfil it.
import type { Policy } from './api';

export type Rule = 'length' | 'classes' | 'repeats' | 'forbidden';

export interface Checked {
  rule: Rule;
  ok: boolean;
}

const CLASSES = [/[A-Z]/, /[a-z]/, /[0-9]/, /[ -/:-@[-`{-~]/, /\p{Lo}/u];

function longestRun(characters: readonly string[]): number {
  let longest = 0;
  let run = 0;
  characters.forEach((c, i) => {
    run = c === characters[i - 1] ? run + 1 : 1;
    longest = Math.max(longest, run);
  });
  return longest;
}

export function checkPassword(password: string, userName: string, policy: Policy): Checked[] {
  const characters = [...password];
  const folded = password.toLowerCase();
  const forbidden = [...policy.forbidden, userName.toLowerCase()].filter((word) => word !== '');
  const some = password !== '';
  return [
    { rule: 'length', ok: characters.length >= policy.minCharacters },
    { rule: 'classes', ok: CLASSES.filter((c) => c.test(password)).length >= policy.minClasses },
    { rule: 'repeats', ok: some && longestRun(characters) <= policy.maxInARow },
    { rule: 'forbidden', ok: some && !forbidden.some((word) => folded.includes(word)) },
  ];
}

export function isGood(password: string, userName: string, policy: Policy): boolean {
  return checkPassword(password, userName, policy).every(({ ok }) => ok);
}

// Without characters that are mistaken for each other when read from paper.
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';

function randomText(length: number): string {
  let text = '';
  while (text.length < length) {
    const [octet = 0] = crypto.getRandomValues(new Uint8Array(1));
    // What is beyond a whole multiple would make some characters likelier than others.
    if (octet < 256 - (256 % ALPHABET.length)) text += ALPHABET.charAt(octet % ALPHABET.length);
  }
  return text;
}

/** Four groups of four: some 93 bits. */
export function makePassword(userName: string, policy: Policy): string {
  let password: string;
  do {
    password = [0, 1, 2, 3].map(() => randomText(4)).join('-');
  } while (!isGood(password, userName, policy));
  return password;
}
