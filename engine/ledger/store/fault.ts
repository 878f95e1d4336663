// Owns what an error of the database means for the user, and whether trying again can help. Pure.

export type FaultKind = 'disk_full' | 'locked' | 'damaged' | 'failed';

export interface Fault {
  readonly kind: FaultKind;
  /** What happened, what it means, what to do. */
  readonly sentence: string;
  readonly detail: string;
  /** False when the same records would fail again, whatever becomes of the disk. */
  readonly canRetry: boolean;
}

/** The file says that a later version of the program wrote it, or that its content is broken. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  readonly code: 'NEWER' | 'DAMAGED';

  constructor(code: 'NEWER' | 'DAMAGED', message: string) {
    super(message);
    this.code = code;
  }
}

/** Reads SQLite's result codes (sqlite.org/rescode.html) and those of the operating system. */
export function faultOf(error: unknown, path: string): Fault {
  const code = codeOf(error);
  const detail = `${code === '' ? '' : `${code}: `}${error instanceof Error ? error.message : String(error)} (${path})`;
  return { ...meaningOf(code, error, path), detail };
}

export function isDamage(error: unknown): boolean {
  return /^(SQLITE_CORRUPT|SQLITE_NOTADB|DAMAGED)/.test(codeOf(error));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function meaningOf(code: string, error: unknown, path: string): Omit<Fault, 'detail'> {
  if (isDamage(error))
    return {
      kind: 'damaged',
      sentence: 'The history file is damaged. Models go on answering; a new file is begun and the old one is kept beside it.',
      canRetry: true,
    };
  if (/^(SQLITE_FULL|ENOSPC|EDQUOT|SQLITE_IOERR_WRITE|SQLITE_IOERR_FSYNC|SQLITE_IOERR_TRUNCATE|SQLITE_IOERR_SHM)/.test(code))
    return {
      kind: 'disk_full',
      sentence: 'The disk is full or cannot be written. Models go on answering; history waits in memory. Free some space.',
      canRetry: true,
    };
  if (/^(SQLITE_BUSY|SQLITE_LOCKED)/.test(code))
    return {
      kind: 'locked',
      sentence: 'Another program has locked the history file. Models go on answering; history waits in memory. Close that program.',
      canRetry: true,
    };
  if (code === 'NEWER')
    return {
      kind: 'failed',
      sentence: `The history file was written by a newer version. Nothing is recorded: update this program, or move ${path} away.`,
      canRetry: true,
    };
  return {
    kind: 'failed',
    sentence: 'History cannot be written. Models go on answering. The detail says what the system reports.',
    canRetry: /^(SQLITE_IOERR|SQLITE_CANTOPEN|SQLITE_READONLY|SQLITE_PERM|SQLITE_NOMEM|E[A-Z]+$)/.test(code),
  };
}
