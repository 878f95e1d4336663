// Decides which target answers a request, which would be asked next, and says why. Pure.
import { TIERS, type RouteAlternative, type Tier } from '../contract.ts';
import { STRENGTH } from './tiers.ts';

/** A target, as it would serve this request. */
export interface Candidate {
  readonly name: string;
  readonly tier: Tier;
  /** Why it may never answer this request: privacy, scope, context, budget; null: it may. */
  readonly barred: string | null;
  /** Why it cannot answer now: its circuit is open, it fell under its bar; null: it can. */
  readonly down: string | null;
  readonly waitMs: number;
  /** Of the request itself, without the wait; null: never measured. */
  readonly ttftMs: number | null;
  /** Expected; null: not known. */
  readonly costUsd: number | null;
  /** It has been too slow for the goal, and not well within it for long enough since. */
  readonly isStrained: boolean;
  /** Among equals the largest is taken: the same for the same beginning of a prompt, so that its KV cache is used again. */
  readonly affinity: number;
}

export interface RouteQuestion {
  /** Asked for by name; null: whichever is enough. */
  readonly tier: Tier | null;
  /** 0 to 1. */
  readonly complexity: number;
  /** Expected correctness of the strongest tier less that of the weakest. */
  readonly expectedGain: number;
  readonly qualityBar: number;
  /** Largest expected loss of this one request, such that the bar holds on average. */
  readonly allowedLoss: number;
  readonly budgetUsd: number | null;
  readonly goalMs: number | null;
  /** A weaker target may answer where the goal would be missed. */
  readonly mayDegrade: boolean;
  /** The caller's budget is nearly spent. */
  readonly isThrifty: boolean;
}

export type RouteChoice =
  | {
      readonly kind: 'route';
      readonly target: Candidate;
      /** Those to ask next, in turn. */
      readonly next: readonly Candidate[];
      readonly reason: string;
      readonly isDegraded: boolean;
      readonly alternatives: readonly RouteAlternative[];
    }
  | {
      readonly kind: 'refused';
      readonly reason: string;
      readonly isTemporary: boolean;
      readonly alternatives: readonly RouteAlternative[];
    };

/** A candidate and what the question makes of it. */
interface Judged {
  readonly candidate: Candidate;
  readonly loss: number;
  readonly expectedMs: number;
  readonly holdsBar: boolean;
  readonly holdsGoal: boolean;
  /** Why it cannot be asked; null: it can. */
  readonly obstacle: string | null;
}

export function decideRoute(question: RouteQuestion, candidates: readonly Candidate[]): RouteChoice {
  const judged = candidates.map((candidate) => judge(question, candidate));
  const able = judged.filter(({ obstacle }) => obstacle === null);
  // Estimates and guesses do not compare: as long as one was never measured, a weaker tier is taken to be cheaper.
  const cheapness = able.every(({ candidate }) => candidate.costUsd !== null) ? costStep : tierStep;
  const usable = able.toSorted((left, right) => compare({ ...question, cheapness }, left, right));
  const [first, ...others] = usable;
  if (first === undefined) return refuse(question, judged);
  const isDegraded = weakens(question, first) && judged.some((other) => isPreferable(question, other));
  return {
    kind: 'route',
    target: first.candidate,
    next: others.map(({ candidate }) => candidate),
    reason: reasonOf(question, first, { judged, isDegraded }),
    isDegraded,
    alternatives: alternativesOf(question, usable, judged),
  };
}

function judge(question: RouteQuestion, candidate: Candidate): Judged {
  const { barred, down, waitMs, ttftMs, costUsd, isStrained, tier } = candidate;
  const { budgetUsd, goalMs } = question;
  const loss = expectedLoss(tier, question.expectedGain);
  const expectedMs = waitMs + (ttftMs ?? 0);
  const isTooDear = budgetUsd !== null && costUsd !== null && costUsd > budgetUsd;
  const tooDear = isTooDear ? `about ${money(costUsd)}, over the budget of ${money(budgetUsd)}` : null;
  return {
    candidate,
    loss,
    expectedMs,
    holdsBar: holdsBar(question, tier, loss),
    holdsGoal: goalMs === null || (expectedMs <= goalMs && !isStrained),
    obstacle: barred ?? down ?? tooDear,
  };
}

/** Answers in 1 that a tier is expected to lose against the strongest. */
export function expectedLoss(tier: Tier, expectedGain: number): number {
  return Math.max(0, (1 - STRENGTH[tier]) * expectedGain);
}

function holdsBar({ tier: asked, allowedLoss, isThrifty }: RouteQuestion, tier: Tier, loss: number): boolean {
  if (isThrifty) return true;
  return asked === null ? loss <= allowedLoss : STRENGTH[tier] >= STRENGTH[asked];
}

/** Best first: what holds bar and goal; then what holds the goal alone where it may, else the bar alone; then the rest. */
function rank({ mayDegrade }: RouteQuestion, { holdsBar: bar, holdsGoal: goal }: Judged): number {
  if (bar && goal) return 0;
  if (!bar && !goal) return 3;
  return goal === mayDegrade ? 1 : 2;
}

/** Costs closer than this factor are the same: they are estimates. */
const SAME_COST = 1.1;

interface Ordering extends RouteQuestion {
  readonly cheapness: (candidate: Candidate) => number;
}

