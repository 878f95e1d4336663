// Decides what of a data folder belongs into a backup: everything but weights, caches, downloads under way and files of one process. Pure.

/** How an entry of the data folder is copied. */
export type EntryKind = 'database' | 'file' | 'folder';

/** Weights are fetched again by `millrace pull`; a cache fills itself; jobs are downloads of this machine. */
const LEFT_OUT: ReadonlySet<string> = new Set(['models', 'downloads', 'cache.db', 'jobs.json', 'engine.lock']);
/** Logs of databases, files of locks, files set aside, and drafts that are about to be renamed. */
const PASSING = /-(wal|shm|journal)$|\.lock(\.|$)|\.damaged-|\.tmp$|\.partial|^\.|^before-restore-|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-/;

/** Null: it is left out. */
export function entryKind(name: string, isFolder: boolean): EntryKind | null {
  if (LEFT_OUT.has(name) || PASSING.test(name)) return null;
  if (isFolder) return 'folder';
  return name.endsWith('.db') ? 'database' : 'file';
}
