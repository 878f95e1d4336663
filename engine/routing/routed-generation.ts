// Owns one request on its way through targets: when one fails the next is asked, from the beginning as long as nothing was said,
// else to go on with what was said. Knows nothing about how targets are chosen.
import { toWireError, EngineError, type ErrorCode, type WireError } from '../errors.ts';
import type { CacheReport, GenerateRequest, Generation, GenerationProgress, ModelHost } from '../fleet/host.ts';
import type { GenerateEvent, Usage } from '../runner/protocol.ts';
import { continuationOf } from './continuation.ts';
import type { TargetOutcome } from './canary/canaries.ts';
import type { TargetStats } from './target-stats.ts';

export interface RoutedGenerationOptions {
  readonly host: Pick<ModelHost, 'generate'>;
  readonly request: GenerateRequest;
  /** Names of targets, in turn; at least one. */
  readonly targets: readonly string[];
  readonly stats: (target: string) => TargetStats;
  /** Whether the target can go on with an answer that another began. */
  readonly canContinue: (target: string) => boolean;
  /** The target's answer begins to be heard: again when another takes over. */
  readonly onAnswering: (target: string, how: { readonly isContinued: boolean; readonly failed: readonly FailedAttempt[] }) => void;
  /** A target was asked, or has ended so. */
  readonly onAttempt: (target: string, outcome: string, isContinued: boolean) => void;
  /** What a target's end tells about it; not for a cached answer, or an end that is none of its doing. */
  readonly onOutcome?: (target: string, outcome: TargetOutcome) => void;
  /** Whether another target may be asked once more, of all that the server may. */
  readonly mayRetry: () => boolean;
  readonly firstTokenTimeoutMs: number | null;
  /** What device time costs, in USD. */
  readonly deviceUsd: (deviceMs: number) => number;
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
}

export interface FailedAttempt {
  readonly target: string;
  readonly code: ErrorCode;
}

/** Faults of the request or of the whole server: no other target would do better. */
const FINAL: ReadonlySet<ErrorCode> = new Set(['draining', 'paused', 'invalid_request']);
/** Nothing is wrong with the target. */
const BLAMELESS: ReadonlySet<ErrorCode> = new Set([
  ...FINAL,
  'queue_full',
  'model_not_found',
  'context_length_exceeded',
  'template_failed',
  'unsupported_parameter',
  'permission_denied',
  'insufficient_quota',
]);

interface Attempt {
  readonly target: string;
  readonly isContinued: boolean;
  readonly startedMs: number;
  firstTextMs: number | null;
  started: Extract<GenerateEvent, { kind: 'started' }> | null;
  isComputed: boolean;
  /** Whose beginning was told. */
  isHeard: boolean;
  usd: number;
  generation: Generation | null;
  isOver: boolean;
}

const WAITING: GenerationProgress = { phase: 'queued', position: null, etaMs: null };

export class RoutedGeneration implements Generation {
  readonly #options: RoutedGenerationOptions;
  readonly #onEvent: (event: GenerateEvent) => void;
  readonly #failed: FailedAttempt[] = [];
  #attempt: Attempt | null = null;
  #place = 0;
  #timer: NodeJS.Timeout | null = null;
  #isHeard = false;
  /** Of the first choice, as it was delivered. */
  #text = '';
  #tokens = 0;
  /** Said by targets before the present one. */
  #before: Usage | null = null;
  #spentUsd = 0;

  constructor(options: RoutedGenerationOptions, onEvent: (event: GenerateEvent) => void) {
    this.#options = options;
    this.#onEvent = onEvent;
  }

  start(): this {
    this.#ask(this.#options.request, false);
    return this;
  }

  cancel(): void {
    this.#stopTimer();
    const attempt = this.#attempt;
    if (attempt === null || attempt.isOver) return;
    attempt.isOver = true;
    this.#statsOf(attempt).left(this.#options.now());
    this.#options.onAttempt(attempt.target, 'cancelled', attempt.isContinued);
    attempt.generation?.cancel();
  }

  /** What all targets that were asked have cost so far. */
  get spentUsd(): number {
    return this.#spentUsd;
  }

  progress(): GenerationProgress {
    return this.#attempt?.generation?.progress() ?? WAITING;
  }

