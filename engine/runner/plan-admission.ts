// Owns the choice of a slot for the next sequence and of the KV it can reuse. Pure.
import type { SlotView, WaitingView } from './plan-step.ts';

/** Shorter common beginnings are not worth a copy or a slot. */
const MIN_PREFIX_TOKENS = 16;

export interface Admission {
  readonly kind: 'admit';
  readonly slot: number;
  /** Where the KV of the first `tokens` comes from: the slot itself, or another to copy from; null: computed anew. */
  readonly reuse: { readonly from: number; readonly tokens: number } | null;
  readonly reason: string;
}

/**
 * The slot for the head of the queue, or null while every slot runs. The longest common prefix wins, running sequences' included. Its
 * slot is taken over when the newcomer continues most of it; otherwise (a shared beginning) it is copied and stays for others.
 */
export function planAdmission(slots: readonly SlotView[], waiting: WaitingView): Admission | null {
  const source = longestPrefix(slots, waiting);
  if (source !== null && source.kind === 'kept' && source.tokens * 2 >= source.length) {
    return {
      kind: 'admit',
      slot: source.index,
      reuse: { from: source.index, tokens: source.tokens },
      reason: `continues ${source.tokens} tokens in place`,
    };
  }
  const target = nearestEmpty(slots) ?? leastRecentlyUsed(slots, source?.index ?? -1);
  if (target === null) return null;
  return source === null
    ? { kind: 'admit', slot: target, reuse: null, reason: 'nothing to reuse' }
    : { kind: 'admit', slot: target, reuse: { from: source.index, tokens: source.tokens }, reason: `copies ${source.tokens} tokens` };
}

function longestPrefix(
  slots: readonly SlotView[],
  waiting: WaitingView,
): { index: number; kind: SlotView['kind']; tokens: number; length: number } | null {
  let best = null;
  for (const slot of slots) {
    const tokens = waiting.prefixes[slot.index] ?? 0;
    if (slot.kind === 'empty' || tokens < MIN_PREFIX_TOKENS) continue;
    // Of equals, one that is not running can be taken over.
    if (best === null || tokens > best.tokens || (tokens === best.tokens && slot.kind === 'kept')) {
      best = { index: slot.index, kind: slot.kind, tokens, length: slot.length };
    }
  }
  return best;
}

/** An empty slot inside or next to the range of those that run, so that decode steps stay dense. */
function nearestEmpty(slots: readonly SlotView[]): number | null {
  const running = slots.filter((slot) => slot.kind === 'running').map((slot) => slot.index);
  const [first, last] = running.length === 0 ? [0, 0] : [Math.min(...running), Math.max(...running)];
  const distance = (index: number): number => Math.max(0, first - index, index - last);
  const empty = slots.filter((slot) => slot.kind === 'empty').map((slot) => slot.index);
  return empty.sort((a, b) => distance(a) - distance(b) || a - b)[0] ?? null;
}

/** The source of a copy goes last: if nothing else is left it is taken over. */
function leastRecentlyUsed(slots: readonly SlotView[], source: number): number | null {
  const kept = slots.filter((slot) => slot.kind === 'kept');
  kept.sort((a, b) => Number(a.index === source) - Number(b.index === source) || a.lastUsed - b.lastUsed);
  return kept[0]?.index ?? null;
}
