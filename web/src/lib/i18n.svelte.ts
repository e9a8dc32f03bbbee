// The two languages: text through t(), numbers of things through tn(). What a language lacks is a
// type error, and a test compares the keys once more.
import { de } from '../locales/de';
import { en, type Key } from '../locales/en';

export type Language = 'de' | 'en';
export type { Key };

type PluralBase<K> = K extends `${infer Base}.one` ? Base : never;
export type PluralKey = PluralBase<Key>;

const STORED = 'mailkeep.language';
const texts: Record<Language, Record<Key, string>> = { de, en };

function preferred(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored === 'de' || stored === 'en') return stored;
  const first = navigator.languages.find((l) => /^(de|en)\b/.test(l));
  return first?.startsWith('de') ? 'de' : 'en';
}

let current = $state<Language>(preferred());

export function language(): Language {
  return current;
}

/** The language as it is written where the user lives, for dates and numbers: 3/4 is April in Britain. */
export function region(): string {
  return navigator.languages.find((each) => each.startsWith(`${current}-`)) ?? current;
}

export function setLanguage(next: Language): void {
  current = next;
  localStorage.setItem(STORED, next);
}

type Values = Record<string, string | number>;

function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export function t(key: Key, values: Values = {}): string {
  return fill(texts[current][key], values);
}

function plural(base: string, count: number): string {
  return `${base}.${new Intl.PluralRules(current).select(count) === 'one' ? 'one' : 'other'}`;
}

function counted(count: number): Values {
  return { count: new Intl.NumberFormat(region()).format(count) };
}

export function tn(key: PluralKey, count: number): string {
  return t(plural(key, count) as Key, counted(count));
}

/** t() and tn() over the texts of a part that is loaded by itself and brings its own locales/. */
export function translator<K extends string>(own: Record<Language, Record<K, string>>) {
  return {
    t: (key: K, values: Values = {}): string => fill(own[current][key], values),
    tn: (key: PluralBase<K>, count: number): string =>
      fill(own[current][plural(key, count) as K], counted(count)),
  };
}
