// What a part of the benchmark finds: named figures of ours beside the peer's, one sample a round.
import { median } from './statistics.ts';

export type Side = 'ours' | 'peer';

export interface FigureSpec {
  readonly name: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** Ours over the peer's must be at least this when higher is better, at most otherwise; null: nothing is demanded. */
  readonly ratioGoal?: number;
  /** The same for the value of ours itself. */
  readonly valueGoal?: number;
}

export interface Figure extends FigureSpec {
  readonly part: string;
  /** One value a round. */
  readonly ours: readonly number[];
  readonly peer: readonly number[];
}

/** Collects the samples of one part, in the order in which figures are first seen. */
export class Figures {
  readonly #part: string;
  readonly #figures = new Map<string, { spec: FigureSpec; ours: number[]; peer: number[] }>();

  constructor(part: string) {
    this.#part = part;
  }

  add(side: Side, value: number, spec: FigureSpec): void {
    const figure = this.#figures.get(spec.name) ?? { spec, ours: [], peer: [] };
    figure[side].push(value);
    this.#figures.set(spec.name, figure);
  }

  list(): readonly Figure[] {
    return [...this.#figures.values()].map(({ spec, ours, peer }) => ({ part: this.#part, ...spec, ours, peer }));
  }
}

/** Median of ours over median of the peer's; null when either has no sample. */
export function ratio(figure: Figure): number | null {
  return figure.ours.length === 0 || figure.peer.length === 0 ? null : median(figure.ours) / median(figure.peer);
}

/** Whether what is demanded is reached; null when nothing is, or the sample for it is missing. */
export function meetsGoal(figure: Figure): boolean | null {
  const [value, goal] =
    figure.ratioGoal === undefined
      ? [figure.ours.length === 0 ? null : median(figure.ours), figure.valueGoal]
      : [ratio(figure), figure.ratioGoal];
  if (goal === undefined || value === null || Number.isNaN(value)) return null;
  return figure.better === 'higher' ? value >= goal : value <= goal;
}