function compare(question: Ordering, left: Judged, right: Judged): number {
  const order = rank(question, left) - rank(question, right);
  if (order !== 0) return order;
  const distance = tierDistance(question, left) - tierDistance(question, right);
  if (distance !== 0) return distance;
  // Whatever misses the bar should miss it by little; whatever misses the goal likewise.
  if (!left.holdsBar && left.loss !== right.loss) return left.loss - right.loss;
  if (!left.holdsGoal && left.expectedMs !== right.expectedMs) return left.expectedMs - right.expectedMs;
  const cost = question.cheapness(left.candidate) - question.cheapness(right.candidate);
  if (cost !== 0) return cost;
  if (left.loss !== right.loss) return left.loss - right.loss;
  if (left.candidate.waitMs !== right.candidate.waitMs) return left.candidate.waitMs - right.candidate.waitMs;
  return right.candidate.affinity - left.candidate.affinity;
}

const tierStep = ({ tier }: Candidate): number => STRENGTH[tier];

function costStep({ costUsd }: Candidate): number {
  return costUsd === null || costUsd <= 1e-12 ? -1e6 : Math.round(Math.log(costUsd) / Math.log(SAME_COST));
}

/** Of a tier that was asked for by name the next stronger ones come first. */
function tierDistance({ tier }: RouteQuestion, { candidate }: Judged): number {
  if (tier === null) return 0;
  const steps = TIERS.indexOf(candidate.tier) - TIERS.indexOf(tier);
  return steps >= 0 ? steps : TIERS.length - steps;
}

function weakens(question: RouteQuestion, chosen: Judged): boolean {
  return !holdsBar({ ...question, isThrifty: false }, chosen.candidate.tier, chosen.loss);
}

/** It holds the bar and nothing forbids it for good: the request would have got it at a better time. */
function isPreferable(question: RouteQuestion, { candidate, loss }: Judged): boolean {
  return candidate.barred === null && holdsBar({ ...question, isThrifty: false }, candidate.tier, loss);
}

function reasonOf(
  question: RouteQuestion,
  chosen: Judged,
  { judged, isDegraded }: { judged: readonly Judged[]; isDegraded: boolean },
): string {
  const { tier, complexity, isThrifty } = question;
  const asked = tier === null ? `complexity ${complexity.toFixed(2)}` : `asked for ${tier}`;
  if (isThrifty) return `${asked}; the caller’s budget is nearly spent: the cheapest answers`;
  if (isDegraded) return `${asked}; ${whyDegraded(question, judged)}: ${chosen.candidate.tier} answers instead`;
  if (tier !== null) return chosen.candidate.tier === tier ? asked : `${asked}, which has no target now: ${chosen.candidate.tier} answers`;
  const loss = `${chosen.candidate.tier} is expected to lose ${percent(chosen.loss)} of such answers`;
  if (!chosen.holdsBar) return `${asked}: ${loss}, more than ${percent(question.allowedLoss)}, but nothing stronger may answer`;
  const late = chosen.holdsGoal ? '' : '; no target is within the latency goal';
  return `${asked}: ${loss}, at most ${percent(question.allowedLoss)} holds the bar of ${question.qualityBar}; the cheapest that does${late}`;
}

function whyDegraded(question: RouteQuestion, judged: readonly Judged[]): string {
  const better = judged.filter((other) => isPreferable(question, other));
  const slow = better.find(({ obstacle, holdsGoal }) => obstacle === null && !holdsGoal);
  if (slow !== undefined)
    return `${slow.candidate.name} would take ${seconds(slow.expectedMs)}, over the goal of ${seconds(question.goalMs ?? 0)}`;
  return better.map(({ candidate, obstacle }) => `${candidate.name}: ${obstacle ?? 'weaker'}`).join(', ');
}

function refuse(question: RouteQuestion, judged: readonly Judged[]): RouteChoice {
  const listed = judged.map(({ candidate, obstacle }) => `${candidate.name}: ${obstacle ?? ''}`).join('; ');
  return {
    kind: 'refused',
    reason: judged.length === 0 ? 'No model is installed that could answer.' : `No target can answer. ${listed}.`,
    isTemporary: judged.some(({ candidate }) => candidate.barred === null && candidate.down !== null),
    alternatives: alternativesOf(question, [], judged),
  };
}

function alternativesOf(question: RouteQuestion, usable: readonly Judged[], judged: readonly Judged[]): readonly RouteAlternative[] {
  const blocked = judged.filter(({ obstacle }) => obstacle !== null);
  return [...usable, ...blocked].map((entry, place) => {
    const { name, tier, costUsd, ttftMs, waitMs } = entry.candidate;
    const expected = ttftMs === null ? null : entry.expectedMs;
    return {
      target: name,
      tier,
      costUsd,
      ttftMs: expected,
      waitMs,
      expectedLoss: entry.loss,
      usable: entry.obstacle === null,
      verdict: verdictOf(question, entry, place),
    };
  });
}

function verdictOf(question: RouteQuestion, { obstacle, holdsBar: bar, holdsGoal: goal }: Judged, place: number): string {
  if (obstacle !== null) return obstacle;
  if (place === 0) return 'taken';
  if (!goal) return `too slow for ${seconds(question.goalMs ?? 0)}`;
  return bar ? `dearer or slower; asked in place ${place + 1}` : `expected to lose too much; asked in place ${place + 1}`;
}

const percent = (share: number): string => `${(share * 100).toFixed(1)}%`;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const money = (usd: number): string => `$${usd.toPrecision(2)}`;
