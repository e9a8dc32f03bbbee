// Suggestions for what is being typed: none from a server that has no such route.
import { ApiError, getSuggestions, isAborted, type Suggestion } from './api';

const COUNT = 6;
let known = true;

/** Null: given up for a newer question. */
export async function suggestions(typed: string, signal: AbortSignal): Promise<readonly Suggestion[] | null> {
  if (!known || typed.trim() === '' || typed.endsWith(' ')) return [];
  try {
    return await getSuggestions(typed, COUNT, signal);
  } catch (error) {
    if (isAborted(error)) return null;
    if (error instanceof ApiError && error.status === 404) known = false;
    return [];
  }
}
