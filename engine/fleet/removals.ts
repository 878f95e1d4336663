// Owns the models that were removed and can still come back: for how long, and the end of their files.
// Knows nothing about processes.
import { EngineError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { SetAsideModel } from '../models/store/model-store.ts';
import type { Removal } from './control.ts';

const UNDO_MS = 10_000;

interface Removed {
  readonly files: SetAsideModel;
  readonly timer: NodeJS.Timeout;
}

export class Removals {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #undoMs: number;
  readonly #removed = new Map<string, Removed>();

  constructor(log: Log, now: () => number, undoMs = UNDO_MS) {
    this.#log = log;
    this.#now = now;
    this.#undoMs = undoMs;
  }

  /** The files of `id` are deleted when the time for an undo is over; those of an earlier model of this name at once. */
  add(id: string, files: SetAsideModel): Removal {
    const earlier = this.#removed.get(id);
    if (earlier !== undefined) this.#delete(id, earlier);
    const removed: Removed = { files, timer: setTimeout(() => this.#delete(id, removed), this.#undoMs).unref() };
    this.#removed.set(id, removed);
    return { restorableUntilMs: this.#now() + this.#undoMs };
  }

  /** @throws EngineError `model_not_found`, `invalid_request` when a model of this name was installed meanwhile */
  async restore(id: string): Promise<void> {
    const removed = this.#removed.get(id);
    if (removed === undefined) throw new EngineError('model_not_found', `No model named ${id} was removed lately.`, { param: 'model' });
    await removed.files.restore();
    clearTimeout(removed.timer);
    this.#removed.delete(id);
  }

  /** What is left is deleted at the next start. */
  close(): void {
    for (const { timer } of this.#removed.values()) clearTimeout(timer);
    this.#removed.clear();
  }

  #delete(id: string, removed: Removed): void {
    clearTimeout(removed.timer);
    if (this.#removed.get(id) === removed) this.#removed.delete(id);
    removed.files.delete().catch((cause: unknown) => this.#log.error({ err: cause, model: id }, 'the files of a removed model remain'));
  }
}
