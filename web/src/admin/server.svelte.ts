// What the server can do (get-metadata), fetched once: pages and buttons follow it.
import { Loaded } from '../lib/loaded.svelte';
import { type FunctionInfo, getMetadata } from './api';

const metadata = new Loaded<FunctionInfo[]>();
const names = $derived(new Set((metadata.value ?? []).map((info) => info.name)));

export const server = {
  metadata,
  load: (): Promise<void> => metadata.load(getMetadata),
  has: (name: string): boolean => names.has(name),
};
