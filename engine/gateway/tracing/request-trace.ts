// Owns what is known of one API request from its arrival to its record: who asked what, which model answers, how it goes, what it costs.
// Knows nothing about HTTP or where records go; `atMs` is wall time, every other time milliseconds of a monotonic clock.
import { UNKNOWN_TENANT, type Caller } from '../../access/caller.ts';
import type { CacheUse, LiveRequest, Outcome, RequestPhase } from '../../contract.ts';
import type { ErrorCode } from '../../errors.ts';
import type { GenerationProgress, HostedModel, RouteReport } from '../../fleet/host.ts';
import type { RequestRecord } from '../../ledger/ledger.ts';
import type { GenerateEvent } from '../../runner/protocol.ts';
import type { Accounting } from './accounting.ts';
import { AnswerProgress } from './answer-progress.ts';
import { RequestCost } from './request-cost.ts';

/** Of a client that went away before its answer had a status, as nginx logs it. */
const CLIENT_CLOSED = 499;

export interface Arrival {
  readonly id: string;
  readonly endpoint: string;
  readonly atMs: number;
  readonly arrivedMs: number;
}

/** The model that answers. */
export interface Answering {
  readonly model: HostedModel;
  /** The model as it is when this is called: it may be loaded by then. */
  readonly look: () => HostedModel | undefined;
  /** A request for rows instead of text has neither slots nor a first token. */
  readonly kind: 'generate' | 'encode';
}

export interface TraceEnd {
  readonly endedMs: number;
  /** What was sent; null when the client went away before that. */
  readonly status: number | null;
  /** Whether the whole answer left. */
  readonly whole: boolean;
}

export class RequestTrace {
  readonly arrival: Arrival;
  readonly progress = new AnswerProgress();
  readonly cost: RequestCost;
  readonly #accounting: Accounting;
  #modelAsked = '';
  #tenant = UNKNOWN_TENANT;
  #key: string | null = null;
  #streamed = false;
  #answering: Answering | null = null;
  #standing: () => GenerationProgress | null = () => null;
  /** When the model was asked. */
  #submittedMs: number | null = null;
  #lastWaitingMs: number | null = null;
  /** From arrival to slot, once it has begun; null where the host does not tell. */
  #waitedMs: number | null = null;
  #error: ErrorCode | null = null;
  #cache: CacheUse | null = null;
  #routeReason: string | null = null;

