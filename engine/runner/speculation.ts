// Owns drafting by prompt look-up (Saxena 2023, github.com/apoorvumang/prompt-lookup-decoding): what followed the last time these
// tokens stood here may follow again. How much is drafted follows from how often the guesses were right.
import type { Sequence } from './sequence.ts';
import type { PlannedStep } from './step-request.ts';

const LONGEST_PATTERN = 3;
const SHORTEST_PATTERN = 2;
const MAX_DRAFT = 8;
/** Cost of a step that verifies k guesses, in one-token steps: 1 + base + k · each. Measured: 0.05 + 0.11k at 8 bits, 0.02 + 0.14k at 4. */
const VERIFY_COST = { base: 0.05, each: 0.13 };
const FIRST_ACCEPTANCE = 0.5;
/** Weight of the newest step in a sequence's acceptance. */
const LEARNING_RATE = 0.2;
/** A sequence whose guesses do not pay is given one guess again after this many steps: texts change. */
const RETRY_STEPS = 16;

interface Record {
  /** Chance that a guess is right when those before it were. */
  acceptance: number;
  stepsWithout: number;
}

export class Drafter {
  readonly #records = new WeakMap<Sequence, Record>();

  /** Guesses for the tokens after the sequence's last one; never more than it may still make. Empty: none that pay. */
  draft(sequence: Sequence): readonly number[] {
    const record = this.#recordOf(sequence);
    const paying = draftLength(record.acceptance);
    const count = paying === 0 && record.stepsWithout >= RETRY_STEPS ? 1 : paying;
    record.stepsWithout++;
    const forced = sequence.grammar?.forcedTokens(Math.min(MAX_DRAFT, sequence.remaining - 1)) ?? [];
    if (forced.length > 0) return forced;
    return lookUp(sequence.tokens.view(), Math.min(count, sequence.remaining - 1));
  }

  /** Takes the outcome of a verified step into account. */
  learn({ draft, sequences, request }: PlannedStep): void {
    const [sequence] = sequences;
    if (sequence === undefined || draft.length === 0) return;
    const from = (request.pastLengths[0] ?? 0) + 1;
    const wrong = draft.findIndex((guess, place) => sequence.tokens.view()[from + place] !== guess);
    const right = wrong < 0 ? draft.length : wrong;
    const record = this.#recordOf(sequence);
    record.stepsWithout = 0;
    record.acceptance += LEARNING_RATE * (right / Math.min(right + 1, draft.length) - record.acceptance);
  }

  #recordOf(sequence: Sequence): Record {
    const known = this.#records.get(sequence) ?? { acceptance: FIRST_ACCEPTANCE, stepsWithout: 0 };
    this.#records.set(sequence, known);
    return known;
  }
}

/** The number of guesses that makes most tokens for its cost, when each is right with this chance; 0 when none pays. */
export function draftLength(acceptance: number): number {
  let best = { count: 0, gain: 1 };
  let tokens = 1;
  for (let count = 1; count <= MAX_DRAFT; count++) {
    tokens += acceptance ** count;
    const gain = tokens / (1 + VERIFY_COST.base + count * VERIFY_COST.each);
    if (gain > best.gain) best = { count, gain };
  }
  return best.count;
}

/**
 * `count` tokens as they followed the latest earlier place where the last 3 (else 2) tokens stood; empty when there is none. What
 * followed may run into the end: it then repeats itself, as the text does.
 */
export function lookUp(tokens: Int32Array, count: number): readonly number[] {
  for (let length = LONGEST_PATTERN; length >= SHORTEST_PATTERN && count > 0; length--) {
    const end = findEarlier(tokens, length);
    if (end === null) continue;
    const draft: number[] = [];
    for (let i = 0; i < count; i++) draft.push(tokens[end + i] ?? draft[end + i - tokens.length] ?? 0);
    return draft;
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
