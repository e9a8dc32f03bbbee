// The password policy (US-04, US-05) while it is typed; src/archive/password_policy.c decides.
import type { Key } from './texts';

export interface Rule {
  text: Key;
  met: boolean;
}

const CLASSES: readonly RegExp[] = [/[A-Z]/, /[a-z]/, /[0-9]/, /[ -/:-@[-`{-~]/, /\p{Lo}|\p{Lm}/u];

function longestRun(password: string): number {
  let longest = 0;
  let run = 0;
  let before = '';
  for (const character of password) {
    run = character === before ? run + 1 : 1;
    before = character;
    longest = Math.max(longest, run);
  }
  return longest;
}

export function rulesOf(userName: string, password: string): Rule[] {
  const folded = password.toLowerCase();
  const name = userName.toLowerCase();
  const classes = CLASSES.filter((kind) => kind.test(password)).length;
  return [
    { text: 'password.length', met: [...password].length >= 10 },
    { text: 'password.classes', met: classes >= 3 },
    { text: 'password.run', met: password !== '' && longestRun(password) <= 2 },
    { text: 'password.name', met: password !== '' && (name === '' || !folded.includes(name)) },
    { text: 'password.product', met: password !== '' && !/mailkeep|mailstore/.test(folded) },
  ];
}

const LETTERS = 'abcdefghijkmnpqrstuvwxyz';
const ALL = `${LETTERS}${LETTERS.toUpperCase()}23456789`;
const LENGTH = 20;

/** A random one that meets the policy: groups of five, without letters that look alike. */
export function makePassword(userName: string): string {
  for (;;) {
    const octets = crypto.getRandomValues(new Uint8Array(LENGTH * 2));
    const letters = [...octets].filter((octet) => octet < 256 - (256 % ALL.length)).map((octet) => ALL[octet % ALL.length]);
    if (letters.length < LENGTH) continue;
    const password = letters.slice(0, LENGTH).join('').replace(/.{5}(?=.)/g, '$&-');
    if (rulesOf(userName, password).every((rule) => rule.met)) return password;
  }
}
