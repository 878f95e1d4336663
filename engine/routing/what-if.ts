// Decides what kept decisions would have been under another policy, by the numbers each of them saw. Pure.
import {
  TIERS,
  type PolicyOutcome,
  type RouteAlternative,
  type RouteDecision,
  type Tier,
  type WhatIfAnswer,
  type WhatIfAsk,
} from '../contract.ts';
import { allowedLoss } from './calibration.ts';
import { decideRoute, type Candidate } from './decide-route.ts';

/** What one request cost and lost, or would have. */
interface Outcome {
  readonly tier: Tier;
  readonly costUsd: number | null;
  readonly loss: number;
}

/** `strongAccuracy`: how often the strongest tier is right, 0..1: what the bar is a share of. */
export function whatIf(decisions: readonly RouteDecision[], ask: WhatIfAsk, strongAccuracy: number): WhatIfAnswer {
  // Tiers that were asked for by name are no matter of policy.
  const routed = decisions.filter(({ target, modelAsked }) => target !== null && !modelAsked.includes(':'));
  const tiers = TIERS.filter((tier) =>
    routed.some(({ alternatives }) => alternatives.some((other) => other.tier === tier && other.usable)),
  );
  const limit = allowedLoss(
    routed.map(({ expectedGain }) => expectedGain),
    tiers,
    1 - (1 - ask.qualityBar) * strongAccuracy,
  );
  const sum = (outcomes: readonly Outcome[]): PolicyOutcome => sumOf(outcomes, strongAccuracy);
  return {
    requests: routed.length,
    asWas: sum(routed.flatMap((decision) => outcomeOf(decision.alternatives, decision.target) ?? [])),
    asAsked: sum(routed.flatMap((decision) => outcomeOf(decision.alternatives, redecide(decision, ask, limit)) ?? [])),
  };
}

function redecide(
  { complexity, expectedGain, alternatives }: RouteDecision,
  { qualityBar, latencyGoalMs }: WhatIfAsk,
  limit: number,
): string | null {
  const limits = { qualityBar, allowedLoss: limit, goalMs: latencyGoalMs, budgetUsd: null };
  const question = { tier: null, complexity, expectedGain, mayDegrade: true, isThrifty: false, ...limits };
  const choice = decideRoute(question, alternatives.map(candidateOf));
  return choice.kind === 'route' ? choice.target.name : null;
}

function candidateOf({ target, tier, costUsd, ttftMs, waitMs, usable, verdict }: RouteAlternative): Candidate {
  const served = { waitMs, ttftMs: ttftMs === null ? null : ttftMs - waitMs, costUsd };
  return { name: target, tier, barred: usable ? null : verdict, down: null, isStrained: false, affinity: 0, ...served };
}

function outcomeOf(alternatives: readonly RouteAlternative[], target: string | null): Outcome | null {
  const found = alternatives.find((alternative) => alternative.target === target);
  return found === undefined ? null : { tier: found.tier, costUsd: found.costUsd, loss: found.expectedLoss };
}

function sumOf(outcomes: readonly Outcome[], strongAccuracy: number): PolicyOutcome {
  const count = (tier: Tier): number => outcomes.filter((outcome) => outcome.tier === tier).length;
  return {
    costUsd: outcomes.reduce((sum, { costUsd }) => sum + (costUsd ?? 0), 0),
    unpriced: outcomes.filter(({ costUsd }) => costUsd === null).length,
    expectedQuality: 1 - outcomes.reduce((sum, { loss }) => sum + loss, 0) / Math.max(Number.EPSILON, outcomes.length * strongAccuracy),
    byTier: { fast: count('fast'), balanced: count('balanced'), premium: count('premium') },
  };
}
