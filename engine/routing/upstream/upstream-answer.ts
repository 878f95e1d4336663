// Owns one answer of an upstream as it comes in: turns pieces of the wire into events, and knows what it has cost.
// Knows nothing about HTTP.
import type { UpstreamPrice } from '../../contract.ts';
import { EngineError } from '../../errors.ts';
import type { GenerateRequest } from '../../fleet/host.ts';
import type { GenerateEvent, Usage } from '../../runner/protocol.ts';
import { foreseenPromptTokens } from '../request-facts.ts';
import type { WirePiece } from './wire.ts';

/** The ids of an upstream's tokens mean nothing here. */
const FOREIGN_TOKEN = [-1];
const CHARS_PER_TOKEN = 4;
/** An answer far longer than it may be is none. */
const MOST_CHARS_PER_TOKEN = 256;
/** Beside the text of a message: its role and marks, generously. */
const MESSAGE_TOKENS = 32;

export interface UpstreamAnswerOptions {
  readonly request: GenerateRequest;
  readonly maxTokens: number;
  readonly price: UpstreamPrice;
  readonly onEvent: (event: GenerateEvent) => void;
  /** Monotonic, ms. */
  readonly clock: () => number;
}

export class UpstreamAnswer {
  readonly #options: UpstreamAnswerOptions;
  readonly #askedMs: number;
  #firstMs: number | null = null;
  #chars = 0;
  #deltas = 0;
  readonly #finished = new Set<number>();
  #isWhole = false;
  #usage: { promptTokens: number | null; cachedTokens: number | null; completionTokens: number | null } = {
    promptTokens: null,
    cachedTokens: null,
    completionTokens: null,
  };

  constructor(options: UpstreamAnswerOptions) {
    this.#options = options;
    this.#askedMs = options.clock();
  }

  /** Whether anything has been said. */
  get hasBegun(): boolean {
    return this.#firstMs !== null;
  }

  /** @throws EngineError `upstream_failed` for an answer without an end */
  take(piece: WirePiece): void {
    const { request, maxTokens } = this.#options;
    this.#note(piece);
    for (const { choice, text } of piece.texts) {
      this.#begin();
      this.#chars += text.length;
      this.#deltas += 1;
      this.#options.onEvent({ kind: 'text', id: 0, choice, text, tokens: FOREIGN_TOKEN, logprobs: null });
    }
    if (this.#chars > maxTokens * request.params.n * MOST_CHARS_PER_TOKEN + 2 ** 20)
      throw new EngineError('upstream_failed', 'The upstream does not end its answer.');
    for (const { choice, reason, stopString } of piece.finishes) {
      if (this.#finished.has(choice)) continue;
      this.#begin();
      this.#finished.add(choice);
      this.#options.onEvent({ kind: 'finish', id: 0, choice, reason, stopString });
    }
    this.#isWhole ||= piece.isEnd;
  }

  /** The stream is over. @throws EngineError `upstream_failed` when it was cut off */
  end(): void {
    const { request, onEvent, clock } = this.#options;
    if (this.#finished.size < request.params.n) throw new EngineError('upstream_failed', 'The upstream ended in the middle of its answer.');
    const firstMs = this.#firstMs ?? clock();
    const timings = {
      queueMs: 0,
      prefillMs: firstMs - this.#askedMs,
      decodeMs: clock() - firstMs,
      meanBatch: 1,
      draftedTokens: 0,
      acceptedTokens: 0,
      deviceMs: 0,
    };
    onEvent({ kind: 'done', id: 0, usage: this.usage(), timings });
  }

  /** As the upstream counts, else by length. */
  usage(): Usage {
    const { promptTokens, cachedTokens, completionTokens } = this.#usage;
    return {
      promptTokens: promptTokens ?? foreseenPromptTokens(this.#options.request.prompt),
      cachedTokens: cachedTokens ?? 0,
      completionTokens: completionTokens ?? Math.max(this.#deltas, Math.ceil(this.#chars / CHARS_PER_TOKEN)),
    };
  }

  /** By the price list. */
  usd(): number {
    const { promptTokens, completionTokens } = this.usage();
    return priced(promptTokens, completionTokens, this.#options.price);
  }

  /** What it cost at most: the upstream's own count once the answer is whole. */
  mostUsd(): number {
    const { request, maxTokens, price } = this.#options;
    return this.#isWhole && this.#usage.completionTokens !== null ? this.usd() : mostUsd(request, maxTokens, price);
  }

  #begin(): void {
    if (this.#firstMs !== null) return;
    this.#firstMs = this.#options.clock();
    const { promptTokens, cachedTokens } = this.usage();
    this.#options.onEvent({ kind: 'started', id: 0, promptTokens, cachedTokens, promptLogprobs: null });
  }

  #note({ promptTokens, cachedTokens, completionTokens }: WirePiece): void {
    this.#usage = {
      promptTokens: promptTokens ?? this.#usage.promptTokens,
      cachedTokens: cachedTokens ?? this.#usage.cachedTokens,
      completionTokens: completionTokens ?? this.#usage.completionTokens,
    };
  }
}

/** A token is at least one byte of the text: no tokenizer makes more of it. */
export function mostUsd({ prompt, params }: GenerateRequest, maxTokens: number, price: UpstreamPrice): number {
  return priced(mostPromptTokens(prompt), maxTokens * params.n, price);
}

function mostPromptTokens(prompt: GenerateRequest['prompt']): number {
  if (prompt.kind === 'tokens') return prompt.tokens.length;
  if (prompt.kind === 'text') return Buffer.byteLength(prompt.text) + MESSAGE_TOKENS;
  return prompt.messages.reduce((sum, { content }) => sum + Buffer.byteLength(content) + MESSAGE_TOKENS, MESSAGE_TOKENS);
}

function priced(promptTokens: number, completionTokens: number, price: UpstreamPrice): number {
  return (promptTokens * price.promptUsdPerMillion + completionTokens * price.completionUsdPerMillion) / 1e6;
}
