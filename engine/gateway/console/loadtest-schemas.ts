// What `/api/loadtests` answers, for the API's reference: held by the compiler to the shapes in contract.ts.
import { Type } from 'typebox';
import { LOAD_FACTORS, type LoadFactor, type LoadTestReport, type LoadTestRun, type LoadTestsAnswer } from '../../contract.ts';
import { nullable, shaped } from './response-schemas.ts';

const text = Type.String();
const number = Type.Number();
const count = Type.Integer();
const percentiles = Type.Object(
  { p50: nullable(number), p95: nullable(number), p99: nullable(number), max: nullable(number) },
  { description: 'ms.' },
);
const slo = Type.Object({ ttftMs: nullable(number), interTokenMs: nullable(number), totalMs: nullable(number) });
const rates = { requestsPerSecond: number, tokensPerSecond: number };
const synthetic = { model: text, perSecond: number, promptTokens: number, answerTokens: number };
const asked = Type.Object({
  profile: Type.Union([
    Type.Object({ kind: Type.Literal('recorded') }),
    Type.Object({ kind: Type.Union([Type.Literal('poisson'), Type.Literal('bursts')]), ...synthetic }),
  ]),
  factor: Type.Unsafe<LoadFactor>(Type.Union(LOAD_FACTORS.map((factor) => Type.Literal(factor)))),
  minutes: number,
  url: nullable(text),
  model: nullable(text),
});

const summary = {
  id: text,
  startedMs: number,
  endedMs: number,
  asked,
  source: text,
  verdict: Type.Enum(['passed', 'failed', 'inconclusive']),
  sentence: text,
  requests: Type.Object({ planned: count, sent: count, ok: count, failed: count, good: count }),
  goodput: Type.Object({ ...rates, share: number }),
  ttft: percentiles,
  interToken: percentiles,
  cost: nullable(Type.Object({ usd: number, usdPerRequest: number })),
};

const point = Type.Object({
  atMs: number,
  due: count,
  failed: count,
  good: count,
  ttftP50Ms: nullable(number),
  ttftP99Ms: nullable(number),
  open: count,
});

export const loadTestReport = shaped<LoadTestReport>()(
  Type.Object({
    ...summary,
    version: text,
    leftOut: Type.Array(Type.Object({ reason: text, count })),
    throughput: Type.Object(rates),
    promptTokens: count,
    completionTokens: count,
    total: percentiles,
    errors: Type.Array(Type.Object({ status: count, message: text, count })),
    queue: nullable(Type.Object({ waitP50Ms: nullable(number), waitP99Ms: nullable(number), mostWaiting: nullable(number) })),
    memory: nullable(Type.Object({ peakBytes: number, totalBytes: nullable(number) })),
    firstToGive: Type.Object({
      what: Type.Enum(['nothing', 'queue', 'prefill', 'decode', 'refusals', 'errors', 'generator']),
      atMs: nullable(number),
      sentence: text,
      advice: text,
    }),
    models: Type.Array(
      Type.Object({ model: text, slo, requests: count, failed: count, good: count, ttft: percentiles, interToken: percentiles }),
    ),
    timeline: Type.Array(point),
    generator: Type.Object({ late: percentiles, cores: number }),
  }),
);

const run = Type.Object({
  state: Type.Enum(['preparing', 'sending', 'finishing', 'done', 'failed', 'cancelled']),
  asked,
  startedMs: number,
  step: text,
  planned: count,
  sent: count,
  answered: count,
  failed: count,
  good: count,
  ttftP50Ms: nullable(number),
  etaMs: nullable(number),
  reportId: nullable(text),
  reason: nullable(text),
});
export const loadTestRun = shaped<LoadTestRun>()(run);
export const loadTestsAnswer = shaped<LoadTestsAnswer>()(Type.Object({ run: nullable(run), reports: Type.Array(Type.Object(summary)) }));
