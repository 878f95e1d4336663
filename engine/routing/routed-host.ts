// Puts routing before a host of models: names that route get the model that suits, and another one when it fails. The one way into this
// folder for others, beside cache/ and complexity/.
import { TIERS, type RouteDecision, type RoutingSettings, type TargetNow, type UpstreamPrice } from '../contract.ts';
import { EngineError, toWireError } from '../errors.ts';
import type {
  EncodeRequest,
  Encoding,
  GenerateRequest,
  Generation,
  HostedModel,
  InferRequest,
  ModelHost,
  RouteAsk,
} from '../fleet/host.ts';
import type { Tensor } from '../models/infer/tensors.ts';
import type { GenerateEvent, PromptInput } from '../runner/protocol.ts';
import { Calibration } from './calibration.ts';
import type { Canaries } from './canary/canaries.ts';
import type { ComplexityMeter } from './complexity/meter.ts';
import type { Complexity, ComplexityScorer } from './complexity/predict.ts';
import { decideRoute, type RouteChoice, type RouteQuestion } from './decide-route.ts';
import { DecisionLog } from './decision-log.ts';
import { promptFacts } from './request-facts.ts';
import { RetryBudget } from './retry-budget.ts';
import { RoutedGeneration, type RoutedGenerationOptions } from './routed-generation.ts';
import { TargetBook } from './target-book.ts';
import { meaningOf, ROUTE_NAMES, type TierTarget } from './tiers.ts';
import { isDecoder } from '../models/manifest.ts';

export interface RoutedHostOptions {
  /** Every model that can answer, those of upstreams among them. */
  readonly host: ModelHost;
  readonly settings: () => RoutingSettings;
  /** Called when the first request routes: the scorer takes some milliseconds to read. */
  readonly complexity: () => ComplexityMeter;
  /** Of a model of an upstream, by its full name. */
  readonly price: (target: string) => UpstreamPrice | undefined;
  /** What device time costs, in USD. */
  readonly deviceUsd: (deviceMs: number) => number;
  /** What was measured of answers' quality. */
  readonly quality: RouteQuality;
  /** Of models that are named; what routes by itself keeps to what is promoted. */
  readonly canaries: Pick<Canaries, 'routeOf'>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** 0 to 1. */
  readonly random?: () => number;
}

export interface RouteQuality {
  /** Why quality rules a target out; null: it does not. */
  readonly bars: (target: string) => string | null;
  /** Measured loss over expected loss; 1 while unknown. */
  readonly bias: () => number;
  /** Hears of each routed request and its answer's text, for grading. */
  readonly answered: (answer: AnsweredRoute) => void;
  /** Hears of each request that a model answered which it named itself. */
  readonly pinned: (requestId: string, target: string, usd: number) => void;
  readonly of: (target: string) => Pick<TargetNow, 'quality' | 'perQualityAdjustedUsd'>;
}

export interface AnsweredRoute {
  readonly request: GenerateRequest;
  readonly target: TierTarget;
  readonly expectedGain: number;
  readonly text: string;
  readonly usd: number;
}

/** A decision and what it rests on. */
interface Routed {
  readonly question: RouteQuestion;
  readonly choice: RouteChoice;
  readonly complexity: Complexity;
}

export class RoutedHost implements ModelHost {
  readonly #options: Required<RoutedHostOptions>;
  #meter: { readonly scorer: ComplexityScorer; readonly calibration: Calibration } | null = null;
  readonly #log = new DecisionLog();
  readonly #retries = new RetryBudget();
  readonly book: TargetBook;

  constructor(options: RoutedHostOptions) {
    this.#options = { now: Date.now, random: Math.random, ...options };
    const { host, settings, price, quality, now } = this.#options;
    this.book = new TargetBook({ host, settings, price, qualityBars: quality.bars, now });
  }

