// What is told of an error: the server's own words where they say what is wrong with the entry.
import { ApiError } from '../lib/api';
import { t } from './texts';

export function problemText(error: unknown): string {
  if (!(error instanceof ApiError)) return t('problem.internal');
  if (error.code === 'network') return t('problem.network');
  if (error.status === 401) return t('problem.session');
  if (error.status === 503 || error.status === 429) return t('problem.busy');
  if (error.status === 500 || error.message === '') return t('problem.internal');
  return error.message;
}
