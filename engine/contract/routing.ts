// Which model answers, and why: tiers, targets, upstream APIs and decisions. `GET /api/router`; settings under `routing`.
import type { QualityNow } from './cost.ts';

/** From cheapest to strongest. */
export const TIERS = ['fast', 'balanced', 'premium'] as const;
export type Tier = (typeof TIERS)[number];

export interface RoutingSettings {
  /** Names of targets, best first: `model`, `model:variant`, `upstream/model`. All three empty: made from what is installed, by size. */
  readonly tiers: Readonly<Record<Tier, readonly string[]>>;
  /** Further names: `gpt-4o-mini` may mean `auto:fast`. */
  readonly aliases: readonly RouteAlias[];
  /** Share of the strongest tier's right answers that is to be kept over many requests, 0 to 1. */
  readonly qualityBar: number;
  /** Time to the first token after which a smaller model answers; null: no goal. */
  readonly latencyGoalMs: number | null;
  /** Whether a weaker model may answer where the goal would be missed. */
  readonly degrade: boolean;
  /** Longest wait for the first token of a target before the next one is asked; null: as long as it takes. */
  readonly firstTokenTimeoutMs: number | null;
  readonly upstreams: readonly UpstreamSettings[];
  /** Whose prompts may leave this machine. */
  readonly upstreamFor: 'nobody' | 'listed' | 'everybody';
  /** Tenants, for `listed`. */
  readonly upstreamTenants: readonly string[];
  /** Money for upstream models in a month of UTC, over all keys; it is never passed. Null: no limit. */
  readonly upstreamMonthlyUsd: number | null;
  /** Share of routed requests whose question a stronger target answers too, to measure quality; 0: none. */
  readonly shadowShare: number;
  /** Money for such answers in a day of UTC. */
  readonly shadowDailyUsd: number;
}

export interface RouteAlias {
  readonly name: string;
  readonly target: string;
}

/** A server elsewhere whose models can answer. Its key is kept apart. */
export interface UpstreamSettings {
  /** First part of the names of its models. */
  readonly name: string;
  readonly api: 'openai' | 'anthropic';
  /** Up to the version: `https://api.openai.com/v1`, `https://api.anthropic.com/v1`. */
  readonly baseUrl: string;
  readonly models: readonly UpstreamModel[];
  /** Whether it goes on with an answer whose beginning it is given (vLLM, a second Millrace, Anthropic); OpenAI's own does not. */
  readonly continuesAnswers: boolean;
}

export interface UpstreamModel {
  /** As the upstream spells it; its price is the one of this name in `cost.upstreamPrices`. */
  readonly name: string;
  readonly contextLength: number;
  /** Tokens of an answer at most, where the request sets no limit. */
  readonly maxTokens: number;
}

export type CircuitState = 'closed' | 'open' | 'half_open';

/** A target as the decision saw it. */
export interface RouteAlternative {
  readonly target: string;
  readonly tier: Tier;
  readonly costUsd: number | null;
  /** Expected time to the first token, its wait included; null: never measured. */
  readonly ttftMs: number | null;
  readonly waitMs: number;
  /** Expected share of answers lost against the strongest tier. */
  readonly expectedLoss: number;
  /** Whether it could be asked at all. */
  readonly usable: boolean;
  /** Why it was not taken, or in which place it would be asked. */
  readonly verdict: string;
}

/** One routed request. */
export interface RouteDecision {
  readonly requestId: string | null;
  readonly atMs: number;
  readonly modelAsked: string;
  readonly tenant: string;
  readonly target: string | null;
  readonly tier: Tier | null;
  readonly reason: string;
  readonly degraded: boolean;
  /** 0 to 1. */
  readonly complexity: number;
  /** Expected correctness of the strongest tier less that of the weakest, -1 to 1. */
  readonly expectedGain: number;
  readonly qualityBar: number;
  /** Largest expected loss that was allowed. */
  readonly allowedLoss: number;
  readonly alternatives: readonly RouteAlternative[];
  /** Targets that were asked, in turn, and how each ended: `answered`, `queue_full` … Grows while the request is under way. */
  readonly attempts: readonly RouteAttempt[];
}

export interface RouteAttempt {
  readonly target: string;
  /** `asked` while it is under way. */
  readonly outcome: string;
  /** It went on with what another had begun. */
  readonly continued: boolean;
}

/** A target now. */
export interface TargetNow {
  readonly target: string;
  readonly tier: Tier;
  readonly origin: 'local' | 'upstream';
  readonly circuit: CircuitState;
  /** Why it is not used now; null: it is. */
  readonly excluded: string | null;
  readonly waitMs: number;
  readonly running: number;
  readonly ttftMs: number | null;
  readonly tokensPerSecond: number | null;
  /** Of a mean request; null while nothing was measured. */
  readonly costUsd: number | null;
  readonly requests: number;
  readonly failures: number;
  readonly quality: QualityNow;
  /** Mean cost over quality, with half of its 95% interval; null while either is not measured. */
  readonly perQualityAdjustedUsd: { readonly usd: number; readonly plusMinusUsd: number } | null;
}

export interface UpstreamNow {
  readonly name: string;
  readonly hasKey: boolean;
}

/** `GET /api/router` */
export interface RouterNow {
  readonly settings: RoutingSettings;
  readonly targets: readonly TargetNow[];
  readonly upstreams: readonly UpstreamNow[];
  /** This month, over all upstreams. */
  readonly upstreamUsd: number;
  /** Over what was routed since the start. */
  readonly quality: QualityNow;
  readonly shadowUsdToday: number;
  /** Newest first, at most 200. */
  readonly decisions: readonly RouteDecision[];
}

/** `POST /api/router/what-if`: the kept decisions under another policy. */
export interface WhatIfAsk {
  readonly qualityBar: number;
  readonly latencyGoalMs: number | null;
}

export interface WhatIfAnswer {
  /** Decisions that were replayed. */
  readonly requests: number;
  readonly asWas: PolicyOutcome;
  readonly asAsked: PolicyOutcome;
}

/** Estimates, by the numbers that each decision saw. */
export interface PolicyOutcome {
  readonly costUsd: number;
  /** Expected share of answers as good as the strongest tier's. */
  readonly expectedQuality: number;
  /** Requests whose cost is not known: their targets were never measured. */
  readonly unpriced: number;
  /** Requests by the tier that answers. */
  readonly byTier: Readonly<Record<Tier, number>>;
}
