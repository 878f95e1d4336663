// Owns drafting by prompt look-up (Saxena 2023): what followed the last time these tokens stood here is likely to follow again.
// Pure but for one number, the acceptance seen lately, which sets how much is drafted.
import type { Sequence } from './sequence.ts';
import type { PlannedStep } from './step-request.ts';

const LONGEST_PATTERN = 3;
const SHORTEST_PATTERN = 2;
const MAX_DRAFT = 8;
/** Weight of the newest step in the acceptance seen lately. */
const LEARNING_RATE = 0.2;

export class Drafter {
  /** Share of drafted tokens that were right, lately. */
  #acceptance = 0.5;

  /** Guesses for the tokens after the sequence's last one; never more than it may still make. */
  draft({ tokens, remaining }: Sequence): readonly number[] {
    return lookUp(tokens.view(), Math.min(draftLength(this.#acceptance), remaining - 1));
  }

  /** Takes a verified step into account; its request's counters hold the outcome. */
  learn({ draft, sequences, request }: PlannedStep): void {
    const [sequence] = sequences;
    if (sequence === undefined || draft.length === 0) return;
    const from = (request.pastLengths[0] ?? 0) + 1;
    const right = draft.filter(
      (guess, place) => from + place < sequence.tokens.length && sequence.tokens.at(from + place) === guess,
    ).length;
    this.#acceptance += LEARNING_RATE * (right / draft.length - this.#acceptance);
  }
}

/** How many tokens to draft at this acceptance. Never 0: a wrong guess costs little, and without any nothing is learnt. */
export function draftLength(acceptance: number): number {
  return Math.max(1, Math.min(MAX_DRAFT, Math.round(1 / Math.max(0.05, 1 - acceptance)) + 1));
}

/** Up to `count` tokens that followed the latest earlier place where the last 3 (else 2) tokens stood; empty when there is none. */
export function lookUp(tokens: Int32Array, count: number): readonly number[] {
  for (let length = LONGEST_PATTERN; length >= SHORTEST_PATTERN && count > 0; length--) {
    const end = findEarlier(tokens, length);
    if (end !== null) return Array.from(tokens.subarray(end, end + count));
  }
  return [];
}

/** Where the latest earlier occurrence of the last `length` tokens ends. */
function findEarlier(tokens: Int32Array, length: number): number | null {
  for (let end = tokens.length - 1; end >= length; end--) {
    let same = 0;
    while (same < length && tokens[end - 1 - same] === tokens[tokens.length - 1 - same]) same++;
    if (same === length) return end;
  }
  return null;
}