  #statsOf({ target }: Attempt): TargetStats {
    return this.#options.stats(target);
  }

  #ask(request: GenerateRequest, isContinued: boolean): void {
    const { host, targets, now, onAttempt, stats } = this.#options;
    const target = targets[this.#place++] ?? request.model;
    const attempt: Attempt = {
      target,
      isContinued,
      startedMs: now(),
      firstTextMs: null,
      started: null,
      isComputed: true,
      isHeard: false,
      usd: 0,
      generation: null,
      isOver: false,
    };
    this.#attempt = attempt;
    stats(target).begin();
    onAttempt(target, 'asked', isContinued);
    this.#startTimer(attempt);
    const generation = host.generate(this.#asked(request, attempt), (event) => this.#take(attempt, event));
    attempt.generation = generation;
  }

  /** The request as one target gets it. */
  #asked(request: GenerateRequest, attempt: Attempt): GenerateRequest {
    const { onCharge, onUpstreamUsd, onSettled, cache } = request;
    const { deviceUsd } = this.#options;
    return {
      ...request,
      model: attempt.target,
      onCharge: (deviceMs) => {
        this.#spend(attempt, deviceUsd(deviceMs));
        onCharge?.(deviceMs);
      },
      onUpstreamUsd: (usd) => {
        this.#spend(attempt, usd);
        onUpstreamUsd?.(usd);
      },
      // A target that was left for another settles nothing: the request goes on.
      ...(onSettled && { onSettled: () => this.#attempt === attempt && onSettled() }),
      ...(cache && { cache: { ...cache, onUse: (report: CacheReport) => this.#cached(attempt, report, cache.onUse) } }),
    };
  }

  #spend(attempt: Attempt, usd: number): void {
    attempt.usd += usd;
    this.#spentUsd += usd;
  }

  #cached(attempt: Attempt, report: CacheReport, onUse: (report: CacheReport) => void): void {
    attempt.isComputed = report.use === 'miss' || report.use === 'bypass';
    onUse(report);
  }

  #take(attempt: Attempt, event: GenerateEvent): void {
    if (attempt.isOver) return;
    switch (event.kind) {
      case 'started':
        return this.#started(attempt, event);
      case 'error':
        return this.#failedWith(attempt, event.error);
      case 'done':
        return this.#done(attempt, event);
      case 'text':
      case 'finish':
        this.#speak(attempt);
        if (event.kind === 'text' && event.choice === 0) this.#said(event.text, event.tokens.length);
        return this.#onEvent(event);
    }
  }

  /** Held back until there is something to say where another target may begin instead until then. */
  #started(attempt: Attempt, event: Extract<GenerateEvent, { kind: 'started' }>): void {
    if (attempt.isContinued) return;
    attempt.started = event;
    [this.#text, this.#tokens] = ['', 0];
    if (this.#place >= this.#options.targets.length) return this.#hear(attempt);
    // The host has begun again by itself.
    if (attempt.isHeard) this.#onEvent(event);
  }

  #hear(attempt: Attempt): void {
    if (attempt.isHeard) return;
    attempt.isHeard = true;
    this.#options.onAnswering(attempt.target, { isContinued: attempt.isContinued, failed: this.#failed });
    if (attempt.started !== null) this.#onEvent(attempt.started);
  }

  #speak(attempt: Attempt): void {
    if (attempt.firstTextMs !== null) return;
    this.#stopTimer();
    attempt.firstTextMs = this.#options.now();
    this.#hear(attempt);
    this.#isHeard = true;
  }

  #said(text: string, tokens: number): void {
    this.#text += text;
    this.#tokens += tokens;
  }

  #done(attempt: Attempt, event: Extract<GenerateEvent, { kind: 'done' }>): void {
    this.#speak(attempt);
    attempt.isOver = true;
    const { now, onAttempt } = this.#options;
    const stats = this.#statsOf(attempt);
    const { startedMs, firstTextMs, usd } = attempt;
    const { usage, timings } = event;
    const measured = { ttftMs: (firstTextMs ?? now()) - startedMs, totalMs: now() - startedMs, usage, timings, usd };
    if (attempt.isComputed) {
      stats.succeeded(measured);
      this.#options.onOutcome?.(attempt.target, { kind: 'answered', measured });
    } else stats.left(now());
    onAttempt(attempt.target, 'answered', attempt.isContinued);
    this.#onEvent(this.#before === null ? event : { ...event, usage: withBefore(this.#before, usage) });
  }

  #failedWith(attempt: Attempt, error: WireError): void {
    attempt.isOver = true;
    this.#stopTimer();
    const { now, random, onAttempt } = this.#options;
    const stats = this.#statsOf(attempt);
    const retryAfterMs = error.retryAfterSeconds === null ? null : error.retryAfterSeconds * 1000;
    if (BLAMELESS.has(error.code)) stats.left(now());
    else {
      stats.failed(now(), retryAfterMs, random());
      this.#options.onOutcome?.(attempt.target, { kind: 'failed', code: error.code });
    }
    onAttempt(attempt.target, error.code, attempt.isContinued);
    this.#failed.push({ target: attempt.target, code: error.code });
    if (FINAL.has(error.code) || !this.#goOn()) this.#onEvent({ kind: 'error', id: 0, error });
  }

  /** Asks the next target that can; false where there is none. */
  #goOn(): boolean {
    const { request, targets, canContinue, mayRetry } = this.#options;
    const isFresh = !this.#isHeard || request.mayRestart?.() === true;
    if (!isFresh) while (this.#place < targets.length && !canContinue(targets[this.#place] ?? '')) this.#place += 1;
    if (this.#place >= targets.length || !mayRetry()) return false;
    if (isFresh) {
      [this.#text, this.#tokens, this.#before] = ['', 0, null];
      this.#ask(request, false);
      return true;
    }
    const continuation = continuationOf(request, this.#text, this.#tokens);
    if (continuation === null) return false;
    this.#before = { promptTokens: 0, cachedTokens: 0, completionTokens: this.#tokens };
    this.#ask(continuation, true);
    return true;
  }

  #startTimer(attempt: Attempt): void {
    const { firstTokenTimeoutMs, targets } = this.#options;
    if (firstTokenTimeoutMs === null || this.#place >= targets.length) return;
    this.#timer = setTimeout(() => this.#timedOut(attempt, firstTokenTimeoutMs), firstTokenTimeoutMs);
  }

  #timedOut(attempt: Attempt, limitMs: number): void {
    if (attempt.isOver || attempt.firstTextMs !== null) return;
    const error = new EngineError('deadline_exceeded', `${attempt.target} said nothing for ${limitMs} ms.`);
    const { generation } = attempt;
    this.#failedWith(attempt, toWireError(error));
    generation?.cancel();
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

function withBefore(before: Usage, usage: Usage): Usage {
  // The later target was given what had been said as part of its prompt.
  const promptTokens = Math.max(0, usage.promptTokens - before.completionTokens);
  return {
    promptTokens,
    cachedTokens: Math.min(promptTokens, usage.cachedTokens),
    completionTokens: before.completionTokens + usage.completionTokens,
  };
}
