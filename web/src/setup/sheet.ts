// The recovery sheet: a page that stands alone, to be printed or kept on a stick. Made here, so that
// the key is in no file of the server.
import { language, region } from '../lib/i18n.svelte';
import { t } from './texts';

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const STYLE = `:root{color-scheme:light}body{background:#fff;font:12pt/1.5 system-ui,sans-serif;max-width:42em;margin:3em auto;padding:0 1em;color:#000}
h1{font-size:20pt}table{border-collapse:collapse;margin:1.5em 0}td{border:1px solid #555;padding:.4em .6em;
font:14pt monospace}td small{display:block;font:8pt sans-serif;color:#444}dt{font-weight:600}dd{margin:0 0 .6em}`;

function groupRows(key: string): string {
  const cells = key
    .split('-')
    .map((group, i) => `<td><small>${i + 1}</small>${escape(group)}</td>`);
  const rows: string[] = [];
  for (let at = 0; at < cells.length; at += 4) rows.push(`<tr>${cells.slice(at, at + 4).join('')}</tr>`);
  return rows.join('\n');
}

export function sheetHtml(key: string, hostname: string, date: Date): string {
  const made = new Intl.DateTimeFormat(region(), { dateStyle: 'long', timeStyle: 'short' }).format(date);
  return `<!doctype html>
<html lang="${language()}"><head><meta charset="utf-8"><title>${escape(t('sheet.title'))}</title>
<style>${STYLE}</style></head><body>
<h1>${escape(t('sheet.title'))}</h1>
<dl><dt>${escape(t('sheet.machine'))}</dt><dd>${escape(hostname)}</dd>
<dt>${escape(t('sheet.made'))}</dt><dd>${escape(made)}</dd></dl>
<table>${groupRows(key)}</table>
<p>${escape(key)}</p>
<p>${escape(t('sheet.what'))}</p>
<p>${escape(t('sheet.how'))} <code>mailkeep recover</code></p>
<p>${escape(t('sheet.where'))}</p>
</body></html>
`;
}
