// The password policy (US-04, US-05) while it is typed, and passwords that meet it;
// src/archive/password_policy.c decides.

export interface Policy {
  minCharacters: number;
  maxInARow: number;
  minClasses: number;
  forbidden: readonly string[];
}

/** Where the server has not told it. */
export const POLICY: Policy = { minCharacters: 10, maxInARow: 2, minClasses: 3, forbidden: ['mailkeep', 'mailstore'] };

export type Rule = 'length' | 'classes' | 'run' | 'name' | 'product';
export const RULES: readonly Rule[] = ['length', 'classes', 'run', 'name', 'product'];

const CLASSES: readonly RegExp[] = [/[A-Z]/, /[a-z]/, /[0-9]/, /[ -/:-@[-`{-~]/, /[\p{Lo}\p{Lm}]/u];

function longestRun(characters: readonly string[]): number {
  let longest = 0;
  let run = 0;
  characters.forEach((character, i) => {
    run = character === characters[i - 1] ? run + 1 : 1;
    longest = Math.max(longest, run);
  });
  return longest;
}

/** The rules that @p password meets; an empty one meets none. */
export function rulesMet(userName: string, password: string, policy = POLICY): ReadonlySet<Rule> {
  if (password === '') return new Set();
  const characters = [...password];
  const folded = password.toLowerCase();
  const meets: Record<Rule, boolean> = {
    length: characters.length >= policy.minCharacters,
    classes: CLASSES.filter((kind) => kind.test(password)).length >= policy.minClasses,
    run: longestRun(characters) <= policy.maxInARow,
    name: userName === '' || !folded.includes(userName.toLowerCase()),
    product: !policy.forbidden.some((word) => folded.includes(word)),
  };
  return new Set(RULES.filter((rule) => meets[rule]));
}

export function isGood(userName: string, password: string, policy = POLICY): boolean {
  return rulesMet(userName, password, policy).size === RULES.length;
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

/** A random one: four groups of five, some 116 bits. */
export function makePassword(userName: string, policy = POLICY): string {
  for (;;) {
    const password = [5, 5, 5, 5].map(randomText).join('-');
    if (isGood(userName, password, policy)) return password;
  }
}
