// Owns the note of what retention has taken away: before which moment each kind of row is incomplete.
import type { Database } from './database.ts';

/** Moments in ms; 0 when nothing was ever deleted. */
export interface KeptFrom {
  readonly requests: number;
  readonly seconds: number;
  readonly minutes: number;
  readonly hours: number;
}

const NOTHING_DELETED: KeptFrom = { requests: 0, seconds: 0, minutes: 0, hours: 0 };

export function readKeptFrom(db: Database): KeptFrom {
  const text = db.prepare<[], string>("SELECT value FROM meta WHERE name = 'kept_from'").pluck().get();
  return text === undefined ? NOTHING_DELETED : { ...NOTHING_DELETED, ...(JSON.parse(text) as Partial<KeptFrom>) };
}

/** What is gone stays gone when retention is made longer: the later moment counts. */
export function noteDeleted(db: Database, deleted: Partial<KeptFrom>): void {
  const before = readKeptFrom(db);
  const kept = Object.entries(before).map(([name, ms]) => [name, Math.max(ms, deleted[name as keyof KeptFrom] ?? 0)]);
  db.prepare<[string]>("INSERT OR REPLACE INTO meta VALUES ('kept_from', ?)").run(JSON.stringify(Object.fromEntries(kept)));
}
