// Whether an attachment is found by its text: what the server tells of it, in the user's words.
import type { Attachment, TextResult } from './api';
import { size } from './format';
import { t } from './i18n.svelte';

export interface FoundBy {
  /** Beside its name; empty when there is nothing to say. */
  short: string;
  long: string;
  /** As it should be: nothing to watch out for. */
  usual: boolean;
}

export function foundBy({ textResult, textSize }: Attachment): FoundBy {
  if (textResult === null) return { short: '', long: '', usual: true };
  const values = { size: size(textSize ?? 0) };
  return {
    short: t(`att.text.${textResult}`, values),
    long: t(`att.text.${textResult}.long`, values),
    usual: !['truncated', 'failed', 'encrypted'].includes(textResult),
  };
}

/** Of a document that is to be read here instead of shown. */
export const readResult = (result: TextResult): string => t(`att.read.${result}`);