  list(): readonly HostedModel[] {
    const routes = ROUTE_NAMES.flatMap((name) => this.#routeModel(name) ?? []);
    return [...this.#options.host.list(), ...routes];
  }

  get(model: string): HostedModel | undefined {
    const meaning = meaningOf(model, this.#options.settings().aliases);
    return meaning.kind === 'route' ? this.#routeModel(model) : this.#options.host.get(meaning.model);
  }

  generate(request: GenerateRequest, onEvent: (event: GenerateEvent) => void): Generation {
    const meaning = meaningOf(request.model, this.#options.settings().aliases);
    if (meaning.kind === 'route') return this.#route(request, meaning.tier, onEvent);
    return this.#pinned(request, meaning.model, onEvent);
  }

  #pinned(request: GenerateRequest, model: string, onEvent: (event: GenerateEvent) => void): Generation {
    const { quality, canaries } = this.#options;
    const canary = canaries.routeOf(model, request);
    let answering = model;
    const options: RoutedGenerationOptions = {
      ...this.#common(),
      request,
      targets: canary?.targets ?? [model],
      onAnswering: (target, { failed }) => {
        answering = target;
        const alias = request.model === model ? null : `${request.model} means ${model}`;
        const fallback =
          failed.length === 0 ? null : `${failed.map(({ target: name, code }) => `${name}: ${code}`).join(', ')}; ${target} answers`;
        const reasons = [alias, canary?.reason ?? null, fallback].filter((reason) => reason !== null);
        if (reasons.length > 0) this.#reportPinned(request, target, reasons.join('; '));
      },
      onAttempt: () => undefined,
      ...(canary === null ? {} : { onOutcome: canary.onOutcome }),
    };
    const generation = new RoutedGeneration(options, (event) => {
      onEvent(event);
      if (event.kind === 'done' && request.route) quality.pinned(request.route.requestId, answering, generation.spentUsd);
    });
    return generation.start();
  }

  encode(request: EncodeRequest, signal: AbortSignal): Promise<Encoding> {
    return this.#options.host.encode({ ...request, model: this.#pinnedName(request.model) }, signal);
  }

  infer(request: InferRequest, signal: AbortSignal): Promise<readonly Tensor[]> {
    return this.#options.host.infer({ ...request, model: this.#pinnedName(request.model) }, signal);
  }

  tokenize(model: string, prompt: PromptInput): Promise<readonly number[]> {
    return this.#options.host.tokenize(this.#pinnedName(model), prompt);
  }

  /** Undefined when the request was not routed, or is no longer kept. */
  decision(requestId: string): RouteDecision | undefined {
    return this.#log.of(requestId);
  }

  get decisions(): DecisionLog {
    return this.#log;
  }

  targets(): readonly TargetNow[] {
    return this.book.targets().map(({ name, tier }) => {
      const { circuit, running, ttftMs, tokensPerSecond, requestUsd, requests, failures } = this.book.stats(name);
      const origin = this.#options.host.get(name)?.origin === 'upstream' ? ('upstream' as const) : ('local' as const);
      const measured = { ttftMs, tokensPerSecond, costUsd: requestUsd, requests, failures, running };
      const state = { circuit: circuit.state, excluded: this.book.down(name), waitMs: this.book.waitMs(name) };
      return { target: name, tier, origin, ...state, ...measured, ...this.#options.quality.of(name) };
    });
  }

  #pinnedName(name: string): string {
    const meaning = meaningOf(name, this.#options.settings().aliases);
    return meaning.kind === 'pinned' ? meaning.model : name;
  }

  /** Of a name that routes; with the numbers of the first target that is installed. */
  #routeModel(name: string): HostedModel | undefined {
    const meaning = meaningOf(name, this.#options.settings().aliases);
    if (meaning.kind !== 'route') return undefined;
    const targets = this.book.targets().toSorted((left, right) => Number(right.tier === meaning.tier) - Number(left.tier === meaning.tier));
    for (const target of targets) {
      const model = this.#options.host.get(target.name);
      if (model !== undefined && isDecoder(model.manifest))
        return { ...model, manifest: { ...model.manifest, id: name }, origin: 'route', pinned: false, memoryBytes: null, unloadInMs: null };
    }
    return undefined;
  }

  #common(): Pick<
    RoutedGenerationOptions,
    'host' | 'stats' | 'canContinue' | 'mayRetry' | 'firstTokenTimeoutMs' | 'deviceUsd' | 'now' | 'random'
  > {
    const { host, settings, deviceUsd, now, random } = this.#options;
    this.#retries.request();
    return {
      host,
      stats: (target) => this.book.stats(target),
      canContinue: (target) => this.#canContinue(target),
      mayRetry: () => this.#retries.take(),
      firstTokenTimeoutMs: settings().firstTokenTimeoutMs,
      deviceUsd,
      now,
      random,
    };
  }

  #canContinue(target: string): boolean {
    if (this.#options.host.get(target)?.origin !== 'upstream') return true;
    const { upstreams } = this.#options.settings();
    return upstreams.some(({ name, continuesAnswers }) => continuesAnswers && target.startsWith(`${name}/`));
  }

  #route(request: GenerateRequest, tier: RouteQuestion['tier'], onEvent: (event: GenerateEvent) => void): Generation {
    const routed = this.#decide(request, tier);
    const tell = this.#log.add(this.#recorded(request, routed));
    const { choice } = routed;
    if (choice.kind === 'refused') return refused(choice, onEvent);
    const candidates = [choice.target, ...choice.next];
    let text = '';
    let answering: TierTarget = choice.target;
    const options: RoutedGenerationOptions = {
      ...this.#common(),
      request,
      targets: candidates.map(({ name }) => name),
      onAttempt: (target, outcome, continued) => tell({ target, outcome, continued }),
      onAnswering: (target, how) => {
        text = '';
        answering = candidates.find(({ name }) => name === target) ?? choice.target;
        this.#report(request.route, { choice, answering, ...how });
      },
    };
    const routing = new RoutedGeneration(options, (event) => {
      if (event.kind === 'text' && event.choice === 0) text += event.text;
      onEvent(event);
      if (event.kind === 'done') this.#answered(request, { routed, target: answering, text, usd: routing.spentUsd });
    });
    return routing.start();
  }

  #decide(request: GenerateRequest, tier: RouteQuestion['tier']): Routed {
    const { settings, quality } = this.#options;
    const { scorer, calibration } = this.#complexity();
    const { qualityBar, latencyGoalMs, degrade } = settings();
    const { route, caller } = request;
    const complexity = scorer.score(promptFacts(request));
    const goalMs = route?.maxLatencyMs ?? latencyGoalMs;
    const candidates = this.book.candidates(request, goalMs);
    const bar = route?.quality ?? qualityBar;
    const present = TIERS.filter((name) => candidates.some((candidate) => candidate.tier === name && candidate.barred === null));
    const { expert, expectedGain } = complexity;
    const question: RouteQuestion = {
      tier,
      complexity: complexity.value,
      expectedGain,
      qualityBar: bar,
      allowedLoss: calibration.take(expert, expectedGain, { tiers: present, bar, bias: quality.bias() }),
      budgetUsd: route?.budgetUsd ?? null,
      goalMs,
      mayDegrade: degrade && (tier === null || (route?.maxLatencyMs ?? null) !== null),
      isThrifty: caller?.isDegraded ?? false,
    };
    return { question, choice: decideRoute(question, candidates), complexity };
  }

  #complexity() {
    if (this.#meter !== null) return this.#meter;
    const { scorer, traffic } = this.#options.complexity();
    return (this.#meter = { scorer, calibration: new Calibration((kind) => traffic[kind]) });
  }

  #recorded(request: GenerateRequest, { question, choice }: Routed): Omit<RouteDecision, 'attempts'> {
    const { complexity, expectedGain, qualityBar, allowedLoss } = question;
    const chosen = choice.kind === 'route' ? choice.target : null;
    return {
      requestId: request.route?.requestId ?? null,
      atMs: this.#options.now(),
      modelAsked: request.model,
      tenant: request.caller?.tenant ?? 'engine',
      target: chosen?.name ?? null,
      tier: chosen?.tier ?? null,
      reason: choice.reason,
      degraded: choice.kind === 'route' && choice.isDegraded,
      complexity,
      expectedGain,
      qualityBar,
      allowedLoss,
      alternatives: choice.alternatives,
    };
  }

  #report(route: RouteAsk | undefined, { choice, answering, isContinued, failed }: Answering): void {
    const model = this.#options.host.get(answering.name);
    if (route === undefined || model === undefined) return;
    const { isDegraded, reason } = afterFailures(choice, answering, failed);
    route.onRoute({ model, name: answering.name, tier: answering.tier, reason, isDegraded, isContinued });
  }

  /** A plain name says all there is to say, unless an alias or a canary hides who answers. */
  #reportPinned({ route }: GenerateRequest, name: string, reason: string): void {
    const model = this.#options.host.get(name);
    if (model !== undefined) route?.onRoute({ model, name, tier: null, reason, isDegraded: false, isContinued: false });
  }

