// Dates and sizes as people of the chosen language write them.
import { region } from './i18n.svelte';

const DAY_MS = 86_400_000;

function dateFormat(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(region(), options);
}

function startOfDay(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/** Short, for lists: the time today, the day of the week lately, else the date. */
export function shortDate(iso: string | null, now = new Date()): string {
  if (iso === null) return '';
  const date = new Date(iso);
  const days = Math.round((startOfDay(now) - startOfDay(date)) / DAY_MS);
  if (days === 0) return dateFormat({ hour: 'numeric', minute: '2-digit' }).format(date);
  if (days > 0 && days < 7)
    return dateFormat({ weekday: 'short', hour: 'numeric', minute: '2-digit' }).format(date);
  if (date.getFullYear() === now.getFullYear())
    return dateFormat({ day: 'numeric', month: 'short' }).format(date);
  return dateFormat({ day: '2-digit', month: '2-digit', year: 'numeric' }).format(date);
}

/** In full, with the time zone's name. */
export function fullDate(iso: string | null): string {
  if (iso === null) return '';
  return dateFormat({
    weekday: 'short',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    timeZoneName: 'short',
  }).format(new Date(iso));
}

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365.25 * DAY_MS],
  ['month', 30.44 * DAY_MS],
  ['week', 7 * DAY_MS],
  ['day', DAY_MS],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

/** "3 days ago"; yesterday is the day before, not 24 hours ago. */
export function relativeDate(iso: string | null, now = Date.now()): string {
  if (iso === null) return '';
  const format = new Intl.RelativeTimeFormat(region(), { numeric: 'auto' });
  const passed = new Date(iso).getTime() - now;
  const days = Math.round((startOfDay(new Date(iso)) - startOfDay(new Date(now))) / DAY_MS);
  if (Math.abs(passed) >= DAY_MS && Math.abs(days) < 7) return format.format(days, 'day');
  const [unit, length] = STEPS.find(([, ms]) => Math.abs(passed) >= ms) ?? ['minute', 60_000];
  return format.format(Math.trunc(passed / length), unit);
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

export function size(bytes: number): string {
  let step = 0;
  let value = bytes;
  while (value >= 1000 && step < UNITS.length - 1) {
    value /= 1000;
    step++;
  }
  return new Intl.NumberFormat(region(), {
    style: 'unit',
    unit: UNITS[step] ?? 'byte',
    unitDisplay: step === 0 ? 'long' : 'short',
    maximumFractionDigits: value < 10 && step > 0 ? 1 : 0,
  }).format(value);
}

export function number(value: number): string {
  return new Intl.NumberFormat(region()).format(value);
}
