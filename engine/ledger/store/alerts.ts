// Owns how past alerts are read.
import type { AlertEvent } from '../../contract.ts';
import type { Database } from './database.ts';

/** Newest first. */
export function readAlerts(db: Database, limit: number): readonly AlertEvent[] {
  const select = db.prepare<[number], string>('SELECT document FROM alerts ORDER BY since_ms DESC, id DESC LIMIT ?').pluck();
  return select.all(limit).map((text) => JSON.parse(text) as AlertEvent);
}
