// Owns the export of history in pieces: each is one short read from where the last one ended, so that other reads come in between.
import type { AlertEvent, RequestRow } from '../../contract.ts';
import type { ExportQuery } from '../ledger.ts';
import type { Database } from './database.ts';
import { exportHeader, exportLine, type ExportRow } from './export-text.ts';
import { SAMPLE_COLUMNS, sampleRows } from './export-samples.ts';
import type { ExportPiece, ExportPlace } from './messages.ts';
import { firstIdAt, fromCells, type StoredRequest } from './request-row.ts';
import { checkRange } from './steps.ts';
import type { WordReader } from './words.ts';

/** Rows of a piece: some 64 KiB of text. */
const PIECE_ROWS = 200;

const REQUEST_FIELDS = [
  'rowId',
  'requestId',
  'atMs',
  'tenant',
  'key',
  'endpoint',
  'streamed',
  'modelAsked',
  'model',
  'variant',
  'precision',
  'device',
  'routeReason',
  'queueMs',
  'loadMs',
  'prefillMs',
  'ttftMs',
  'interTokenP50Ms',
  'interTokenP99Ms',
  'totalMs',
  'promptTokens',
  'cachedTokens',
  'completionTokens',
  'meanBatch',
  'cache',
  'deviceMs',
  'energyJoules',
  'energyUsd',
  'hardwareUsd',
  'upstreamUsd',
  'premiumUsd',
  'status',
  'outcome',
  'errorCode',
] as const satisfies readonly (keyof RequestRow)[];

const ALERT_FIELDS = [
  'id',
  'ruleId',
  'name',
  'subject',
  'sinceMs',
  'endedMs',
  'value',
  'peak',
  'threshold',
  'sentence',
  'remedy',
] as const satisfies readonly (keyof AlertEvent)[];

const COLUMNS = { requests: REQUEST_FIELDS, samples: SAMPLE_COLUMNS, alerts: ALERT_FIELDS };

/** @throws EngineError `invalid_request` for an empty range */
export function readExport(db: Database, words: WordReader, query: ExportQuery, after: ExportPlace | null): ExportPiece {
  checkRange(query.range);
  const columns = COLUMNS[query.table];
  const { rows, next } = READERS[query.table]({ db, words, query, after });
  const head = after === null ? exportHeader(columns, query.format) : '';
  return { text: head + rows.map((row) => exportLine(columns, row, query.format)).join(''), next };
}

export interface ExportSlice {
  readonly rows: readonly ExportRow[];
  readonly next: ExportPlace | null;
}

export interface ExportRead {
  readonly db: Database;
  readonly words: WordReader;
  readonly query: ExportQuery;
  readonly after: ExportPlace | null;
}

const READERS = { requests: requestSlice, samples: sampleRows, alerts: alertSlice };

function requestSlice({ db, words, query, after }: ExportRead): ExportSlice {
  const select = db.prepare<[number, number, number], StoredRequest>('SELECT * FROM requests WHERE id > ? AND id < ? ORDER BY id LIMIT ?');
  const start = after === null ? firstIdAt(query.range.fromMs) - 1 : Number(after[0]);
  const rows = select.all(start, firstIdAt(query.range.toMs), PIECE_ROWS);
  const last = rows.at(-1);
  return {
    rows: rows.map((row) => ({ ...fromCells(row, words) })),
    next: last === undefined || rows.length < PIECE_ROWS ? null : [last.id],
  };
}

function alertSlice({ db, query, after }: ExportRead): ExportSlice {
  const select = db.prepare<unknown[], { id: string; since_ms: number; document: string }>(
    'SELECT * FROM alerts WHERE since_ms >= ? AND since_ms < ? AND (since_ms, id) > (?, ?) ORDER BY since_ms, id LIMIT ?',
  );
  const rows = select.all(query.range.fromMs, query.range.toMs, ...(after ?? [-1, '']), PIECE_ROWS);
  const last = rows.at(-1);
  return {
    rows: rows.map(({ document }) => JSON.parse(document) as ExportRow),
    next: last === undefined || rows.length < PIECE_ROWS ? null : [last.since_ms, last.id],
  };
}
