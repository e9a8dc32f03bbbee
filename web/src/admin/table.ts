// A table to take along: into the clipboard, or as a CSV file.
import { saveText } from '../lib/save';

export type Cell = string | number;

/** Spreadsheets take what begins so for a formula. */
function harmless(cell: Cell): string {
  const text = String(cell);
  return typeof cell === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}

function csvOf(rows: readonly (readonly Cell[])[]): string {
  const quote = (cell: Cell): string => `"${harmless(cell).replaceAll('"', '""')}"`;
  return rows.map((row) => row.map(quote).join(',')).join('\r\n') + '\r\n';
}

/** As spreadsheets take it from the clipboard. */
export function tabbed(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => row.map((cell) => harmless(cell).replace(/[\t\r\n]/g, ' ')).join('\t')).join('\n');
}

/** The mark at the beginning tells spreadsheets that it is UTF-8. */
export function saveCsv(name: string, rows: readonly (readonly Cell[])[]): void {
  saveText(name, 'text/csv', `\ufeff${csvOf(rows)}`);
}
