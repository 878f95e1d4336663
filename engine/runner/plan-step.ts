// Owns the decision what to do next: a pure function from slots and queue to one action with its reason.
// Knows nothing about memory, sessions or text. There is no prefill or decode phase: computed tokens catch up with the total.
import { planAdmission, type Admission } from './plan-admission.ts';
import { planCompaction, type Compaction } from './plan-compaction.ts';
import { chunkEnd } from './prefill-chunks.ts';

export type SlotView =
  | { readonly kind: 'empty'; readonly index: number }
  | {
      /** Holds a finished sequence's KV for reuse. */
      readonly kind: 'kept';
      readonly index: number;
      readonly length: number;
      /** Larger is more recent. */
      readonly lastUsed: number;
    }
  | {
      readonly kind: 'running';
      readonly index: number;
      /** Tokens whose KV is computed. */
      readonly length: number;
      /** Tokens the sequence has. */
      readonly total: number;
      /** Place in the order of arrival. */
      readonly order: number;
      /** Tokens it may still make. */
      readonly remaining: number;
    };

export type RunningSlot = Extract<SlotView, { kind: 'running' }>;

/** The sequence at the head of the queue. */
export interface WaitingView {
  readonly total: number;
  /** Tokens it has in common with each slot's content, by slot, already short of the end by the two that are always recomputed. */
  readonly prefixes: readonly number[];
}

export interface StepView {
  readonly slots: readonly SlotView[];
  readonly waiting: WaitingView | null;
  /** Tokens of KV that may be committed. */
  readonly budgetTokens: number;
  readonly tokensPerPage: number;
  readonly chunkTokens: number;
  /** The last step was a prefill chunk. */
  readonly justPrefilled: boolean;
  /** Guesses for the only running sequence's next tokens; empty: none. */
  readonly draft: readonly number[];
}

export type StepPlan =
  | { readonly kind: 'idle'; readonly reason: string }
  /** One token for every sequence in [first, first + count) that waits for one. */
  | { readonly kind: 'decode'; readonly first: number; readonly count: number; readonly reason: string }
  /** Tokens [from, to) of the sequence in a slot. */
  | { readonly kind: 'prefill'; readonly slot: number; readonly from: number; readonly to: number; readonly reason: string }
  /** The last token and the guesses after it, in one step. */
  | { readonly kind: 'verify'; readonly slot: number; readonly draft: readonly number[]; readonly reason: string }
  | Admission
  | { readonly kind: 'preempt'; readonly slot: number; readonly reason: string }
  | Compaction;

/** The next thing to do. Plans that run nothing (admit, preempt, move, evict) are applied and followed by another decision. */
export function planStep(view: StepView): StepPlan {
  const running = view.slots.filter((slot) => slot.kind === 'running');
  const ready = running.filter((slot) => slot.total - slot.length === 1);
  const prefill = ready.length === 0 || !view.justPrefilled ? planPrefill(view, running) : null;
  if (prefill !== null) return prefill;
  return ready.length === 0 ? { kind: 'idle', reason: 'no request' } : planDecode(view, running, ready);
}

/** Tokens of KV that a sequence takes, by whole pages. */
function claim(total: number, tokensPerPage: number): number {
  return Math.ceil(total / tokensPerPage) * tokensPerPage;
}

function planPrefill(view: StepView, running: readonly RunningSlot[]): StepPlan | null {
  const [oldest] = running.filter((slot) => slot.total - slot.length > 1).sort((a, b) => a.order - b.order);
  if (oldest !== undefined) {
    const to = chunkEnd(oldest.length, oldest.total, view.chunkTokens);
    return { kind: 'prefill', slot: oldest.index, from: oldest.length, to, reason: `chunk of ${to - oldest.length} tokens` };
  }
  if (view.waiting === null || !fits(view, running, view.waiting.total)) return null;
  return planAdmission(view.slots, view.waiting);
}

/** One page of growth for each sequence stays free, so that a newcomer is not sent back at once. */
function fits(view: StepView, running: readonly RunningSlot[], total: number): boolean {
  const claimed = running.reduce((sum, slot) => sum + claim(slot.total, view.tokensPerPage) + view.tokensPerPage, 0);
  return running.length === 0 || claimed + claim(total, view.tokensPerPage) + view.tokensPerPage <= view.budgetTokens;
}

function planDecode(view: StepView, running: readonly RunningSlot[], ready: readonly RunningSlot[]): StepPlan {
  const claimed = running.reduce((sum, slot) => sum + claim(slot.total, view.tokensPerPage), 0);
  if (claimed > view.budgetTokens && running.length > 1) {
    const youngest = running.reduce((a, b) => (b.order > a.order ? b : a));
    return {
      kind: 'preempt',
      slot: youngest.index,
      reason: `${claimed} tokens of KV wanted, ${view.budgetTokens} allowed; the youngest yields`,
    };
  }
  const compaction = view.waiting === null ? planCompaction(view.slots, ready) : null;
  if (compaction !== null) return compaction;
  const [only] = ready;
  if (only !== undefined && running.length === 1 && view.draft.length > 0) {
    return { kind: 'verify', slot: only.index, draft: view.draft, reason: `${view.draft.length} guesses` };
  }
  const first = Math.min(...ready.map((slot) => slot.index));
  const count = Math.max(...ready.map((slot) => slot.index)) + 1 - first;
  return { kind: 'decode', first, count, reason: `${ready.length} sequences in ${count} slots` };
}
