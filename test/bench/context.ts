// What every part of the benchmark is given.
import type { Figure, Side } from './figure.ts';
import { busyCores } from './machine.ts';
import type { Peer } from './peer.ts';
import type { RunningServer, Shape, Target } from './servers.ts';

export interface BenchContext {
  /** Rounds: each measures both sides, one after the other, and which goes first alternates. */
  readonly reps: number;
  /** A few seconds a part: proves that it runs, says nothing about speed. */
  readonly smoke: boolean;
  readonly shape: Shape;
  readonly peer: Peer | null;
  readonly files: ModelFiles;
  /** Takes note of what other processes took before a round. */
  readonly foreignCores: number[];
  log(line: string): void;
}

/** The model under test in the forms that are compared. */
export interface ModelFiles {
  /** As shipped. */
  readonly source: string;
  /** Made of it by the peer's own quantiser; null without a peer. */
  readonly q8: string | null;
  readonly q4: string | null;
  readonly q4k: string | null;
  /** Our data folder, and the names of its models: the source's own weights, and 8 bits. */
  readonly dataDir: string;
  readonly exactModel: string;
  readonly int8Model: string;
}

export type Part = (context: BenchContext) => Promise<readonly Figure[]>;

/** Runs `measure` on both sides in turn, `reps` times; the side that goes first alternates. */
export async function alternate(
  context: BenchContext,
  sides: readonly Side[],
  measure: (side: Side, round: number) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < context.reps; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      await waitForQuiet(context);
      context.log(`round ${round + 1}/${context.reps}: ${side}`);
      await measure(side, round);
    }
  }
}

const QUIET_CORES = 0.15;
const QUIET_WAIT_MS = 30_000;

/** Waits for a moment in which other processes leave the machine alone, but not for ever. */
async function waitForQuiet(context: BenchContext): Promise<void> {
  const untilMs = performance.now() + (context.smoke ? 0 : QUIET_WAIT_MS);
  for (;;) {
    const cores = await busyCores();
    if (cores === null) return;
    if (cores < QUIET_CORES || performance.now() >= untilMs) {
      context.foreignCores.push(cores);
      return;
    }
  }
}

/** Starts a server, hands it to `use`, and ends it whatever happens. */
export async function withServer<T>(target: Target, use: (server: RunningServer) => Promise<T>): Promise<T> {
  const server = await target.start();
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}
