// Decides whose waiting request runs next: start-time fair queueing (Goyal, Vin and Cheng 1996) with measured device time as work.
// Pure; knows nothing about models or processes.
import type { Priority } from '../../contract.ts';

/** Share of the device under contention, in proportion. */
export const WEIGHTS: Readonly<Record<Priority, number>> = { interactive: 4, normal: 2, batch: 1 };

/** Requests of one tenant and priority for one model. */
export interface FlowView {
  readonly name: string;
  readonly weight: number;
  /** Device time it has used over its weight, in ms, on the clock that all flows share; that of its running requests as foreseen. */
  readonly served: number;
  /** Ids of its waiting requests, oldest first, and the sequences that each makes. */
  readonly waiting: readonly { readonly id: number; readonly sequences: number }[];
  /** Sequences of it that run. */
  readonly running: number;
  /** Requests of it that run and have made no token yet: their prompts stand before everybody's in the model's process. */
  readonly starting: number;
  /** Most sequences that it had under way or waiting at once lately; 0: it was not there lately. */
  readonly recentPeak: number;
}

export interface LaneView {
  readonly flows: readonly FlowView[];
  /** Sequences that the model runs together. */
  readonly slots: number;
  /** Device time of one request, in ms, as measured lately. */
  readonly meanRequestMs: number;
}

/** Requests beyond the slots, for each so many of them, that wait in the model's process, so that a slot that comes free is taken at once; for one flow alone. */
const SLOTS_PER_LOOKAHEAD = 8;
/** Prompts of one flow that are computed while others are about: what a newcomer's prompt finds before it. */
const MOST_STARTING = 1;

/** Ids of all waiting requests in the order in which they would run if slots came free one by one. */
export function fairOrder({ flows, meanRequestMs }: Pick<LaneView, 'flows' | 'meanRequestMs'>): readonly number[] {
  const tags = flows.flatMap((flow) =>
    flow.waiting.map(({ id }, place) => ({ id, tag: flow.served + (place * meanRequestMs) / flow.weight })),
  );
  return tags.toSorted((a, b) => a.tag - b.tag || a.id - b.id).map(({ id }) => id);
}

/** The request that runs now, by its flow; null: none may. */
export function chooseNext(lane: LaneView): { readonly flow: string; readonly id: number } | null {
  const ready = lane.flows.filter((flow) => flow.waiting.length > 0 && mayRun(flow, lane));
  if (ready.length === 0) return null;
  const next = ready.reduce((least, flow) =>
    flow.served < least.served || (flow.served === least.served && idOf(flow) < idOf(least)) ? flow : least,
  );
  return { flow: next.name, id: idOf(next) };
}

/** Slots that others needed lately stay free for them, up to their share; a flow that is alone has them all, and some wait behind. */
function mayRun(flow: FlowView, { flows, slots }: LaneView): boolean {
  const running = flows.reduce((sum, { running: count }) => sum + count, 0);
  const others = flows.filter((other) => other !== flow && (other.recentPeak > 0 || other.running > 0));
  if (running === 0) return true;
  const sequences = flow.waiting[0]?.sequences ?? 1;
  if (others.length === 0) return running + sequences <= slots + Math.ceil(slots / SLOTS_PER_LOOKAHEAD);
  if (flow.starting >= MOST_STARTING) return false;
  const weights = others.reduce((sum, { weight }) => sum + weight, flow.weight);
  const kept = others.map((other) => {
    const share = Math.floor((slots * other.weight) / weights);
    return Math.max(0, Math.min(share, other.recentPeak) - other.running);
  });
  return running + sequences + kept.reduce((sum, count) => sum + count, 0) <= slots;
}

const idOf = (flow: FlowView): number => flow.waiting[0]?.id ?? Infinity;
