// Owns one request to an upstream from its budget to its last event; a fault before the answer began is tried once more.
import { setTimeout as delay } from 'node:timers/promises';
import type { UpstreamPrice, UpstreamSettings } from '../../contract.ts';
import { EngineError } from '../../errors.ts';
import type { GenerateRequest } from '../../fleet/host.ts';
import type { GenerateEvent } from '../../runner/protocol.ts';
import { ANTHROPIC } from './anthropic-wire.ts';
import type { UpstreamTarget } from './hosted.ts';
import { OPENAI } from './openai-wire.ts';
import { postStream } from './post-stream.ts';
import { mostUsd, UpstreamAnswer } from './upstream-answer.ts';
import type { Wire } from './wire.ts';

export interface UpstreamCallOptions {
  readonly target: UpstreamTarget;
  readonly request: GenerateRequest;
  readonly price: UpstreamPrice | undefined;
  /** Why this caller's prompts do not leave the machine; null: they may. */
  readonly refusal: string | null;
  /** No request reaches the upstream now. */
  readonly isCut: boolean;
  readonly keyOf: (upstream: string) => string | null;
  /** Returns how to settle. @throws EngineError `insufficient_quota` */
  readonly reserve: (usd: number) => Promise<(spentUsd: number) => void>;
  readonly random: () => number;
  readonly onEvent: (event: GenerateEvent) => void;
  readonly onError: (error: unknown) => void;
}

const WIRES: Readonly<Record<UpstreamSettings['api'], Wire>> = { openai: OPENAI, anthropic: ANTHROPIC };
const TRIES = 2;
const RETRY_MS = 200;

export class UpstreamCall {
  readonly #options: UpstreamCallOptions;
  readonly #ended = new AbortController();
  #mayCost = false;
  #isCharged = false;

  constructor(options: UpstreamCallOptions) {
    this.#options = options;
  }

  cancel(): void {
    this.#ended.abort(new Error('The client has gone.'));
  }

  /** Never rejects: how it ends is told in events, or by `onSettled` after a cancel. */
  async run(): Promise<void> {
    const { request, onError } = this.#options;
    try {
      await this.#ask();
    } catch (error) {
      if (!this.#ended.signal.aborted) return onError(error);
    }
    if (this.#ended.signal.aborted) request.onSettled?.();
  }

  async #ask(): Promise<void> {
    const { target, request, price, refusal, isCut, reserve } = this.#options;
    this.#ended.signal.throwIfAborted();
    if (refusal !== null) throw new EngineError('permission_denied', `${request.model} is an upstream model, and ${refusal}.`);
    if (isCut) throw new EngineError('upstream_failed', `${target.upstream.name} is cut off for a drill.`);
    if (price === undefined) throw new EngineError('upstream_failed', `${request.model} has no price in the settings.`);
    const maxTokens = request.params.maxTokens ?? target.model.maxTokens;
    const settle = await reserve(mostUsd(request, maxTokens, price));
    let [usd, mostSpentUsd] = [0, 0];
    try {
      for (let attempt = 1; ; attempt += 1) {
        const answer = new UpstreamAnswer({
          request,
          maxTokens,
          price,
          onEvent: this.#tellAfter(() => answer.usd()),
          clock: () => performance.now(),
        });
        try {
          return await this.#post(answer, maxTokens);
        } catch (error) {
          if (this.#mayCost || attempt === TRIES || !isWorthRetry(error)) throw error;
          await delay(RETRY_MS * (0.5 + this.#options.random()), undefined, { signal: this.#ended.signal });
        } finally {
          usd = answer.hasBegun ? answer.usd() : 0;
          mostSpentUsd = this.#mayCost ? answer.mostUsd() : 0;
        }
      }
    } finally {
      settle(mostSpentUsd);
      if (!this.#isCharged && usd > 0) request.onUpstreamUsd?.(usd);
    }
  }

  /** Events, the price before the last of them; none after a cancel. */
  #tellAfter(usd: () => number): (event: GenerateEvent) => void {
    const { request, onEvent } = this.#options;
    return (event) => {
      if (this.#ended.signal.aborted) return;
      if (event.kind === 'done') {
        this.#isCharged = true;
        request.onUpstreamUsd?.(usd());
      }
      onEvent(event);
    };
  }

  async #post(answer: UpstreamAnswer, maxTokens: number): Promise<void> {
    const { target, request, keyOf } = this.#options;
    const { upstream, model } = target;
    const wire = WIRES[upstream.api];
    const isContinued = request.prompt.kind === 'chat' && request.prompt.templateOptions['continue_final_message'] === true;
    const question = { request, model: model.name, key: keyOf(upstream.name), maxTokens, isContinued };
    const { path, headers, body } = wire.request(question);
    await postStream({
      baseUrl: upstream.baseUrl,
      path,
      headers,
      body,
      signal: this.#ended.signal,
      onCostly: (mayCost) => (this.#mayCost = mayCost),
      onEvent: (event) => answer.take(wire.read(event)),
    });
    answer.end();
  }
}

/** Not where the upstream says when to come back: another target is sooner. */
function isWorthRetry(error: unknown): boolean {
  return error instanceof EngineError && error.code === 'upstream_failed' && error.retryAfterSeconds === null;
}
