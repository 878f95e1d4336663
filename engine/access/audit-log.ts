// Owns `audit.log`: one JSON line for each thing an administrator did. Rotated by size; texts and secrets are never in it.
import { appendFile, readFile, rename, rm, stat } from 'node:fs/promises';
import type { AuditEntry } from '../contract.ts';
import type { Log } from '../log.ts';

const MOST_BYTES = 5 * 1024 * 1024;
const KEPT_FILES = 5;

export interface AuditLogOptions {
  readonly path: string;
  readonly log: Log;
  /** A file that is larger is set aside. Default 5 MiB. */
  readonly mostBytes?: number;
}

export class AuditLog {
  readonly #options: AuditLogOptions;
  #turn: Promise<void> = Promise.resolve();

  constructor(options: AuditLogOptions) {
    this.#options = options;
  }

  /** Written after the caller's turn, in order. Never throws. */
  note(entry: AuditEntry): void {
    this.#turn = this.#turn.then(() => this.#append(`${JSON.stringify(entry)}\n`));
  }

  /** The last ones, newest first; of the current file. */
  async last(limit: number): Promise<readonly AuditEntry[]> {
    await this.#turn;
    const text = await readFile(this.#options.path, 'utf8').catch(() => '');
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.slice(-limit).toReversed().flatMap(parseEntry);
  }

  /** Resolves when all is written. */
  async close(): Promise<void> {
    await this.#turn;
  }

  async #append(line: string): Promise<void> {
    const { path, log } = this.#options;
    try {
      await this.#rotate();
      await appendFile(path, line, { mode: 0o600 });
    } catch (err) {
      log.error({ err, path }, 'an action is missing in the audit log');
    }
  }

  async #rotate(): Promise<void> {
    const { path, mostBytes = MOST_BYTES } = this.#options;
    const size = await stat(path).then(
      (file) => file.size,
      () => 0,
    );
    if (size < mostBytes) return;
    await rm(`${path}.${KEPT_FILES}`, { force: true });
    for (let at = KEPT_FILES - 1; at >= 1; at--) await rename(`${path}.${at}`, `${path}.${at + 1}`).catch(() => undefined);
    await rename(path, `${path}.1`);
  }
}

/** A line that a crash cut short is none. */
function parseEntry(line: string): readonly AuditEntry[] {
  try {
    return [JSON.parse(line) as AuditEntry];
  } catch {
    return [];
  }
}
