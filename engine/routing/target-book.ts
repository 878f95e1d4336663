// Owns what is known of every target: measured, installed, allowed. Makes the candidates of a request. Knows nothing about how one is chosen.
import type { RoutingSettings, UpstreamPrice } from '../contract.ts';
import type { GenerateRequest, HostedModel, ModelHost, RequestCaller } from '../fleet/host.ts';
import type { Candidate } from './decide-route.ts';
import { affinityOf, foreseenAnswerTokens, foreseenPromptTokens } from './request-facts.ts';
import { PROMPT_WEIGHT, TargetStats } from './target-stats.ts';
import { AUTO, targetsOf, type TierTarget } from './tiers.ts';
import { isDecoder } from '../models/manifest.ts';

export interface TargetBookOptions {
  readonly host: Pick<ModelHost, 'get' | 'list'>;
  readonly settings: () => RoutingSettings;
  /** Of a model of an upstream, by its full name; undefined: not known. */
  readonly price: (target: string) => UpstreamPrice | undefined;
  /** Why quality rules a target out; null: it does not. */
  readonly qualityBars: (target: string) => string | null;
  readonly now: () => number;
}

/** Reading weights and making them ready, where a model was never loaded: an SSD's speed and some. */
const LOAD_BYTES_PER_MS = 200_000;
const LOAD_FIXED_MS = 500;
/** Of a request that nobody has measured yet. */
const UNKNOWN_SERVICE_MS = 1_000;
const MOST_TARGETS = 1_000;

export class TargetBook {
  readonly #options: TargetBookOptions;
  readonly #stats = new Map<string, TargetStats>();

  constructor(options: TargetBookOptions) {
    this.#options = options;
  }

  stats(target: string): TargetStats {
    const known = this.#stats.get(target);
    if (known !== undefined) return known;
    if (this.#stats.size >= MOST_TARGETS) this.#forgetIdle();
    const fresh = new TargetStats();
    this.#stats.set(target, fresh);
    return fresh;
  }

  targets(): readonly TierTarget[] {
    return targetsOf(this.#options.settings().tiers, this.#options.host.list());
  }

  /** As the request would meet them. `goalMs`: null: latency is no matter. */
  candidates(request: GenerateRequest, goalMs: number | null): readonly Candidate[] {
    return this.targets().map((target) => this.#candidate(target, request, goalMs));
  }

  /** Why nobody is sent there now; null: somebody is. */
  down(target: string): string | null {
    const { host, now, qualityBars } = this.#options;
    if (host.get(target) === undefined) return 'not installed';
    if (this.stats(target).isOpen(now())) return 'failed lately, left alone for a while';
    return qualityBars(target);
  }

  waitMs(target: string): number {
    const model = this.#options.host.get(target);
    return model === undefined ? 0 : waitOf(model, this.stats(target));
  }

  /** What a request of this size costs there; null while unknown. */
  costUsd(target: string, promptTokens: number, answerTokens: number): number | null {
    const price = this.#options.price(target);
    if (price !== undefined) return (promptTokens * price.promptUsdPerMillion + answerTokens * price.completionUsdPerMillion) / 1e6;
    const { tokenUsd } = this.stats(target);
    return tokenUsd === null ? null : tokenUsd * (answerTokens + PROMPT_WEIGHT * promptTokens);
  }

  #candidate({ name, tier }: TierTarget, request: GenerateRequest, goalMs: number | null): Candidate {
    const { host, settings, now } = this.#options;
    const model = host.get(name);
    const stats = this.stats(name);
    const waitMs = model === undefined ? 0 : waitOf(model, stats);
    const promptTokens = foreseenPromptTokens(request.prompt);
    const answerTokens = foreseenAnswerTokens(request.params, stats.answerTokens);
    const expectedMs = waitMs + (stats.ttftMs ?? 0);
    return {
      name,
      tier,
      barred: model === undefined ? null : barredBy(model, { name, request, settings: settings(), promptTokens }),
      down: this.down(name),
      waitMs,
      ttftMs: stats.ttftMs,
      costUsd: this.costUsd(name, promptTokens, answerTokens),
      isStrained: goalMs !== null && stats.isStrained(expectedMs, goalMs, now()),
      affinity: affinityOf(request.prompt, name),
    };
  }

  #forgetIdle(): void {
    for (const [name, { running }] of this.#stats) if (running === 0) this.#stats.delete(name);
  }
}

/** Time until a request that came now would begin: its model is loaded, then those before it leave their slots. */
function waitOf({ state, manifest, variant, origin }: HostedModel, { running, serviceMs }: TargetStats): number {
  if (origin === 'upstream') return 0;
  if (state.kind !== 'ready') return LOAD_FIXED_MS + (manifest.variants[variant]?.sizeBytes ?? 0) / LOAD_BYTES_PER_MS;
  const before = running - state.info.maxSlots + 1;
  return before <= 0 ? 0 : (before * (serviceMs ?? UNKNOWN_SERVICE_MS)) / state.info.maxSlots;
}

interface BarQuestion {
  readonly name: string;
  readonly request: GenerateRequest;
  readonly settings: RoutingSettings;
  readonly promptTokens: number;
}

function barredBy({ origin, state, manifest }: HostedModel, { name, request, settings, promptTokens }: BarQuestion): string | null {
  if (!isDecoder(manifest)) return 'writes no text';
  const { caller, prompt, params } = request;
  if (!isInScope(caller, name, request.model)) return 'not for this key';
  const context = state.kind === 'ready' ? state.info.contextLength : manifest.config.contextLength;
  if (promptTokens > context) return `its context of ${context} tokens is too short`;
  if (origin !== 'upstream') return null;
  if (prompt.kind === 'tokens' || params.topLogprobs !== null) return 'tokens and log-probabilities are of this machine’s models alone';
  return upstreamBar(settings, caller);
}

function isInScope(caller: RequestCaller | undefined, target: string, asked: string): boolean {
  const models = caller?.models ?? null;
  // A key for `auto` is for whatever answers in its name.
  return models === null || [target, target.split(/[:@]/)[0] ?? target, asked, AUTO].some((name) => models.includes(name));
}

/** Why a prompt of this caller stays on this machine; null: it need not. */
export function upstreamBar(
  { upstreamFor, upstreamTenants }: Pick<RoutingSettings, 'upstreamFor' | 'upstreamTenants'>,
  caller: RequestCaller | undefined,
): string | null {
  if (upstreamFor === 'nobody') return 'prompts do not leave this machine';
  if (upstreamFor === 'listed' && (caller === undefined || !upstreamTenants.includes(caller.tenant)))
    return 'prompts of this tenant do not leave this machine';
  return caller !== undefined && caller.upstreamUsdLeft !== null && caller.upstreamUsdLeft <= 0 ? 'the key’s budget is spent' : null;
}
