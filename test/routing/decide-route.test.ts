import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TIERS } from '../../engine/contract.ts';
import { admits, CLOSED, onFailure, onSuccess, onTry } from '../../engine/routing/breaker.ts';
import { allowedLoss, Calibration } from '../../engine/routing/calibration.ts';
import { decideRoute, expectedLoss, type Candidate, type RouteQuestion } from '../../engine/routing/decide-route.ts';
import { RELAXED, strainOf } from '../../engine/routing/degrade.ts';
import { STRENGTH, targetsOf } from '../../engine/routing/tiers.ts';
import { whatIf } from '../../engine/routing/what-if.ts';
import { FakeHosts } from '../fakes/hosts.ts';
import { answer, chat, routing, TRAFFIC } from './routing.ts';

const QUESTION: RouteQuestion = {
  tier: null,
  complexity: 0.5,
  expectedGain: 0.1,
  qualityBar: 0.95,
  allowedLoss: 0.12,
  budgetUsd: null,
  goalMs: null,
  mayDegrade: true,
  isThrifty: false,
};
const candidate = (name: string, tier: Candidate['tier'], extra: Partial<Candidate> = {}): Candidate => ({
  name,
  tier,
  barred: null,
  down: null,
  waitMs: 0,
  ttftMs: 100,
  costUsd: { fast: 0.001, balanced: 0.004, premium: 0.02 }[tier],
  isStrained: false,
  affinity: 0,
  ...extra,
});
const ALL = TIERS.map((tier) => candidate(tier, tier));
const chosen = (question: Partial<RouteQuestion>, candidates: readonly Candidate[] = ALL): string | null => {
  const choice = decideRoute({ ...QUESTION, ...question }, candidates);
  return choice.kind === 'route' ? choice.target.name : null;
};

const candidates = fc.array(
  fc.record({
    name: fc.string({ minLength: 1, maxLength: 4 }),
    tier: fc.constantFrom(...TIERS),
    barred: fc.option(fc.constant('barred')),
    down: fc.option(fc.constant('down')),
    waitMs: fc.nat(10_000),
    ttftMs: fc.option(fc.nat(5_000)),
    costUsd: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    isStrained: fc.boolean(),
    affinity: fc.nat(),
  }),
  { maxLength: 6 },
);
const questions = fc.record({
  tier: fc.option(fc.constantFrom(...TIERS)),
  complexity: fc.double({ min: 0, max: 1, noNaN: true }),
  expectedGain: fc.double({ min: -1, max: 1, noNaN: true }),
  qualityBar: fc.double({ min: 0, max: 1, noNaN: true }),
  allowedLoss: fc.double({ min: 0, max: 1, noNaN: true }),
  budgetUsd: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  goalMs: fc.option(fc.nat(10_000)),
  mayDegrade: fc.boolean(),
  isThrifty: fc.boolean(),
});

describe('decideRoute', () => {
  it('takes the cheapest target that holds the bar', () => {
    expect(chosen({ expectedGain: 0.1 })).toBe('fast');
    expect(chosen({ expectedGain: 0.2 })).toBe('balanced');
    expect(chosen({ expectedGain: 0.5 })).toBe('premium');
    expect(chosen({ expectedGain: 0.5, isThrifty: true })).toBe('fast');
  });

  it('keeps to budget, tier and latency goal', () => {
    expect(chosen({ expectedGain: 0.5, budgetUsd: 0.005 })).toBe('balanced');
    expect(chosen({ tier: 'balanced' })).toBe('balanced');
    const slow = [candidate('fast', 'fast'), candidate('premium', 'premium', { waitMs: 9_000 })];
    expect(chosen({ expectedGain: 0.5, goalMs: 2_000 }, slow)).toBe('fast');
    expect(chosen({ expectedGain: 0.5, goalMs: 2_000, mayDegrade: false }, slow)).toBe('premium');
  });

  it('takes the least wait among equals, then the one that knows the beginning of the prompt', () => {
    const boxes = [
      candidate('a', 'fast', { waitMs: 50 }),
      candidate('b', 'fast', { affinity: 1 }),
      candidate('c', 'fast', { affinity: 2 }),
    ];
    expect(chosen({}, boxes)).toBe('c');
    expect(chosen({}, boxes.slice(0, 2))).toBe('b');
  });

  it('never takes what cannot be asked, lists every candidate once, and always says why', () => {
    fc.assert(
      fc.property(questions, candidates, (question, offered) => {
        const choice = decideRoute(question, offered);
        expect(choice.reason.length).toBeGreaterThan(0);
        expect(choice.alternatives).toHaveLength(offered.length);
        if (choice.kind === 'refused') return;
        for (const { barred, down, costUsd } of [choice.target, ...choice.next]) {
          expect([barred, down]).toEqual([null, null]);
          if (question.budgetUsd !== null && costUsd !== null) expect(costUsd).toBeLessThanOrEqual(question.budgetUsd);
        }
        expect(choice.alternatives[0]?.verdict).toBe('taken');
      }),
    );
  });

  it('does not depend on the order in which targets are listed', () => {
    fc.assert(
      fc.property(questions, fc.uniqueArray(fc.nat(), { minLength: 2, maxLength: 5 }), (question, affinities) => {
        const offered = affinities.map((affinity, at) => candidate(String(at), TIERS[at % 3] ?? 'fast', { affinity, waitMs: at * 10 }));
        expect(chosen(question, offered.toReversed())).toBe(chosen(question, offered));
      }),
    );
  });
});

