// `/api/router…`: which model answers and why, what another policy would have done, and the keys of upstreams.
import { Type } from 'typebox';
import { EngineError } from '../../errors.ts';
import type { RouterControl } from '../../routing/router-control.ts';
import type { GatewayApp } from '../context.ts';
import { errorResponses } from '../routes/response-schemas.ts';
import { nullable, shaped } from './response-schemas.ts';
import type { RouteDecision, RouterNow, WhatIfAnswer } from '../../contract.ts';

const text = Type.String();
const number = Type.Number();
const share = Type.Number({ minimum: 0, maximum: 1 });
const tier = Type.Union([Type.Literal('fast'), Type.Literal('balanced'), Type.Literal('premium')]);
const measured = Type.Object({ kind: Type.Literal('measured'), mean: share, plusMinus: number, graded: Type.Integer() });
const quality = Type.Union([Type.Object({ kind: Type.Literal('not_measured') }), measured]);

const alternative = Type.Object({
  target: text,
  tier,
  costUsd: nullable(number),
  ttftMs: nullable(number),
  waitMs: number,
  expectedLoss: number,
  usable: Type.Boolean(),
  verdict: text,
});

const decision = Type.Object({
  requestId: nullable(text),
  atMs: number,
  modelAsked: text,
  tenant: text,
  target: nullable(text),
  tier: nullable(tier),
  reason: text,
  degraded: Type.Boolean(),
  complexity: Type.Number({ description: '0 to 1.' }),
  expectedGain: Type.Number({ description: 'Expected correctness of the strongest tier less that of the weakest.' }),
  qualityBar: share,
  allowedLoss: Type.Number({ description: 'Largest expected loss that was allowed.' }),
  alternatives: Type.Array(alternative),
  attempts: Type.Array(Type.Object({ target: text, outcome: text, continued: Type.Boolean() })),
});

const target = Type.Object({
  target: text,
  tier,
  origin: Type.Union([Type.Literal('local'), Type.Literal('upstream')]),
  circuit: Type.Union([Type.Literal('closed'), Type.Literal('open'), Type.Literal('half_open')]),
  excluded: Type.Union([text, Type.Null()], { description: 'Why it is not used now.' }),
  waitMs: number,
  running: Type.Integer(),
  ttftMs: nullable(number),
  tokensPerSecond: nullable(number),
  costUsd: nullable(number),
  requests: Type.Integer(),
  failures: Type.Integer(),
  quality,
  perQualityAdjustedUsd: nullable(Type.Object({ usd: number, plusMinusUsd: number })),
});

const settings = Type.Unsafe<RouterNow['settings']>(Type.Object({}, { description: 'As in `/api/settings`, under `routing`.' }));
const routerNow = Type.Unsafe<RouterNow>(
  Type.Object({
    settings,
    targets: Type.Array(target),
    upstreams: Type.Array(Type.Object({ name: text, hasKey: Type.Boolean() })),
    upstreamUsd: Type.Number({ description: 'This month, what is under way among it.' }),
    quality,
    shadowUsdToday: number,
    decisions: Type.Array(decision, { description: 'Newest first.' }),
  }),
);
const outcome = Type.Object({
  costUsd: number,
  unpriced: Type.Integer({ description: 'Requests whose cost is not known.' }),
  expectedQuality: number,
  byTier: Type.Object({ fast: Type.Integer(), balanced: Type.Integer(), premium: Type.Integer() }),
});
const whatIfAnswer = shaped<WhatIfAnswer>()(Type.Object({ requests: Type.Integer(), asWas: outcome, asAsked: outcome }));

const nowSchema = { tags: ['Console'], summary: 'Targets, and the last decisions', response: { 200: routerNow, ...errorResponses } };
const decisionSchema = {
  tags: ['Console'],
  summary: 'Why this model answered',
  params: Type.Object({ requestId: Type.String({ maxLength: 200 }) }),
  response: { 200: shaped<RouteDecision>()(decision), ...errorResponses },
};
const whatIfSchema = {
  tags: ['Console'],
  summary: 'The kept decisions under another policy',
  body: Type.Object({ qualityBar: share, latencyGoalMs: nullable(Type.Number({ minimum: 1, maximum: 3_600_000 })) }),
  response: { 200: whatIfAnswer, ...errorResponses },
};
const keySchema = {
  tags: ['Console'],
  summary: 'Set the key of an upstream',
  description: 'It is kept encrypted and never shown again. Null forgets it.',
  params: Type.Object({ name: Type.String({ maxLength: 64 }) }),
  body: Type.Object({ key: nullable(Type.String({ minLength: 1, maxLength: 2_000, pattern: '^[\\x21-\\x7e]+$' })) }),
  response: { 200: Type.Object({ name: text, hasKey: Type.Boolean() }), ...errorResponses },
};

export function routerRoutes(app: GatewayApp, router: RouterControl): void {
  app.get('/api/router', { schema: nowSchema }, async () => router.now());
  app.get('/api/router/decisions/:requestId', { schema: decisionSchema }, async ({ params: { requestId } }) => {
    return router.decision(requestId) ?? unknownDecision(requestId);
  });
  app.post('/api/router/what-if', { schema: whatIfSchema }, async ({ body }) => router.whatIf(body));
  app.put('/api/router/upstreams/:name/key', { schema: keySchema }, async ({ params: { name }, body: { key } }) => {
    router.setUpstreamKey(name, key);
    return { name, hasKey: key !== null };
  });
}

function unknownDecision(requestId: string): never {
  const message = `No decision is kept for the request ${JSON.stringify(requestId)}: it named its model, or it is too long ago.`;
  throw new EngineError('not_found', message, { param: 'requestId' });
}
