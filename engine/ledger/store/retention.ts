// Owns the deletion of what is too old: a bounded slice at a time, so that writing never waits for long.
import type { Retention } from '../../contract.ts';
import type { Database } from './database.ts';
import { type KeptFrom, noteDeleted } from './kept.ts';
import { firstIdAt } from './request-row.ts';
import { GRAIN } from './rollup.ts';
import { STATS, type StatsTable } from './schema.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SLICE_ROWS = 2_000;
/** Past alerts are few; they are kept as long as hours are, but never more than these. */
const MAX_ALERTS = 10_000;
/** Free pages are taken by later rows; only more of them than this are given back to the file system. */
const SPARE_PAGES = 1_024;
const VACUUM_PAGES = 512;

/** Deletes at most one slice of each table. True when there is more to do. Days are kept for ever: they are a few rows each. */
export function deleteExpired(db: Database, nowMs: number, retention: Retention): boolean {
  const cutoffs: KeptFrom = {
    requests: nowMs - retention.requestsDays * DAY_MS,
    seconds: nowMs - retention.secondsHours * HOUR_MS,
    minutes: nowMs - retention.minutesDays * DAY_MS,
    hours: nowMs - retention.hoursDays * DAY_MS,
  };
  const counts = db.transaction(() => deleteSlices(db, cutoffs)).immediate();
  return giveBackPages(db) || counts.some((count) => count >= SLICE_ROWS);
}

/** How many rows of each table went. */
function deleteSlices(db: Database, cutoffs: KeptFrom): readonly number[] {
  const counts = {
    // Hours of money by group serve the edges of recent ranges, together with the requests; days remain.
    requests: [deleteRequests(db, cutoffs.requests), deleteSteps(db, 'cost_stats', { grain: GRAIN.hour, beforeMs: cutoffs.requests })],
    seconds: deleteStats(db, GRAIN.second, cutoffs.seconds),
    minutes: deleteStats(db, GRAIN.minute, cutoffs.minutes),
    hours: deleteStats(db, GRAIN.hour, cutoffs.hours),
  };
  const names = (Object.keys(counts) as (keyof typeof counts)[]).filter((name) => counts[name].some((count) => count > 0));
  if (names.length > 0) noteDeleted(db, Object.fromEntries(names.map((name) => [name, cutoffs[name]])));
  return [...Object.values(counts).flat(), deleteAlerts(db, cutoffs.hours)];
}

function deleteRequests(db: Database, beforeMs: number): number {
  return db.prepare<[number, number]>('DELETE FROM requests WHERE id < ? LIMIT ?').run(firstIdAt(beforeMs), SLICE_ROWS).changes;
}

function deleteStats(db: Database, grain: number, beforeMs: number): readonly number[] {
  return (Object.keys(STATS) as StatsTable[]).map((table) => deleteSteps(db, table, { grain, beforeMs }));
}

function deleteSteps(db: Database, table: StatsTable, { grain, beforeMs }: { readonly grain: number; readonly beforeMs: number }): number {
  const sql = `DELETE FROM ${table} WHERE grain = ? AND at < ? LIMIT ?`;
  return db.prepare<[number, number, number]>(sql).run(grain, Math.floor(beforeMs / 1000), SLICE_ROWS).changes;
}

function deleteAlerts(db: Database, beforeMs: number): number {
  const overflow = '(SELECT since_ms FROM alerts ORDER BY since_ms DESC LIMIT 1 OFFSET ?)';
  const sql = `DELETE FROM alerts WHERE since_ms < max(?, coalesce(${overflow}, 0)) LIMIT ?`;
  return db.prepare<[number, number, number]>(sql).run(beforeMs, MAX_ALERTS, SLICE_ROWS).changes;
}

/** True when it gave some back and more could follow. */
function giveBackPages(db: Database): boolean {
  const free = db.pragma('freelist_count', { simple: true }) as number;
  if (free <= SPARE_PAGES) return false;
  db.pragma(`incremental_vacuum(${Math.min(VACUUM_PAGES, free - SPARE_PAGES)})`);
  return free - SPARE_PAGES > VACUUM_PAGES;
}
