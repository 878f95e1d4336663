// The sampler against a full-softmax reference written without it, by chi-square over many draws.
import { describe, expect, it } from 'vitest';
import type { SamplingParams } from '../../engine/runner/protocol.ts';
import { LogitEdits } from '../../engine/runner/sampling/logit-edits.ts';
import { tokenLogprob } from '../../engine/runner/sampling/logprobs.ts';
import { chooseToken } from '../../engine/runner/sampling/sampler.ts';
import { uniformAt } from '../../engine/runner/sampling/uniform.ts';
import { rowAfter, rowOf, VOCAB_SIZE } from './fake-session.ts';
import { plainSampling } from './scheduling.ts';

const DRAWS = 10_000;

/** Probabilities over the vocabulary as the documentation of each parameter defines them, step by step over the whole row. */
function referenceDistribution(logits: readonly number[], params: SamplingParams): number[] {
  let probabilities = softmax(logits.map((logit) => logit / params.temperature));
  const keep = (kept: ReadonlySet<number>): void => {
    const total = [...kept].reduce((sum, token) => sum + (probabilities[token] ?? 0), 0);
    probabilities = probabilities.map((p, token) => (kept.has(token) ? p / total : 0));
  };
  const ranked = (): number[] => [...probabilities.keys()].sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0) || a - b);
  if (params.topK > 0) keep(new Set(ranked().slice(0, params.topK)));
  if (params.topP < 1) keep(untilMass(ranked(), probabilities, params.topP));
  if (params.minP > 0) {
    const threshold = Math.max(...probabilities) * params.minP;
    keep(new Set([...probabilities.keys()].filter((token) => (probabilities[token] ?? 0) >= threshold)));
  }
  if (params.typicalP < 1) {
    const entropy = probabilities.reduce((sum, p) => sum - (p > 0 ? p * Math.log(p) : 0), 0);
    const oddity = (token: number): number => Math.abs(-Math.log(probabilities[token] ?? 0) - entropy);
    keep(
      untilMass(
        ranked().sort((a, b) => oddity(a) - oddity(b)),
        probabilities,
        params.typicalP,
      ),
    );
  }
  return probabilities;
}

function softmax(logits: readonly number[]): number[] {
  const best = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - best));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

function untilMass(order: readonly number[], probabilities: readonly number[], mass: number): Set<number> {
  const kept = new Set<number>();
  let sum = 0;
  for (const token of order) {
    if (sum >= mass && kept.size > 0) break;
    kept.add(token);
    sum += probabilities[token] ?? 0;
  }
  return kept;
}

/** Pearson's statistic over cells of at least 5 expected draws, and the value that chance exceeds once in 10,000 times. */
function chiSquare(counts: readonly number[], probabilities: readonly number[]): { statistic: number; limit: number } {
  let statistic = 0;
  let cells = 0;
  let rest = { expected: 0, seen: 0 };
  const add = (expected: number, seen: number): void => {
    statistic += (seen - expected) ** 2 / expected;
    cells++;
  };
  probabilities.forEach((p, token) => {
    const expected = p * DRAWS;
    if (p === 0) expect(counts[token] ?? 0).toBe(0);
    else if (expected >= 5) add(expected, counts[token] ?? 0);
    else rest = { expected: rest.expected + expected, seen: rest.seen + (counts[token] ?? 0) };
  });
  if (rest.expected >= 5) add(rest.expected, rest.seen);
  const freedom = Math.max(1, cells - 1);
  // Wilson and Hilferty's approximation of the quantile, z = 3.72.
  return { statistic, limit: freedom * (1 - 2 / (9 * freedom) + 3.72 * Math.sqrt(2 / (9 * freedom))) ** 3 };
}

function drawMany(params: SamplingParams, edits: LogitEdits | null, logits: Float32Array): number[] {
  const counts = Array.from({ length: VOCAB_SIZE }, () => 0);
  const row = rowOf(logits, 1 / params.temperature);
  for (let i = 0; i < DRAWS; i++) {
    const token = chooseToken({ row, edits, params, uniform: () => uniformAt(99n, 0, i) });
    counts[token] = (counts[token] ?? 0) + 1;
  }
  return counts;
}

