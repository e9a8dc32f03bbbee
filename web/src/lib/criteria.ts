// What is searched for: in the address bar, in the form of the extended search, in a saved search.
// Names and values are the arguments of GET /api/v1/search; what is not set is not there.

export const FIELDS = ['subject', 'addresses', 'body', 'attachmentNames', 'attachmentContents'] as const;
export const PRESETS = [
  'today',
  'yesterday',
  'this-week',
  'last-week',
  'this-month',
  'last-month',
  'this-year',
  'last-year',
] as const;
export const TEXT_RESULTS = ['truncated', 'failed', 'encrypted', 'not-indexed'] as const;
export const IMPORTANCES = ['low', 'normal', 'high'] as const;

const NAMES = [
  'q',
  'fields',
  'fromWords',
  'recipients',
  'folder',
  'subfolders',
  'preset',
  'from',
  'to',
  'archivedPreset',
  'archivedFrom',
  'archivedTo',
  'attachments',
  'sizeMin',
  'sizeMax',
  'importance',
  'text',
  'store',
] as const;

export type CriterionName = (typeof NAMES)[number];
export type Criteria = Partial<Record<CriterionName, string>>;

/** Only what is known and not empty. */
export function cleanCriteria(from: Criteria): Criteria {
  const criteria: Criteria = {};
  for (const name of NAMES) {
    const value = from[name];
    if (value !== undefined && value !== '') criteria[name] = value;
  }
  return criteria;
}

export function criteriaOf(query: URLSearchParams): Criteria {
  return cleanCriteria(Object.fromEntries(query));
}

export function criteriaQuery(criteria: Criteria): URLSearchParams {
  return new URLSearchParams(Object.entries(cleanCriteria(criteria)));
}

/** "a,b" as a set, and back; all of them is the same as no choice and is left out. */
export function parseSet<T extends string>(text: string | undefined, all: readonly T[]): T[] {
  if (text === undefined) return [...all];
  const names = text.split(',');
  return all.filter((name) => names.includes(name));
}

export function formatSet<T extends string>(chosen: readonly T[], all: readonly T[]): string {
  return chosen.length === all.length ? '' : all.filter((name) => chosen.includes(name)).join(',');
}
