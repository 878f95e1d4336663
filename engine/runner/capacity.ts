// Owns how long a sequence and how many sequences a runner takes on: a pure function of the model, the options and the memory.
import { EngineError } from '../errors.ts';
import type { RunnerOptions } from './protocol.ts';

/** Slots that the default context length must leave room for. */
const DEFAULT_SLOTS = 4;
/** Most slots when none are asked for. */
const MAX_SLOTS = 16;
const MIN_CONTEXT_TOKENS = 16;

export interface Capacity {
  /** Tokens of one sequence, prompt and answer. */
  readonly contextLength: number;
  readonly slotCount: number;
  /** Tokens of KV that may be committed over all slots. */
  readonly budgetTokens: number;
}

/** @throws EngineError `insufficient_memory` when one sequence of the context asked for does not fit the budget */
export function planCapacity(
  options: Pick<RunnerOptions, 'contextLength' | 'slots' | 'kvBudgetBytes'>,
  model: { readonly trainedLength: number; readonly bytesPerToken: number },
): Capacity {
  const budgetTokens = Math.floor(options.kvBudgetBytes / model.bytesPerToken);
  const slots = options.slots ?? DEFAULT_SLOTS;
  const contextLength = options.contextLength ?? Math.min(model.trainedLength, Math.floor(budgetTokens / Math.min(slots, DEFAULT_SLOTS)));
  if (contextLength > budgetTokens || contextLength < MIN_CONTEXT_TOKENS) {
    const need = `One sequence of ${Math.max(contextLength, MIN_CONTEXT_TOKENS)} tokens needs more KV cache than the ${options.kvBudgetBytes} bytes allowed`;
    throw new EngineError('insufficient_memory', `${need}. Choose a shorter context (--ctx) or free memory.`);
  }
  return { contextLength, slotCount: options.slots ?? MAX_SLOTS, budgetTokens };
}
