// Reads the small one-value files of /proc and /sys. A file that is missing or refused is null: on these paths that is the answer.
import { readdir, readFile } from 'node:fs/promises';

/** Trimmed. */
export async function readText(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    return null;
  }
}

export async function readNumber(path: string): Promise<number | null> {
  return toNumber(await readText(path));
}

/** The number that a text is, as a whole; null for any other text. */
export function toNumber(text: string | null | undefined): number | null {
  if (text === null || text === undefined || text.trim() === '') return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/** Names in a folder, sorted with numbers by value; empty when there is no such folder. */
export async function listFolder(path: string): Promise<readonly string[]> {
  try {
    return (await readdir(path)).toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  } catch {
    return [];
  }
}
