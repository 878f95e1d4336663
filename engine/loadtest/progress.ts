// Owns what is told of a load test while it runs, at most a few times a second.
import type { LoadTestRun } from '../contract.ts';
import { ttftOf } from './judge.ts';
import { percentiles } from './report.ts';
import type { Sample } from './send.ts';

export interface ProgressOptions {
  readonly asked: LoadTestRun['asked'];
  readonly startedMs: number;
  readonly onChange: (run: LoadTestRun) => void;
}

type Keeps = (model: string, ttftMs: number | null) => boolean;

const EVERY_MS = 250;
/** Answers that the running median is of. */
const RECENT = 20;

export class Progress {
  readonly #onChange: ProgressOptions['onChange'];
  readonly #recent: number[] = [];
  #run: LoadTestRun;
  #toldMs = 0;
  #sendingMs = 0;
  #lastMs = 0;
  #keeps: Keeps = () => true;

  constructor({ asked, startedMs, onChange }: ProgressOptions) {
    this.#onChange = onChange;
    this.#run = idleRun(asked, startedMs);
  }

  step(state: LoadTestRun['state'], step: string): void {
    this.#change({ state, step, etaMs: null }, true);
  }

  /** The last of them is due after `lastMs`. */
  send(planned: number, lastMs: number, keeps: Keeps): void {
    this.#keeps = keeps;
    this.#lastMs = lastMs;
    this.#sendingMs = performance.now();
    this.#change({ state: 'sending', step: `Sending ${planned} requests`, planned }, true);
  }

  sent(): void {
    this.#change({ sent: this.#run.sent + 1 }, false);
  }

  answered(sample: Sample): void {
    const ttft = ttftOf(sample);
    if (ttft !== null) this.#recent.push(ttft);
    if (this.#recent.length > RECENT) this.#recent.shift();
    const { answered, failed, good } = this.#run;
    const isGood = sample.failure === null && this.#keeps(sample.model, ttft);
    const counts = { answered: answered + 1, failed: failed + (sample.failure === null ? 0 : 1), good: good + (isGood ? 1 : 0) };
    this.#change({ ...counts, ttftP50Ms: percentiles(this.#recent).p50 }, false);
  }

  #change(part: Partial<LoadTestRun>, atOnce: boolean): void {
    const nowMs = performance.now();
    const isSending = (part.state ?? this.#run.state) === 'sending';
    const etaMs = isSending ? Math.max(0, this.#lastMs - (nowMs - this.#sendingMs)) : null;
    this.#run = { ...this.#run, ...part, etaMs };
    if (!atOnce && nowMs - this.#toldMs < EVERY_MS) return;
    this.#toldMs = nowMs;
    this.#onChange(this.#run);
  }
}

/** Before anything is known. */
export function idleRun(asked: LoadTestRun['asked'], startedMs: number): LoadTestRun {
  const counts = { planned: 0, sent: 0, answered: 0, failed: 0, good: 0 };
  return { state: 'preparing', asked, startedMs, step: 'Starting', ...counts, ttftP50Ms: null, etaMs: null, reportId: null, reason: null };
}
