// Owns how exported rows are written: CSV after RFC 4180 with a header, or one JSON object a line. Pure.
import type { ExportFormat } from '../ledger.ts';

type Cell = string | number | boolean | null | readonly unknown[] | object;
export type ExportRow = Readonly<Record<string, Cell>>;

/** The first line of a CSV; nothing for JSON. */
export function exportHeader(columns: readonly string[], format: ExportFormat): string {
  return format === 'csv' ? csvLine(columns) : '';
}

export function exportLine(columns: readonly string[], row: ExportRow, format: ExportFormat): string {
  if (format === 'csv') return csvLine(columns.map((column) => row[column] ?? null));
  return `${JSON.stringify(Object.fromEntries(columns.map((column) => [column, row[column] ?? null])))}\n`;
}

const csvLine = (cells: readonly Cell[]): string => `${cells.map(csvCell).join(',')}\r\n`;

function csvCell(cell: Cell): string {
  if (cell === null) return '';
  const text = typeof cell === 'string' ? plainText(cell) : typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A spreadsheet runs a text that begins like a formula (CWE-1236), and some of these texts come from clients. */
const plainText = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
