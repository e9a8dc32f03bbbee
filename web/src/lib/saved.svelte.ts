// The user's saved searches. A server that has none knows no extended search either: what needs one
// is then not offered.
import { deleteSavedSearch, getSavedSearches, putSavedSearch, type SavedSearch } from './api';
import { type Criteria, cleanCriteria } from './criteria';

let items = $state.raw<readonly SavedSearch[]>([]);
let available = $state(false);

export const saved = {
  get items(): readonly SavedSearch[] {
    return items;
  },
  get available(): boolean {
    return available;
  },
  async load(): Promise<void> {
    try {
      items = await getSavedSearches();
      available = true;
    } catch {
      available = false;
    }
  },
  find(name: string): SavedSearch | undefined {
    const wanted = name.trim().toLowerCase();
    return items.find((search) => search.name.toLowerCase() === wanted);
  },
  async put(id: number | null, name: string, criteria: Criteria): Promise<void> {
    await putSavedSearch(id, name.trim(), cleanCriteria(criteria));
    await this.load();
  },
  async remove(id: number): Promise<void> {
    await deleteSavedSearch(id);
    await this.load();
  },
};
