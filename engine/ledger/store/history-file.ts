// Owns the two threads that have the history file open, and what is done when it turns out to be damaged.
// The event loop never waits for the disk: every answer is a promise.
import { EngineError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { type Fault, faultOf } from './fault.ts';
import type { ReadAnswer, ReadQuestion, ReadValues, WriteAnswer, WriteBatch, WriteQuestion } from './messages.ts';
import { Thread } from './thread.ts';

export interface HistoryFileOptions {
  readonly path: string;
  readonly log: Log;
  readonly now: () => number;
  /** A damaged file was moved there and a new one begun. */
  readonly onSetAside: (path: string) => void;
}

export class HistoryFile {
  readonly #options: HistoryFileOptions;
  readonly #writer: Thread<WriteQuestion>;
  readonly #reader: Thread<ReadQuestion>;
  #opening: Promise<WriteAnswer> | null = null;
  #replacing: Promise<void> | null = null;

  constructor(options: HistoryFileOptions) {
    this.#options = options;
    const workerData = { path: options.path };
    this.#writer = new Thread(new URL('./writer-worker.ts', import.meta.url), workerData);
    this.#reader = new Thread(new URL('./reader-worker.ts', import.meta.url), workerData);
  }

  /** Opens the file unless it is open. Later calls ask again after a failure. */
  open(): Promise<WriteAnswer> {
    this.#opening ??= this.#ask({ kind: 'open', nowMs: this.#options.now() }).then((answer) => {
      if (answer.kind === 'fault') this.#opening = null;
      else if (answer.setAside !== null) this.#noteSetAside(answer.setAside);
      return answer;
    });
    return this.#opening;
  }

  /** Never rejects. A file that is found damaged is replaced before the answer comes. */
  async write(batch: WriteBatch): Promise<WriteAnswer> {
    await this.#replacing;
    const opened = await this.open();
    return opened.kind === 'fault' ? opened : this.#mend(await this.#ask({ kind: 'write', batch }));
  }

  /** Deletes a slice of what is too old; true when there is more. */
  async maintain(question: Extract<WriteQuestion, { readonly kind: 'maintain' }>): Promise<boolean> {
    const opened = await this.open();
    if (opened.kind === 'fault') return false;
    const answer = await this.#mend(await this.#ask(question));
    return answer.kind === 'done' && answer.more;
  }

  /** @throws EngineError what the question is refused with, or `history_unavailable` */
  async read<K extends ReadQuestion['kind']>(question: Extract<ReadQuestion, { readonly kind: K }>): Promise<ReadValues[K]> {
    await this.#replacing;
    const opened = await this.open();
    if (opened.kind === 'fault') throw unavailable(opened.fault);
    const answer = await this.#askReader(question);
    if (answer.kind === 'done') return answer.value as ReadValues[K];
    if (answer.fault.kind === 'damaged') await this.#replace();
    throw unavailable(answer.fault);
  }

  async close(): Promise<void> {
    await this.#opening;
    // Last of all the connection that can empty the write-ahead log.
    await this.#closeReader();
    await this.#ask({ kind: 'close' });
    await Promise.all([this.#reader.end(), this.#writer.end()]);
  }

  async #mend(answer: WriteAnswer): Promise<WriteAnswer> {
    if (answer.kind === 'fault' && answer.fault.kind === 'damaged') await this.#replace();
    return answer;
  }

  #replace(): Promise<void> {
    this.#replacing ??= this.#replaceOnce().finally(() => (this.#replacing = null));
    return this.#replacing;
  }

  /** Windows moves no file that is open, so the reader lets go first. */
  async #replaceOnce(): Promise<void> {
    await this.#closeReader();
    const answer = await this.#ask({ kind: 'replace', nowMs: this.#options.now() });
    if (answer.kind === 'fault') this.#opening = null;
    else if (answer.setAside !== null) this.#noteSetAside(answer.setAside);
  }

  async #askReader(question: ReadQuestion): Promise<ReadAnswer> {
    try {
      return (await this.#reader.ask(question)) as ReadAnswer;
    } catch (error) {
      if (error instanceof EngineError) throw error;
      // The thread died; the next question starts another.
      return { kind: 'fault', fault: faultOf(error, this.#options.path) };
    }
  }

  /** A thread that died has let go too. */
  async #closeReader(): Promise<void> {
    if (this.#reader.isRunning) await this.#askReader({ kind: 'close' });
  }

  async #ask(question: WriteQuestion): Promise<WriteAnswer> {
    try {
      return (await this.#writer.ask(question)) as WriteAnswer;
    } catch (error) {
      // The thread died, and with it the connection; or the records cannot be sent, which no second try changes.
      this.#opening = null;
      return { kind: 'fault', fault: { ...faultOf(error, this.#options.path), canRetry: !isUncloneable(error) } };
    }
  }

  #noteSetAside(path: string): void {
    this.#options.log.error({ path }, 'The history file was damaged and set aside; a new one was begun.');
    this.#options.onSetAside(path);
  }
}

const isUncloneable = (error: unknown): boolean => error instanceof Error && error.name === 'DataCloneError';

function unavailable(fault: Fault): EngineError {
  return new EngineError('history_unavailable', fault.sentence, { cause: new Error(fault.detail) });
}
