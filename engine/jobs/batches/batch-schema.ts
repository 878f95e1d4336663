// Owns the tables of batches.db, version by version, and how a row of them becomes a file or a batch.
import { BATCH_STATUSES, type BatchFault } from '../../contract.ts';
import { bug } from '../../errors.ts';
import type { Batch, BatchFile } from './batch-control.ts';

/** `state` of rows: 0 waits, 1 is in the output, 2 in the error file. `rank` is their turn. Times are ms since 1970. */
export const BATCH_MIGRATIONS: readonly string[] = [
  `CREATE TABLE files (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     tenant TEXT NOT NULL,
     filename TEXT NOT NULL,
     purpose TEXT NOT NULL,
     bytes INTEGER NOT NULL,
     createdMs INTEGER NOT NULL,
     expiresMs INTEGER,
     batch TEXT,
     kind TEXT
   ) STRICT;
   CREATE TABLE batches (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     tenant TEXT NOT NULL,
     keyId TEXT,
     endpoint TEXT NOT NULL,
     inputFileId TEXT NOT NULL,
     filename TEXT NOT NULL,
     window TEXT NOT NULL,
     metadata TEXT,
     status TEXT NOT NULL,
     model TEXT,
     total INTEGER NOT NULL DEFAULT 0,
     completed INTEGER NOT NULL DEFAULT 0,
     failed INTEGER NOT NULL DEFAULT 0,
     outputFileId TEXT,
     errorFileId TEXT,
     outputLifeMs INTEGER,
     faults TEXT NOT NULL DEFAULT '[]',
     createdMs INTEGER NOT NULL,
     expiresMs INTEGER NOT NULL,
     inProgressMs INTEGER,
     finalizingMs INTEGER,
     completedMs INTEGER,
     failedMs INTEGER,
     expiredMs INTEGER,
     cancellingMs INTEGER,
     cancelledMs INTEGER,
     energyUsd REAL NOT NULL DEFAULT 0,
     hardwareUsd REAL NOT NULL DEFAULT 0,
     upstreamUsd REAL NOT NULL DEFAULT 0,
     premiumUsd REAL,
     deviceMs REAL NOT NULL DEFAULT 0,
     promptTokens INTEGER NOT NULL DEFAULT 0,
     cachedTokens INTEGER NOT NULL DEFAULT 0,
     completionTokens INTEGER NOT NULL DEFAULT 0
   ) STRICT;
   CREATE TABLE rows (
     batch TEXT NOT NULL,
     rank INTEGER NOT NULL,
     line INTEGER NOT NULL,
     customId TEXT NOT NULL,
     model TEXT NOT NULL,
     offset INTEGER NOT NULL,
     length INTEGER NOT NULL,
     state INTEGER NOT NULL DEFAULT 0,
     result TEXT,
     PRIMARY KEY (batch, rank)
   ) STRICT;
   CREATE UNIQUE INDEX rowsByLine ON rows (batch, state, line);`,
];

type Columns = Readonly<Record<string, string | number | null>>;

/** The file that a row of `files` holds. */
export function fileOf(row: unknown): BatchFile {
  const { id, tenant, filename, purpose, bytes, createdMs, expiresMs, batch, kind } = row as Columns;
  const results = batch === null ? null : { batch: String(batch), kind: kind === 'error' ? ('error' as const) : ('output' as const) };
  return {
    id: String(id),
    tenant: String(tenant),
    filename: String(filename),
    purpose: purpose === 'batch_output' ? 'batch_output' : 'batch',
    bytes: Number(bytes),
    createdMs: Number(createdMs),
    expiresMs: numberOrNull(expiresMs),
    results,
  };
}

/** The batch that a row of `batches` holds. */
export function batchOf(row: unknown): Batch {
  const columns = row as Columns;
  const text = (name: string): string => String(columns[name]);
  const textOrNull = (name: string): string | null => (columns[name] === null ? null : text(name));
  const number = (name: string): number => Number(columns[name]);
  const time = (name: string): number | null => numberOrNull(columns[name]);
  return {
    id: text('id'),
    tenant: text('tenant'),
    keyId: textOrNull('keyId'),
    endpoint: text('endpoint'),
    inputFileId: text('inputFileId'),
    filename: text('filename'),
    window: text('window'),
    metadata: JSON.parse(textOrNull('metadata') ?? 'null') as Batch['metadata'],
    status: BATCH_STATUSES.find((name) => name === columns['status']) ?? bug(`A batch is ${text('status')}.`),
    model: textOrNull('model'),
    total: number('total'),
    completed: number('completed'),
    failed: number('failed'),
    outputFileId: textOrNull('outputFileId'),
    errorFileId: textOrNull('errorFileId'),
    outputLifeMs: time('outputLifeMs'),
    faults: JSON.parse(text('faults')) as readonly BatchFault[],
    createdMs: number('createdMs'),
    expiresMs: number('expiresMs'),
    inProgressMs: time('inProgressMs'),
    finalizingMs: time('finalizingMs'),
    completedMs: time('completedMs'),
    failedMs: time('failedMs'),
    expiredMs: time('expiredMs'),
    cancellingMs: time('cancellingMs'),
    cancelledMs: time('cancelledMs'),
    charges: {
      energyUsd: number('energyUsd'),
      hardwareUsd: number('hardwareUsd'),
      upstreamUsd: number('upstreamUsd'),
      premiumUsd: time('premiumUsd'),
      deviceMs: number('deviceMs'),
      promptTokens: number('promptTokens'),
      cachedTokens: number('cachedTokens'),
      completionTokens: number('completionTokens'),
    },
  };
}

function numberOrNull(value: string | number | null | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}
