// Puts the models of upstreams beside those of another host, under the names `upstream/model`: whoever asks sees one host.
import type { RoutingSettings, UpstreamPrice } from '../../contract.ts';
import { EngineError, toWireError } from '../../errors.ts';
import type { EncodeRequest, Encoding, GenerateRequest, Generation, HostedModel, InferRequest, ModelHost } from '../../fleet/host.ts';
import type { Tensor } from '../../models/infer/tensors.ts';
import type { GenerateEvent, PromptInput } from '../../runner/protocol.ts';
import { upstreamBar } from '../target-book.ts';
import { findTarget, hostedTarget, type UpstreamTarget } from './hosted.ts';
import type { UpstreamSpending } from './spending.ts';
import { UpstreamCall } from './upstream-call.ts';

export interface UpstreamHostOptions {
  readonly host: ModelHost;
  readonly settings: () => RoutingSettings;
  /** Of an upstream's model, by its full name. */
  readonly price: (target: string) => UpstreamPrice | undefined;
  /** @throws EngineError `upstream_failed` when it cannot be decrypted */
  readonly keyOf: (upstream: string) => string | null;
  readonly spending: UpstreamSpending;
  /** 0 to 1. Default: `Math.random`. */
  readonly random?: () => number;
}

const ASKED = { phase: 'prefill', position: null, etaMs: null } as const;

export class UpstreamHost implements ModelHost {
  readonly #options: Required<UpstreamHostOptions>;
  /** Reserved of each key's budget by requests under way, in USD. */
  readonly #reserved = new Map<string, number>();
  readonly #open = new Set<UpstreamCall>();
  /** Those that no request reaches. */
  readonly #cut = new Set<string>();

  constructor(options: UpstreamHostOptions) {
    this.#options = { random: Math.random, ...options };
  }

  list(): readonly HostedModel[] {
    const { host, settings } = this.#options;
    const targets = settings().upstreams.flatMap((upstream) => upstream.models.map((model) => hostedTarget({ upstream, model })));
    return [...host.list(), ...targets];
  }

  get(model: string): HostedModel | undefined {
    const installed = this.#options.host.get(model);
    if (installed !== undefined) return installed;
    const target = this.#find(model);
    return target && hostedTarget(target);
  }

  generate(request: GenerateRequest, onEvent: (event: GenerateEvent) => void): Generation {
    const { host } = this.#options;
    const target = host.get(request.model) === undefined ? this.#find(request.model) : undefined;
    if (target === undefined) return host.generate(request, onEvent);
    const call = this.#call(target, request, onEvent);
    this.#open.add(call);
    queueMicrotask(() => void call.run().finally(() => this.#open.delete(call)));
    return { cancel: () => call.cancel(), progress: () => ASKED };
  }

  encode(request: EncodeRequest, signal: AbortSignal): Promise<Encoding> {
    return this.#options.host.encode(request, signal);
  }

  infer(request: InferRequest, signal: AbortSignal): Promise<readonly Tensor[]> {
    return this.#options.host.infer(request, signal);
  }

  tokenize(model: string, prompt: PromptInput): Promise<readonly number[]> {
    return this.#options.host.tokenize(model, prompt);
  }

  /** Requests to it fail as when it cannot be reached, until the returned function is called. */
  cut(upstream: string): () => void {
    this.#cut.add(upstream);
    return () => this.#cut.delete(upstream);
  }

  /** Ends every call. */
  close(): void {
    for (const call of this.#open) call.cancel();
  }

  #find(name: string): UpstreamTarget | undefined {
    return findTarget(name, this.#options.settings().upstreams);
  }

  #call(target: UpstreamTarget, request: GenerateRequest, onEvent: (event: GenerateEvent) => void): UpstreamCall {
    const { settings, price, keyOf, spending, random } = this.#options;
    return new UpstreamCall({
      target,
      request,
      price: price(request.model),
      refusal: upstreamBar(settings(), request.caller),
      isCut: this.#cut.has(target.upstream.name),
      keyOf,
      reserve: (usd) => this.#reserve(request, usd, spending),
      random,
      onEvent,
      onError: (error) => onEvent({ kind: 'error', id: 0, error: toWireError(error) }),
    });
  }

  /** Of the month's cap and of the key's own budget. @throws EngineError `insufficient_quota` */
  async #reserve({ caller }: GenerateRequest, usd: number, spending: UpstreamSpending): Promise<(spentUsd: number) => void> {
    const keyId = caller?.keyId ?? '';
    const taken = this.#reserved.get(keyId) ?? 0;
    const leftUsd = (caller?.upstreamUsdLeft ?? Infinity) - taken;
    if (usd > leftUsd) throw overBudget(`the budget of the API key has ${money(Math.max(0, leftUsd))} left`, usd);
    this.#reserved.set(keyId, taken + usd);
    const release = (): void => void this.#reserved.set(keyId, Math.max(0, (this.#reserved.get(keyId) ?? 0) - usd));
    try {
      const answer = await spending.reserve(usd, this.#options.settings().upstreamMonthlyUsd);
      if (answer.kind === 'refused') throw overBudget(`this month’s cap on upstreams has ${money(answer.leftUsd)} left`, usd);
      return (spentUsd) => {
        release();
        answer.reservation.settle(spentUsd);
      };
    } catch (cause) {
      release();
      throw cause;
    }
  }
}

function overBudget(what: string, usd: number): EngineError {
  return new EngineError('insufficient_quota', `The answer could cost ${money(usd)}, and ${what}. A lower max_tokens costs less.`);
}

const money = (usd: number): string => `$${usd.toFixed(usd < 0.01 ? 5 : 2)}`;
