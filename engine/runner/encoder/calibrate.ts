// Measures at start what batches cost on this machine, within a bounded time.
// Knows nothing about requests.
import type { CostSample } from './cost.ts';
import type { EncoderSession, EncoderText } from './encoder-session.ts';

/** Batch and length of each run: few and many texts of each length, so that base, token and attention cost can be told apart. */
export const CALIBRATION_SHAPES = [
  [1, 8],
  [1, 32],
  [8, 16],
  [1, 128],
  [16, 16],
  [4, 64],
  [1, 256],
  [2, 256],
] as const;
/** Shapes that are measured whatever they take; without them nothing can be fitted. */
const LEAST_SHAPES = 4;
const REPEATS = 2;

export interface CalibrationOptions {
  readonly session: EncoderSession;
  /** Of one text. */
  readonly maxTokens: number;
  /** A token that any text may hold. */
  readonly token: number;
  /** Time after which no further shape is begun. */
  readonly limitMs: number;
  readonly now: () => number;
}

/** The best of a few runs of each shape, smallest shape first. */
export async function calibrate(options: CalibrationOptions): Promise<readonly CostSample[]> {
  const startedMs = options.now();
  const samples: CostSample[] = [];
  // The first run pays for what is set up once.
  await options.session.run(batchOf(options, 1, 8));
  for (const [batch, longest] of CALIBRATION_SHAPES) {
    if (samples.length >= LEAST_SHAPES && options.now() - startedMs > options.limitMs) break;
    const length = Math.min(longest, options.maxTokens);
    samples.push({ batch, length, ms: await bestOf(options, batchOf(options, batch, length)) });
  }
  return samples;
}

async function bestOf({ session, now }: CalibrationOptions, texts: readonly EncoderText[]): Promise<number> {
  let best = Infinity;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const startedMs = now();
    await session.run(texts);
    best = Math.min(best, now() - startedMs);
  }
  // A clock's tick at least: a cost of nothing cannot be weighed.
  return Math.max(best, 1e-3);
}

function batchOf({ token, maxTokens }: CalibrationOptions, batch: number, longest: number): readonly EncoderText[] {
  const length = Math.min(longest, maxTokens);
  return Array.from({ length: batch }, () => ({ tokens: new Int32Array(length).fill(token), secondStart: length }));
}
