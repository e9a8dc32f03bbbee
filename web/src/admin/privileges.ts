// The names of privileges and of rights on folders (US-16).
import { named } from './texts';

/** All but `admin`, which stands alone and means all of them. */
export const PRIVILEGES = [
  'login',
  'changePassword',
  'archive',
  'modifyArchiveProfiles',
  'export',
  'modifyExportProfiles',
  'delete',
] as const;

export const RIGHTS = ['read', 'write', 'delete'] as const;

/** As the API wants a list of them; none is a word of its own. */
export const joined = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(','));

export const privilegeNames = (names: readonly string[]): string =>
  names.length === 0 ? named('privilege', 'none') : names.map((name) => named('privilege', name)).join(', ');

export const rightNames = (names: readonly string[]): string =>
  names.map((name) => named('right', name)).join(', ');
