// `millrace catalogue`: what can be pulled, whether it has room here and how fast it would be; and what other programs have fetched.
import { homedir, totalmem } from 'node:os';
import { CATALOGUE, installedBytes, memoryFit, runningBytes, type CatalogueEntry } from '../models/sources/catalogue.ts';
import { findOtherPrograms, type FoundModel } from '../models/sources/other-programs.ts';
import { decodeBytesPerSecond } from '../models/store/decode-rate.ts';
import { ModelStore } from '../models/store/model-store.ts';
import { formatTable } from './list.ts';
import { formatBytes } from './progress.ts';

const COLUMNS = ['NAME', 'USE', 'PARAMETERS', 'INT8', 'MEMORY', 'CONTEXT', 'LICENCE', 'HERE', 'TOKENS/S'];
const FOUND_COLUMNS = ['FROM', 'NAME', 'SIZE', 'TO INSTALL'];

export interface CatalogueRow extends Pick<CatalogueEntry, 'id' | 'title' | 'use' | 'licence' | 'contextLength'> {
  readonly parameterCount: number;
  readonly sizeBytes: number;
  readonly memoryBytes: number;
  readonly fit: 'installed' | 'fits' | 'tight' | 'too large';
  /** About what one stream gets; null for encoders, and before a decoder was measured here. */
  readonly tokensPerSecond: number | null;
}

export interface Machine {
  readonly memory: { readonly free: number; readonly total: number };
  readonly bytesPerSecond: number | null;
  readonly installed: ReadonlySet<string>;
}

/** Prints tables for people, or one JSON object. `search`: every word must be in the name, use or licence. */
export async function listCatalogue(dataDir: string, search: readonly string[], json: boolean): Promise<void> {
  const store = new ModelStore(dataDir);
  const machine = {
    memory: { free: process.availableMemory(), total: Math.min(process.constrainedMemory() || Infinity, totalmem()) },
    bytesPerSecond: await decodeBytesPerSecond(store),
    installed: new Set((await store.list()).map(({ id }) => id)),
  };
  const rows = CATALOGUE.filter((entry) => matches(entry, search)).map((entry) => catalogueRow(entry, machine));
  const found = findOtherPrograms(homedir(), process.env);
  process.stdout.write(json ? `${JSON.stringify({ catalogue: rows, found })}\n` : describe(rows, found, machine.bytesPerSecond));
}

/** Pure. The speed of a stream is bound by reading the weights, so it follows from what others read in a second. */
export function catalogueRow({ millions, sources: _, ...facts }: CatalogueEntry, machine: Machine): CatalogueRow {
  const sizeBytes = installedBytes(millions);
  const { memory, bytesPerSecond, installed } = machine;
  const memoryBytes = runningBytes(sizeBytes);
  const room = memoryFit(memoryBytes, memory);
  return {
    ...facts,
    parameterCount: Math.round(millions * 1e6),
    sizeBytes,
    memoryBytes,
    fit: installed.has(facts.id) ? 'installed' : room === 'too_large' ? 'too large' : room,
    tokensPerSecond: facts.use === 'text' && bytesPerSecond !== null ? bytesPerSecond / sizeBytes : null,
  };
}

function matches({ id, title, use, licence }: CatalogueEntry, search: readonly string[]): boolean {
  const text = `${id} ${title} ${use} ${licence}`.toLowerCase();
  return search.every((word) => text.includes(word.toLowerCase()));
}

function describe(rows: readonly CatalogueRow[], found: readonly FoundModel[], bytesPerSecond: number | null): string {
  const lines = rows.length === 0 ? ['No model of the catalogue has these words.'] : formatTable([COLUMNS, ...rows.map(toCells)]);
  const unknown = 'Speeds are not known yet: measure an installed model with `millrace quantise`.';
  const hint = rows.length > 0 && bytesPerSecond === null ? ['', unknown] : [];
  const foundCells = found.map(({ program, id, path, sizeBytes }) => [
    program,
    id,
    formatBytes(sizeBytes),
    `millrace pull ${JSON.stringify(path)} --name ${id}`,
  ]);
  const others =
    found.length === 0 ? [] : ['', 'On this machine already, read where it lies:', ...formatTable([FOUND_COLUMNS, ...foundCells])];
  return `${[...lines, ...hint, ...others].join('\n')}\n`;
}

function toCells(row: CatalogueRow): readonly string[] {
  return [
    row.id,
    row.use,
    `${Math.round(row.parameterCount / 1e6)}M`,
    formatBytes(row.sizeBytes),
    formatBytes(row.memoryBytes),
    String(row.contextLength),
    row.licence,
    row.fit,
    row.tokensPerSecond === null ? '-' : row.tokensPerSecond.toPrecision(2),
  ];
}