describe('allowedLoss', () => {
  it('spends the bar, and no more than the bar, over the prompts at hand', () => {
    const gains = fc.array(fc.double({ min: -0.2, max: 0.6, noNaN: true }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(gains, fc.double({ min: 0.5, max: 1, noNaN: true }), (all, bar) => {
        const limit = allowedLoss(all, TIERS, bar);
        const losses = all.map((gain) =>
          Math.min(...TIERS.map((tier) => expectedLoss(tier, gain)).map((loss, at) => (loss <= limit ? at : 9))),
        );
        const spent = losses.reduce((sum, at, place) => sum + expectedLoss(TIERS[at] ?? 'premium', all[place] ?? 0), 0) / all.length;
        expect(spent).toBeLessThanOrEqual(1 - bar + 1e-6);
      }),
    );
    expect(allowedLoss([0.1, 0.1], TIERS, 0.5)).toBe(1);
    expect(allowedLoss([0.3, 0.3], TIERS, 1)).toBeLessThan(0.15);
  });

  it('follows what comes: hard prompts after easy ones are held to less', () => {
    const calibration = new Calibration(() => TRAFFIC);
    const take = (gain: number): number => calibration.take('problem', gain, { tiers: ['fast', 'premium'], bar: 0.95, bias: 1 });
    let easy = 0;
    for (let at = 0; at < 500; at += 1) easy = take(0.01 + (at % 10) / 500);
    let hard = 0;
    for (let at = 0; at < 500; at += 1) hard = take(0.3 + (at % 10) / 100);
    expect(easy).toBe(1);
    expect(hard).toBeLessThan(0.32);
  });
});

describe('the circuit breaker', () => {
  it('opens after failures in a row, lets one request try, and pauses longer each time', () => {
    let circuit = CLOSED;
    for (let at = 0; at < 3; at += 1) circuit = onFailure(circuit, 1_000, null, 0.5);
    expect([circuit.state, admits(circuit, 1_500), admits(circuit, 3_000)]).toEqual(['open', false, true]);
    const trying = onTry(circuit);
    expect(admits(trying, 9_999_999)).toBe(false);
    expect(onSuccess()).toEqual(CLOSED);
    expect(onFailure(trying, 3_000, null, 0.5).retryAtMs - 3_000).toBe(4_000);
  });

  it('opens at once where the target says when to come back', () => {
    expect(onFailure(CLOSED, 0, 30_000, 0.5)).toMatchObject({ state: 'open', retryAtMs: 30_000 });
  });
});

describe('strain', () => {
  it('begins at the goal and ends well within it, for some time', () => {
    let strain = strainOf(RELAXED, 2_001, 2_000, 0);
    expect(strain.isStrained).toBe(true);
    strain = strainOf(strain, 1_900, 2_000, 60_000);
    expect(strain.isStrained).toBe(true);
    strain = strainOf(strain, 1_000, 2_000, 61_000);
    expect(strainOf(strain, 1_000, 2_000, 65_999).isStrained).toBe(true);
    expect(strainOf(strain, 1_000, 2_000, 66_000)).toEqual(RELAXED);
  });
});

describe('tiers', () => {
  it('are made of what is installed by size, unless they are named', () => {
    const three = new FakeHosts({ a: {}, b: {}, c: {} }).list();
    const none = { fast: [], balanced: [], premium: [] };
    expect(targetsOf(none, three).map(({ name, tier }) => [name, tier])).toEqual([
      ['a', 'fast'],
      ['b', 'balanced'],
      ['c', 'premium'],
    ]);
    expect(targetsOf({ ...none, fast: ['c', 'a'], premium: ['c'] }, three).map(({ name }) => name)).toEqual(['c', 'a']);
    expect(STRENGTH.premium).toBe(1);
  });
});

describe('whatIf', () => {
  it('costs less with a lower bar and expects less quality, on the same decisions', async () => {
    const models = { small: { answer: () => 's', stepDeviceMs: 1 }, large: { answer: () => 'l', stepDeviceMs: 20 } };
    const host = routing(new FakeHosts(models), { qualityBar: 0.98 });
    for (let at = 0; at < 40; at += 1) await answer(host, chat('auto', `gain 0.${String(at % 10).padStart(2, '0')}: x`));
    const decisions = host.decisions.latest(100);
    const lower = whatIf(decisions, { qualityBar: 0.8, latencyGoalMs: null }, 1);
    const highest = whatIf(decisions, { qualityBar: 1, latencyGoalMs: null }, 1);
    expect(lower.requests).toBe(40);
    expect(lower.asAsked.byTier.fast).toBeGreaterThan(highest.asAsked.byTier.fast);
    expect(highest.asAsked.expectedQuality).toBeCloseTo(1);
    expect(lower.asAsked.expectedQuality).toBeGreaterThanOrEqual(0.8);
  });
});
