// Owns the file of grades: a line each, so that quality is known again after a restart. No texts.
import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Log } from '../../log.ts';

export interface Grade {
  readonly requestId: string;
  readonly target: string;
  readonly source: 'feedback' | 'shadow';
  /** 0 to 1. */
  readonly score: number;
  /** What the router expected; null: it was not routed. */
  readonly expectedLoss: number | null;
  readonly usd: number;
  readonly atMs: number;
}

const MOST_LINES = 20_000;
const KEPT_LINES = 5_000;

export class GradeFile {
  readonly #path: string | null;
  readonly #log: Log;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string | null, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  /** Oldest first; a long file is cut. Lines that are none, such as the last of a crash, are passed over. */
  read(): readonly Grade[] {
    const path = this.#path;
    if (path === null) return [];
    const lines = readLines(path);
    const kept = lines.slice(-KEPT_LINES);
    if (lines.length > MOST_LINES) this.#then(() => replace(path, `${kept.join('\n')}\n`));
    return kept.flatMap((line) => parse(line) ?? []);
  }

  add(grade: Grade): void {
    const path = this.#path;
    if (path === null) return;
    this.#then(async () => {
      await mkdir(dirname(path), { recursive: true });
      await appendFile(path, `${JSON.stringify(grade)}\n`, { mode: 0o600 });
    });
  }

  async close(): Promise<void> {
    await this.#writing;
  }

  #then(write: () => Promise<void>): void {
    this.#writing = this.#writing.then(write).catch((err: unknown) => this.#log.error({ err }, 'a grade was not written'));
  }
}

function readLines(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
    throw cause;
  }
}

async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

function parse(line: string): Grade | null {
  try {
    const value = JSON.parse(line) as Partial<Grade>;
    return typeof value.target === 'string' && typeof value.score === 'number' && typeof value.usd === 'number' ? (value as Grade) : null;
  } catch {
    return null;
  }
}
