// An honest stand-in for the gateway as rows see it: each row is answered with its own body, at once or when the test lets it.
import type { RowAnswer, RowRequest, RowServer } from '../../engine/jobs/batches/batch-control.ts';

export interface FakeRowsOptions {
  /** Default: 200 with the row's body. */
  readonly answer?: (row: RowRequest, attempt: number) => RowAnswer | Promise<RowAnswer>;
  readonly slots?: number | null;
}

export class FakeRows implements RowServer {
  readonly #options: FakeRowsOptions;
  readonly #listeners = new Set<() => void>();
  /** Every row that was begun, in order. */
  readonly begun: RowRequest[] = [];
  running = 0;
  mostRunning = 0;
  aborted = 0;
  foreground = 0;

  constructor(options: FakeRowsOptions = {}) {
    this.#options = options;
  }

  async run(row: RowRequest, signal: AbortSignal): Promise<RowAnswer> {
    this.begun.push(row);
    this.mostRunning = Math.max(this.mostRunning, ++this.running);
    const { answer = ({ body }) => ({ status: 200, body: Buffer.from(body).toString() }) } = this.#options;
    const gone = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
    try {
      return await Promise.race([answer(row, this.begun.length), gone]);
    } catch (cause) {
      if (signal.aborted) this.aborted++;
      throw cause;
    } finally {
      this.running--;
    }
  }

  endpoints(): readonly string[] {
    return ['/v1/chat/completions', '/v1/embeddings'];
  }

  slotsOf(): number | null {
    return this.#options.slots === undefined ? 4 : this.#options.slots;
  }

  onForeground(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  setForeground(count: number): void {
    this.foreground = count;
    for (const listener of this.#listeners) listener();
  }
}
