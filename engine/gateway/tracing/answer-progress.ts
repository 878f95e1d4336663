// Owns how far the answer of one request is: tokens and times over all of its prompts and choices, in bounded memory.
// Knows nothing about HTTP; times are milliseconds of a monotonic clock, the caller's.
import type { Encoding } from '../../fleet/host.ts';
import type { GenerateEvent } from '../../runner/protocol.ts';
import { LatencyHistogram } from './latency-histogram.ts';

/** More than one prompt can have (limits.ts). */
const MOST_CHOICES = 65_536;

interface PromptProgress {
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
  startedMs: number;
  /** The three below come with its end. */
  prefillMs: number | null;
  decodeMs: number;
  meanBatch: number;
}

export interface AnswerTokens {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
}

export class AnswerProgress {
  readonly #prompts = new Map<number, PromptProgress>();
  readonly #lastTextMs = new Map<number, number>();
  readonly interToken = new LatencyHistogram();
  /** When the first text of any choice was there; not taken back when a prompt begins again, since nothing was sent then. */
  #firstTextMs: number | null = null;

  take(prompt: number, event: GenerateEvent, nowMs: number): void {
    switch (event.kind) {
      case 'started':
        return this.#start(prompt, event, nowMs);
      case 'text':
        return this.#text(prompt, event, nowMs);
      case 'done':
        return this.#done(prompt, event);
      default:
        return;
    }
  }

  /** The tokens of texts that were encoded; they have no answer in tokens. */
  encoded({ tokens, cachedTokens = 0 }: Pick<Encoding, 'tokens' | 'cachedTokens'>, nowMs: number): void {
    const promptTokens = tokens.reduce((sum, one) => sum + one, 0);
    this.#prompts.set(0, { ...EMPTY, promptTokens, cachedTokens, startedMs: nowMs });
  }

  get firstTextMs(): number | null {
    return this.#firstTextMs;
  }

  /** Whether any prompt has been computed. */
  get hasStarted(): boolean {
    return this.#prompts.size > 0;
  }

  get tokens(): AnswerTokens {
    let [promptTokens, cachedTokens, completionTokens] = [0, 0, 0];
    for (const prompt of this.#prompts.values()) {
      promptTokens += prompt.promptTokens;
      cachedTokens += prompt.cachedTokens;
      completionTokens += prompt.completionTokens;
    }
    return { promptTokens, cachedTokens, completionTokens };
  }

  /** Of the prompt that was computed first: when that ended, and how long it took; nulls while unknown. */
  get firstPrompt(): { readonly startedMs: number | null; readonly prefillMs: number | null } {
    const [first] = [...this.#prompts.values()].sort((a, b) => a.startedMs - b.startedMs);
    return { startedMs: first?.startedMs ?? null, prefillMs: first?.prefillMs ?? null };
  }

  /** Sequences in the decode steps it took part in, weighed by their time; null before a prompt is done. */
  get meanBatch(): number | null {
    const done = [...this.#prompts.values()].filter(({ prefillMs, meanBatch }) => prefillMs !== null && meanBatch > 0);
    const weight = done.reduce((sum, { decodeMs }) => sum + decodeMs, 0);
    if (done.length === 0) return null;
    if (weight === 0) return done.reduce((sum, { meanBatch }) => sum + meanBatch, 0) / done.length;
    return done.reduce((sum, { meanBatch, decodeMs }) => sum + meanBatch * decodeMs, 0) / weight;
  }

  #start(prompt: number, event: Extract<GenerateEvent, { kind: 'started' }>, startedMs: number): void {
    const { promptTokens, cachedTokens } = event;
    this.#prompts.set(prompt, { ...EMPTY, promptTokens, cachedTokens, startedMs });
  }

  /** Several tokens at once share the time since the last ones. */
  #text(prompt: number, { choice, tokens }: Extract<GenerateEvent, { kind: 'text' }>, nowMs: number): void {
    this.#firstTextMs ??= nowMs;
    if (tokens.length === 0) return;
    const progress = this.#prompts.get(prompt);
    if (progress !== undefined) progress.completionTokens += tokens.length;
    const place = prompt * MOST_CHOICES + choice;
    const lastMs = this.#lastTextMs.get(place);
    if (lastMs !== undefined) this.interToken.add((nowMs - lastMs) / tokens.length, tokens.length);
    this.#lastTextMs.set(place, nowMs);
  }

  /** The runner's own count replaces ours: tokens that end an answer are no text. */
  #done(prompt: number, { usage, timings }: Extract<GenerateEvent, { kind: 'done' }>): void {
    const progress = this.#prompts.get(prompt);
    if (progress === undefined) return;
    const { prefillMs, decodeMs, meanBatch } = timings;
    Object.assign(progress, { ...usage, prefillMs, decodeMs, meanBatch } satisfies Partial<PromptProgress>);
  }
}

const EMPTY = { promptTokens: 0, cachedTokens: 0, completionTokens: 0, startedMs: 0, prefillMs: null, decodeMs: 0, meanBatch: 0 } as const;
