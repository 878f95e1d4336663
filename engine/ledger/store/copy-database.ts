// Owns how a database that may be in use is copied into a file of its own, whole and sound.
import SqliteDatabase from 'better-sqlite3';
import { openReadOnly } from './database.ts';
import { DatabaseError } from './fault.ts';

/** Writes what is committed to `to`, one file without a log; programs that use `from` go on meanwhile.
 *  @throws DatabaseError `DAMAGED` when the copy is not sound; SQLite's own error for anything else */
export async function copyDatabase(from: string, to: string): Promise<void> {
  const source = openReadOnly(from);
  try {
    await source.backup(to);
  } finally {
    source.close();
  }
  checkSound(to);
}

function checkSound(path: string): void {
  const copy = new SqliteDatabase(path, { fileMustExist: true });
  try {
    copy.pragma('journal_mode = delete');
    const finding = copy.pragma('quick_check(1)', { simple: true }) as string;
    if (finding !== 'ok') throw new DatabaseError('DAMAGED', `${path}: ${finding}`);
  } finally {
    copy.close();
  }
}
