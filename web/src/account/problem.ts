// What is told of a refusal here, in the user's language.
import { ApiError } from '../lib/api';
import { problemText as usual } from '../lib/problem';
import { t } from './texts';

export function problemText(error: unknown): string {
  if (error instanceof ApiError && error.code === 'wrong-password') return t('problem.password');
  if (error instanceof ApiError && error.code === 'invalid') return t('problem.invalid');
  if (error instanceof ApiError && error.code === 'limit') return t('problem.limit');
  return usual(error);
}