function expectAgreement(changes: Partial<SamplingParams>, logits = rowAfter([1, 2, 3]).logits): void {
  const params = { ...plainSampling, ...changes };
  const edited = [...logits];
  for (const [token, bias] of params.logitBias) edited[token] = (edited[token] ?? 0) + bias;
  const { statistic, limit } = chiSquare(drawMany(params, new LogitEdits(params, []), logits), referenceDistribution(edited, params));
  expect(statistic).toBeLessThan(limit);
}

/** A peaked row, as real models give. */
const peaked = rowAfter([4, 5]).logits.map((logit, token) => (token % 50 === 7 ? logit + 6 : logit));

describe('the sampler agrees with a full softmax', () => {
  for (const temperature of [1, 2]) {
    const t = { temperature };
    it(`at temperature ${temperature}`, () => expectAgreement(t));
    it(`at temperature ${temperature}, peaked`, () => expectAgreement(t, peaked));
    it(`at temperature ${temperature} with top_k inside the top 64`, () => expectAgreement({ ...t, topK: 20 }));
    it(`at temperature ${temperature} with top_k beyond the top 64`, () => expectAgreement({ ...t, topK: 150 }));
    it(`at temperature ${temperature} with top_p`, () => expectAgreement({ ...t, topP: 0.9 }));
    it(`at temperature ${temperature} with top_p after top_k`, () => expectAgreement({ ...t, topP: 0.5, topK: 100 }));
    it(`at temperature ${temperature} with min_p`, () => expectAgreement({ ...t, minP: 0.02 }));
    it(`at temperature ${temperature} with typical`, () => expectAgreement({ ...t, typicalP: 0.6 }));
    it(`at temperature ${temperature} with all of them`, () =>
      expectAgreement({ ...t, topK: 120, topP: 0.95, minP: 0.01, typicalP: 0.9 }, peaked));
    it(`at temperature ${temperature} with logit_bias`, () =>
      expectAgreement(
        {
          ...t,
          logitBias: [
            [peaked.indexOf(Math.max(...peaked)), -100],
            [3, 4],
            [250, 2],
            [17, -3],
          ],
        },
        peaked,
      ));
    it(`at temperature ${temperature} when logit_bias removes nearly all the mass`, () =>
      expectAgreement({ ...t, logitBias: [...rowOf(peaked, 1).topIndices].map((token) => [token, -100] as const) }, peaked));
  }
});

describe('the sampler', () => {
  const greedy = (logits: Float32Array, params: Partial<SamplingParams> = {}, prompt: number[] = []): number =>
    chooseToken({
      row: rowOf(logits, 1),
      edits: new LogitEdits({ ...plainSampling, ...params }, prompt),
      params: { ...plainSampling, ...params },
      uniform: () => 0,
    });

  it('is greedy at temperature 0, ties by the lowest index', () => {
    const flat = new Float32Array(VOCAB_SIZE).fill(1);
    expect(greedy(flat)).toBe(0);
    flat[200] = 2;
    flat[201] = 2;
    expect(greedy(flat)).toBe(200);
  });

  it('finds the best token when every one of the top 64 is banned', () => {
    const logits = Float32Array.from({ length: VOCAB_SIZE }, (_, token) => (token < 64 ? 20 + token / 10 : token === 222 ? 9 : 1));
    const logitBias = Array.from({ length: 64 }, (_, token) => [token, -100] as const);
    expect(greedy(logits, { logitBias })).toBe(222);
  });

  it('applies the three penalties as their sources define them', () => {
    const params = { ...plainSampling, repetitionPenalty: 2, frequencyPenalty: 0.5, presencePenalty: 0.25 };
    const edits = new LogitEdits(params, [1, 2]);
    edits.record(2);
    edits.record(2);
    edits.record(3);
    expect([edits.apply(1, 4), edits.apply(1, -4), edits.apply(2, 4), edits.apply(3, -1), edits.apply(4, 4)]).toEqual([
      2, -8, 0.75, -2.75, 4,
    ]);
  });

  it('reports log-probabilities of the model, whatever the temperature', () => {
    const logits = rowAfter([9]).logits;
    const expected = softmax([...logits]).map(Math.log);
    for (const inverseTemperature of [1, 0.5]) {
      const { logprob, top } = tokenLogprob(rowOf(logits, inverseTemperature), 123, 3);
      expect(logprob).toBeCloseTo(expected[123] ?? 0, 4);
      expect(top.map((entry) => entry.logprob)[0]).toBeCloseTo(Math.max(...expected), 4);
      expect(top).toHaveLength(3);
    }
  });
});
