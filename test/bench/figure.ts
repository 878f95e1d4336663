// What a part of the benchmark finds: one named figure of ours beside the peer's, one sample a round.
import { median } from './statistics.ts';

export interface Figure {
  readonly part: string;
  readonly name: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** One value a round. */
  readonly ours: readonly number[];
  /** Of the same rounds; null when there is no peer to compare with. */
  readonly peer: readonly number[] | null;
  /** Ratio (or, without a peer, value) that ours must reach: at least when higher is better, at most otherwise. */
  readonly goal: number | null;
}

/** Median of ours over median of the peer's; null without a peer. */
export function ratio(figure: Figure): number | null {
  return figure.peer === null ? null : median(figure.ours) / median(figure.peer);
}

/** Whether the goal is met; null when there is none to judge, or no peer to judge by. */
export function meetsGoal(figure: Figure, peerPresent: boolean): boolean | null {
  const value = figure.peer === null ? (peerPresent ? median(figure.ours) : null) : ratio(figure);
  if (figure.goal === null || value === null || Number.isNaN(value)) return null;
  return figure.better === 'higher' ? value >= figure.goal : value <= figure.goal;
}
