// What the guides and the test lines are filled in with.
import { getEndpoints, getHostname, getIsSelfSigned, getMailboxes } from './api';
import type { Facts } from './guides';

/** Null: there is no journal mailbox yet. */
export async function loadFacts(): Promise<Facts | null> {
  const [mailboxes, host, endpoints, selfSigned] = await Promise.all([
    getMailboxes(),
    getHostname(),
    getEndpoints(),
    getIsSelfSigned(),
  ]);
  const [first] = mailboxes;
  if (first === undefined) return null;
  const port = endpoints.find(({ name }) => name === 'smtp')?.port ?? 25;
  return { address: first.address, host, port, selfSigned };
}