  #answered(request: GenerateRequest, { routed, target, text, usd }: Answered): void {
    const { expectedGain } = routed.complexity;
    this.#options.quality.answered({ request, target, expectedGain, text, usd });
  }
}

interface Answered extends Pick<AnsweredRoute, 'target' | 'text' | 'usd'> {
  readonly routed: Routed;
}

interface Answering extends Pick<RouteAnswering, 'isContinued' | 'failed'> {
  readonly choice: Extract<RouteChoice, { kind: 'route' }>;
  readonly answering: TierTarget;
}
type RouteAnswering = Parameters<RoutedGenerationOptions['onAnswering']>[1];

/** Whoever answers in place of a stronger one that failed answers degraded. */
function afterFailures(choice: Answering['choice'], { name, tier }: TierTarget, failed: Answering['failed']) {
  if (failed.length === 0) return choice;
  const how = failed.map(({ target, code }) => `${target}: ${code}`).join(', ');
  const isWeaker = TIERS.indexOf(tier) < TIERS.indexOf(choice.target.tier);
  return { isDegraded: choice.isDegraded || isWeaker, reason: `${choice.reason}; then ${how}; ${name} answers` };
}

const REFUSED: Generation = { cancel: () => undefined, progress: () => ({ phase: 'queued', position: null, etaMs: null }) };
const RETRY_SECONDS = 5;

function refused({ reason, isTemporary }: Extract<RouteChoice, { kind: 'refused' }>, onEvent: (event: GenerateEvent) => void): Generation {
  const error = isTemporary
    ? new EngineError('no_route', reason, { retryAfterSeconds: RETRY_SECONDS })
    : new EngineError('no_route', reason);
  queueMicrotask(() => onEvent({ kind: 'error', id: 0, error: toWireError(error) }));
  return REFUSED;
}
