// What the page around a mail's HTML tells the application. Only our own script runs there; it is
// read as if it were the sender's all the same, since it is so near to the mail.

export type FrameAnswer = { kind: 'ready' } | { kind: 'shown'; remote: number; text: string; hits: number };

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** Null: none of the answers there are. */
export function answerOf(data: unknown): FrameAnswer | null {
  if (typeof data !== 'object' || data === null || !('kind' in data)) return null;
  if (data.kind === 'ready') return { kind: 'ready' };
  if (data.kind !== 'shown' || !('remote' in data) || !('text' in data) || !('hits' in data)) return null;
  const { remote, text, hits } = data;
  return isCount(remote) && typeof text === 'string' && isCount(hits) ? { kind: 'shown', remote, text, hits } : null;
}
