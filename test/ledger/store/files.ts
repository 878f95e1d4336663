// A folder for one test, with a writer and a reader on the same history file, both in this thread.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RequestRecord, Sample } from '../../../engine/ledger/ledger.ts';
import type { AlertEvent, Retention } from '../../../engine/contract.ts';
import type { Database } from '../../../engine/ledger/store/database.ts';
import { openDatabase } from '../../../engine/ledger/store/database.ts';
import type { ReadQuestion, ReadValues, WriteAnswer } from '../../../engine/ledger/store/messages.ts';
import { Reader } from '../../../engine/ledger/store/reader.ts';
import { Writer } from '../../../engine/ledger/store/writer.ts';
import { SOME_MS } from './records.ts';

export function aFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'millrace-ledger-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export class StoreFixture implements Disposable {
  readonly #folder = aFolder();
  readonly path = join(this.#folder.path, 'history.db');
  readonly reader = new Reader(this.path);
  readonly writer: Writer;
  #db: Database | null = null;
  #batches = 0;

  constructor() {
    this.writer = new Writer(this.path, (options) => {
      const opened = openDatabase(options);
      this.#db = opened.db;
      return opened;
    });
    this.writer.answer({ kind: 'open', nowMs: SOME_MS });
  }

  /** The writer's connection. */
  get db(): Database {
    if (this.#db === null) throw new Error('The file did not open.');
    return this.#db;
  }

  write(part: {
    readonly id?: string;
    readonly requests?: readonly RequestRecord[];
    readonly samples?: readonly Sample[];
    readonly alerts?: readonly AlertEvent[];
  }): WriteAnswer {
    const batch = { id: `batch ${++this.#batches}`, requests: [], samples: [], alerts: [], ...part };
    return this.writer.answer({ kind: 'write', batch });
  }

  maintain(nowMs: number, retention: Retention): void {
    for (;;) {
      const answer = this.writer.answer({ kind: 'maintain', nowMs, retention });
      if (answer.kind === 'fault') throw new Error(answer.fault.detail);
      if (!answer.more) return;
    }
  }

  read<K extends ReadQuestion['kind']>(question: Extract<ReadQuestion, { readonly kind: K }>): ReadValues[K] {
    const answer = this.reader.answer(question);
    if (answer.kind === 'fault') throw new Error(answer.fault.detail);
    return answer.value as ReadValues[K];
  }

  [Symbol.dispose](): void {
    this.reader.answer({ kind: 'close' });
    this.writer.answer({ kind: 'close' });
    this.#folder[Symbol.dispose]();
  }
}
