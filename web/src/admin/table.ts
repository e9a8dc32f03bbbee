// A table to take along: into the clipboard, or as a CSV file.
export type Cell = string | number;

/** Spreadsheets take what begins so for a formula. */
function harmless(cell: Cell): string {
  const text = String(cell);
  return typeof cell === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}

export function csvOf(rows: readonly (readonly Cell[])[]): string {
  const quote = (cell: Cell): string => `"${harmless(cell).replaceAll('"', '""')}"`;
  return rows.map((row) => row.map(quote).join(',')).join('\r\n') + '\r\n';
}

export function tabbed(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => row.map((cell) => harmless(cell).replace(/[\t\r\n]/g, ' ')).join('\t')).join('\n');
}

export function saveAs(name: string, type: string, text: string): void {
  const link = document.createElement('a');
  // The mark tells spreadsheets that it is UTF-8.
  link.href = URL.createObjectURL(new Blob(['\ufeff', text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
