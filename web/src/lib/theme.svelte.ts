// Light or dark: as the system has it unless the user chose one.
export type Theme = 'auto' | 'light' | 'dark';
export const THEMES: readonly Theme[] = ['auto', 'light', 'dark'];

const STORED = 'mailkeep.theme';
const system = matchMedia('(prefers-color-scheme: dark)');

let chosen = $state<Theme>(THEMES.find((theme) => theme === localStorage.getItem(STORED)) ?? 'auto');

function apply(): void {
  const dark = chosen === 'dark' || (chosen === 'auto' && system.matches);
  document.documentElement.dataset['theme'] = dark ? 'dark' : 'light';
}

system.addEventListener('change', apply);
apply();

export function theme(): Theme {
  return chosen;
}

export function setTheme(next: Theme): void {
  chosen = next;
  localStorage.setItem(STORED, next);
  apply();
}
