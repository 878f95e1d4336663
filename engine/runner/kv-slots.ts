// Owns the KV slots: which sequence runs in each, which tokens' KV it holds, what finished sequences leave for reuse, and how much
// memory is committed. Knows nothing about requests' order or text.
import type { SlotUse } from '../contract.ts';
import { bug } from '../errors.ts';
import type { DecoderSession } from './decoder-session.ts';
import type { SlotView } from './plan-step.ts';
import type { Sequence } from './sequence.ts';
import type { TokenBuffer } from './token-buffer.ts';

/** The last tokens of a prompt are always recomputed: chunks of two and more agree bit for bit, a single token does not. */
const RECOMPUTED_TOKENS = 2;

interface Slot {
  readonly index: number;
  owner: Sequence | null;
  /** Tokens whose KV the slot holds: the first `length` of `content`. */
  content: TokenBuffer | null;
  length: number;
  /** Tokens of KV whose memory is committed, by whole pages. */
  committed: number;
  lastUsed: number;
}

export class KvSlots {
  readonly #session: DecoderSession;
  readonly #budgetTokens: number;
  readonly #slots: readonly Slot[];
  #uses = 0;

  constructor(session: DecoderSession, budgetTokens: number) {
    this.#session = session;
    this.#budgetTokens = budgetTokens;
    this.#slots = Array.from({ length: session.slotCount }, (_, index) => ({
      index,
      owner: null,
      content: null,
      length: 0,
      committed: 0,
      lastUsed: 0,
    }));
  }

  view(): readonly SlotView[] {
    return this.#slots.map(({ index, owner, length, lastUsed }) => {
      if (owner !== null)
        return { kind: 'running', index, length, total: owner.tokens.length, order: owner.order, remaining: owner.remaining };
      return length === 0 ? { kind: 'empty', index } : { kind: 'kept', index, length, lastUsed };
    });
  }

  /** Each slot as a screen shows it; what a free one still holds can be reused. */
  use(): readonly SlotUse[] {
    return this.#slots.map(({ owner, length }) => {
      if (owner === null) return { phase: 'free', usedTokens: length };
      return { phase: owner.tokens.length - length > 1 ? 'prefill' : 'decode', usedTokens: length };
    });
  }

  get usedTokens(): number {
    return this.#slots.reduce((sum, slot) => sum + slot.length, 0);
  }

  get committedTokens(): number {
    return this.#slots.reduce((sum, slot) => sum + slot.committed, 0);
  }

  get runningCount(): number {
    return this.#slots.filter((slot) => slot.owner !== null).length;
  }

  /** The sequence in a slot. */
  owner(index: number): Sequence | null {
    return this.#slot(index).owner;
  }

  /** Tokens computed in a slot. */
  length(index: number): number {
    return this.#slot(index).length;
  }

  /** For each slot: how many of the sequence's tokens need not be computed. */
  prefixes(sequence: Sequence): readonly number[] {
    const limit = sequence.reusesPrefix ? sequence.tokens.length - RECOMPUTED_TOKENS : 0;
    return this.#slots.map(({ content, length }) =>
      content === null || limit <= 0 ? 0 : sequence.tokens.commonPrefix(content, Math.min(length, limit)),
    );
  }

  /** Gives a slot that does not run to a sequence, with the KV of its first tokens taken from a slot that holds them. */
  occupy(index: number, sequence: Sequence, reuse: { readonly from: number; readonly tokens: number } | null): void {
    const slot = this.#slot(index);
    if (slot.owner !== null) bug(`Slot ${index} is taken.`);
    if (reuse !== null && reuse.from !== index) this.#session.copyRows(reuse.from, index, reuse.tokens);
    slot.owner = sequence;
    slot.content = sequence.tokens;
    slot.length = reuse?.tokens ?? 0;
    this.#touch(slot);
    // After the copy: making room may evict the slot that was copied from.
    this.#reserve(slot, slot.length);
  }

  /** Ends a sequence's hold on its slot; the KV stays for reuse. */
  keep(index: number): void {
    this.#slot(index).owner = null;
    this.#touch(this.#slot(index));
  }

  /** Forgets a slot's KV and gives its memory back. */
  evict(index: number): void {
    const slot = this.#slot(index);
    slot.owner = null;
    slot.content = null;
    slot.length = 0;
    this.#trim(slot);
  }

  /** Gives back everything that no sequence runs on. */
  evictIdle(): void {
    for (const slot of this.#slots) if (slot.owner === null) this.evict(slot.index);
  }

  /** Moves a slot's sequence or kept prefix to an empty slot. */
  move(from: number, to: number): void {
    const [source, target] = [this.#slot(from), this.#slot(to)];
    if (target.owner !== null || target.length > 0) bug(`Slot ${to} is not empty.`);
    this.#session.copyRows(from, to, source.length);
    Object.assign(target, { owner: source.owner, content: source.content, length: source.length, lastUsed: source.lastUsed });
    Object.assign(source, { owner: null, content: null, length: 0 });
    this.#reserve(target, target.length);
  }

  /** Makes room for a step that writes up to position `length` of a slot. Call before the step. */
  prepare(index: number, length: number): void {
    this.#reserve(this.#slot(index), length);
  }

  /** Where a padded row may write in a slot that takes no part in a step: behind everything that is kept. */
  paddingPosition(index: number): number {
    const slot = this.#slot(index);
    slot.length = Math.min(slot.length, this.#session.capacity - 1);
    this.#reserve(slot, slot.length + 1);
    return slot.length;
  }

  /** The step has computed the KV of a slot's tokens up to `length`. */
  advance(index: number, length: number): void {
    const slot = this.#slot(index);
    slot.length = length;
    this.#touch(slot);
  }

  #slot(index: number): Slot {
    return this.#slots[index] ?? bug(`No slot ${index}.`);
  }

  #touch(slot: Slot): void {
    slot.lastUsed = ++this.#uses;
  }

  #reserve(slot: Slot, length: number): void {
    slot.committed = Math.max(slot.committed, this.#pages(length));
    if (this.committedTokens > this.#budgetTokens) this.#reclaim(slot);
  }

  /** First the memory that nobody uses, then the kept prefixes, the least recently used first. */
  #reclaim(needy: Slot): void {
    for (const slot of this.#slots) if (slot !== needy) this.#trim(slot);
    const kept = this.#slots
      .filter((slot) => slot.owner === null && slot.length > 0 && slot !== needy)
      .sort((a, b) => a.lastUsed - b.lastUsed);
    for (const slot of kept) {
      if (this.committedTokens <= this.#budgetTokens) return;
      this.evict(slot.index);
    }
  }

  #trim(slot: Slot): void {
    const used = this.#pages(slot.length);
    if (slot.committed <= used) return;
    this.#session.releaseRows(slot.index, used, Math.min(slot.committed, this.#session.capacity));
    slot.committed = used;
  }

  #pages(tokens: number): number {
    return Math.ceil(tokens / this.#session.tokensPerPage) * this.#session.tokensPerPage;
  }
}
