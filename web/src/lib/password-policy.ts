// The password policy (US-04, US-05) while it is typed; src/archive/password_policy.c decides.

export type Rule = 'length' | 'classes' | 'run' | 'name' | 'product';
export const RULES: readonly Rule[] = ['length', 'classes', 'run', 'name', 'product'];

const CLASSES: readonly RegExp[] = [/[A-Z]/, /[a-z]/, /[0-9]/, /[ -/:-@[-`{-~]/, /[\p{Lo}\p{Lm}]/u];

/** The rules that @p password meets; an empty one meets none. */
export function rulesMet(userName: string, password: string): ReadonlySet<Rule> {
  const folded = password.toLowerCase();
  const met = new Set<Rule>();
  if (password === '') return met;
  if ([...password].length >= 10) met.add('length');
  if (CLASSES.filter((kind) => kind.test(password)).length >= 3) met.add('classes');
  if (!/(.)\1\1/su.test(password)) met.add('run');
  if (userName === '' || !folded.includes(userName.toLowerCase())) met.add('name');
  if (!/mailkeep|mailstore/.test(folded)) met.add('product');
  return met;
}