  constructor(arrival: Arrival, accounting: Accounting) {
    this.arrival = arrival;
    this.#accounting = accounting;
    this.cost = new RequestCost(accounting, () => this.#device ?? 'cpu');
  }

  /** What the body asks for, as far as it can be read. */
  asked(body: unknown): void {
    if (typeof body !== 'object' || body === null) return;
    if ('model' in body && typeof body.model === 'string') this.#modelAsked = body.model;
    this.#streamed = 'stream' in body && body.stream === true;
  }

  /** How the answer is delivered, where the body alone does not say. */
  delivers(how: { readonly streamed: boolean }): void {
    this.#streamed = how.streamed;
  }

  /** Who asks; without, it ended before that was known. */
  askedBy({ tenant, key }: Caller): void {
    this.#tenant = tenant;
    this.#key = key?.id ?? null;
  }

  answeredBy(answering: Answering): void {
    this.#answering = answering;
  }

  /** A model was chosen for it, or goes on with it. */
  routed({ model, reason }: RouteReport, look: () => HostedModel | undefined): void {
    this.#routeReason = reason;
    if (this.#answering !== null) this.#answering = { ...this.#answering, model, look };
  }

  /** How to ask where it stands in the queue of its model. */
  standsBy(standing: () => GenerationProgress | null, nowMs: number): void {
    this.#standing = standing;
    this.#submittedMs = nowMs;
  }

  /** An event of the prompt at this place of the request. */
  take(prompt: number, event: GenerateEvent, nowMs: number): void {
    this.progress.take(prompt, event, nowMs);
    // Asked while the host still knows; its standing is that of the first prompt.
    if (prompt === 0 && event.kind === 'started') this.#waitedMs = this.#toldWaitMs(this.#standing(), nowMs);
  }

  /** Where it stands; null before a model was asked. */
  standing(): GenerationProgress | null {
    return this.#standing();
  }

  /** What the response cache did for it. */
  cached(use: CacheUse): void {
    this.#cache = use;
  }

  failed(code: ErrorCode): void {
    this.#error = code;
  }

  get isWaiting(): boolean {
    const phase = this.#phase(this.#standing());
    return phase === 'queued' || phase === 'loading';
  }

  live(nowMs: number): LiveRequest {
    const { id, endpoint, arrivedMs } = this.arrival;
    const { firstTextMs, tokens, hasStarted } = this.progress;
    const standing = this.#standing();
    const phase = this.#phase(standing);
    if (phase === 'queued' || phase === 'loading') this.#lastWaitingMs = nowMs;
    return {
      id,
      tenant: this.#tenant,
      endpoint,
      modelAsked: this.#modelAsked,
      model: this.#model().model,
      routeReason: this.#routeReason,
      phase,
      position: standing?.position ?? null,
      etaMs: standing?.etaMs ?? null,
      ageMs: nowMs - arrivedMs,
      waitMs: this.#waitMs(standing, nowMs),
      ttftMs: sinceMs(arrivedMs, firstTextMs),
      promptTokens: hasStarted ? tokens.promptTokens : null,
      completionTokens: tokens.completionTokens,
      tokensPerSecond: rateOf(tokens.completionTokens, firstTextMs, nowMs),
      costUsd: this.cost.sum.energyUsd + this.cost.sum.hardwareUsd + this.cost.upstreamUsd,
    };
  }

  /** The record of the request, which is over: nothing is charged to it afterwards. */
  close(end: TraceEnd): RequestRecord {
    const { id, endpoint, atMs, arrivedMs } = this.arrival;
    const { interToken, firstTextMs, meanBatch, tokens } = this.progress;
    return {
      requestId: id,
      atMs,
      tenant: this.#tenant,
      key: this.#key,
      endpoint,
      streamed: this.#streamed,
      modelAsked: this.#modelAsked,
      ...this.#model(),
      routeReason: this.#routeReason,
      ...this.#waits(end.endedMs - arrivedMs),
      ttftMs: sinceMs(arrivedMs, firstTextMs),
      interTokenP50Ms: interToken.quantile(0.5),
      interTokenP99Ms: interToken.quantile(0.99),
      totalMs: end.endedMs - arrivedMs,
      ...tokens,
      meanBatch,
      cache: this.#cache,
      ...this.cost.close(),
      upstreamUsd: this.cost.upstreamUsd,
      premiumUsd: this.#premiumUsd(),
      status: end.status ?? CLIENT_CLOSED,
      outcome: this.#outcome(end),
      errorCode: this.#error,
    };
  }

  #outcome({ whole }: TraceEnd): Outcome {
    if (this.#error !== null) return 'error';
    return whole ? 'ok' : 'cancelled';
  }

  #model(): Pick<RequestRecord, 'model' | 'variant' | 'precision' | 'device'> {
    // A name that routes is no model yet.
    if (this.#answering === null || this.#answering.model.origin === 'route')
      return { model: null, variant: null, precision: null, device: null };
    const { manifest, variant } = this.#answering.model;
    return { model: manifest.id, variant, precision: manifest.variants[variant]?.precision ?? null, device: this.#device };
  }

  #waits(totalMs: number): Pick<RequestRecord, 'queueMs' | 'loadMs' | 'prefillMs'> {
    const { startedMs, prefillMs } = this.progress.firstPrompt;
    const isKnown = startedMs !== null && prefillMs !== null;
    // Where the host does not tell, the wait is what the prefill leaves of the time to the start.
    const queueMs = isKnown ? (this.#waitedMs ?? Math.max(0, startedMs - this.arrival.arrivedMs - prefillMs)) : null;
    return { queueMs, loadMs: this.#loadMs(queueMs ?? totalMs), prefillMs };
  }

  /** The same figure that its record will have, as soon as it has a slot. */
  #waitMs(standing: GenerationProgress | null, nowMs: number): number {
    return this.#waitedMs ?? this.#toldWaitMs(standing, nowMs) ?? (this.#lastWaitingMs ?? this.arrival.arrivedMs) - this.arrival.arrivedMs;
  }

  /** From arrival to slot as the host tells it; one that joined another's work has waited no longer than it has been there. */
  #toldWaitMs(standing: GenerationProgress | null, nowMs: number): number | null {
    const { arrivedMs } = this.arrival;
    if (standing?.waitedMs === undefined || this.#submittedMs === null) return null;
    return Math.min(nowMs, this.#submittedMs + standing.waitedMs) - arrivedMs;
  }

  /** How long its model was still loading after its arrival, within `mostMs`; null when the model is not there any more, or unknown. */
  #loadMs(mostMs: number): number | null {
    const state = this.#answering?.look()?.state;
    if (state?.kind !== 'ready' || state.sinceMs === undefined) return null;
    return Math.min(mostMs, Math.max(0, state.sinceMs - this.arrival.atMs));
  }

  /** Premium prices are for text; there is none for rows. */
  #premiumUsd(): number | null {
    if (this.#answering?.kind !== 'generate') return null;
    const { promptTokens, completionTokens } = this.progress.tokens;
    return this.#accounting.premiumUsd(promptTokens, completionTokens);
  }

  get #device(): string | null {
    const state = this.#answering?.look()?.state;
    return state?.kind === 'ready' ? state.info.device : null;
  }

  #phase(standing: GenerationProgress | null): RequestPhase {
    if (this.#answering?.kind === 'encode') return this.#answering.look()?.state.kind === 'ready' ? 'encode' : 'loading';
    if (this.progress.firstTextMs !== null) return 'decode';
    return standing?.phase ?? 'queued';
  }
}

function sinceMs(fromMs: number, toMs: number | null): number | null {
  return toMs === null ? null : toMs - fromMs;
}

function rateOf(tokens: number, firstTextMs: number | null, nowMs: number): number | null {
  if (firstTextMs === null || nowMs <= firstTextMs || tokens < 2) return null;
  return ((tokens - 1) * 1000) / (nowMs - firstTextMs);
}
