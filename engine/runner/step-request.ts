// Owns the step from a plan to what a session runs: tokens, past lengths, rows. Pads the slots that take no part.
import { bug } from '../errors.ts';
import type { StepRequest } from './decoder-session.ts';
import type { KvSlots } from './kv-slots.ts';
import type { StepPlan } from './plan-step.ts';
import type { Sequence } from './sequence.ts';

/** A step as it is run, with what is needed to make sense of its rows. */
export interface PlannedStep {
  readonly kind: 'decode' | 'prefill' | 'verify';
  readonly request: StepRequest;
  /** Those that take part, and their slots. */
  readonly sequences: readonly Sequence[];
  readonly slots: readonly number[];
  /** Tokens computed for the (only) sequence of a prefill or a verification. */
  readonly newTokens: number;
  /** Guesses behind the last token. */
  readonly draft: readonly number[];
}

/** One new token for each sequence of the range that waits for one; one row each. */
export function decodeStep(slots: KvSlots, { first, count }: Extract<StepPlan, { kind: 'decode' }>): PlannedStep {
  const tokens = new Int32Array(count);
  const pastLengths = new Int32Array(count);
  const rows: number[] = [];
  const sequences: Sequence[] = [];
  for (let row = 0; row < count; row++) {
    const slot = first + row;
    const sequence = slots.owner(slot);
    const length = slots.length(slot);
    if (sequence === null || sequence.tokens.length - length !== 1) {
      pastLengths[row] = slots.paddingPosition(slot);
      continue;
    }
    slots.prepare(slot, length + 1);
    pastLengths[row] = length;
    tokens[row] = sequence.tokens.at(length);
    rows.push(row);
    sequences.push(sequence);
  }
  const inverseTemperatures = Float32Array.from(sequences, (sequence) => sequence.sampler.inverseTemperature);
  const request = { firstSlot: first, tokens, pastLengths, rows: Int32Array.from(rows), inverseTemperatures };
  return { kind: 'decode', request, sequences, slots: rows.map((row) => first + row), newTokens: 1, draft: [] };
}

/** Several tokens of one sequence; the row of the last one, or of all when the prompt's log-probabilities are wanted. */
export function prefillStep(slots: KvSlots, { slot, from, to }: Extract<StepPlan, { kind: 'prefill' }>): PlannedStep {
  const sequence = slots.owner(slot) ?? bug(`Slot ${slot} has no sequence to prefill.`);
  const tokens = sequence.tokens.view(from, to).slice();
  const rows = sequence.owesPromptLogprobs ? Int32Array.from(tokens.keys()) : Int32Array.of(tokens.length - 1);
  slots.prepare(slot, to);
  return { ...singleStep({ sequence, slot, from, tokens, rows }), kind: 'prefill', draft: [] };
}

/** The last token and guesses for those after it; all rows. */
export function verifyStep(slots: KvSlots, { slot, draft }: Extract<StepPlan, { kind: 'verify' }>): PlannedStep {
  const sequence = slots.owner(slot) ?? bug(`Slot ${slot} has no sequence to verify.`);
  const from = slots.length(slot);
  const tokens = Int32Array.of(sequence.tokens.at(from), ...draft);
  slots.prepare(slot, from + tokens.length);
  return { ...singleStep({ sequence, slot, from, tokens, rows: Int32Array.from(tokens.keys()) }), kind: 'verify', draft };
}

function singleStep(part: {
  sequence: Sequence;
  slot: number;
  from: number;
  tokens: Int32Array;
  rows: Int32Array;
}): Omit<PlannedStep, 'kind' | 'draft'> {
  const { sequence, slot, from, tokens, rows } = part;
  const inverseTemperatures = new Float32Array(rows.length).fill(sequence.sampler.inverseTemperature);
  const request = { firstSlot: slot, tokens, pastLengths: Int32Array.of(from), rows, inverseTemperatures };
  return { request, sequences: [sequence], slots: [slot], newTokens: tokens.length };
}
