// `/api/loadtests`: the load test that runs, how one is started and cancelled, and the reports that are kept.
import type { IncomingHttpHeaders } from 'node:http';
import { Type } from 'typebox';
import { LOAD_FACTORS, type LoadTestRequest } from '../../contract.ts';
import { EngineError } from '../../errors.ts';
import type { LoadTestControl } from '../../loadtest/load-test-control.ts';
import type { GatewayApp, GatewayContext } from '../context.ts';
import { errorResponses } from '../routes/response-schemas.ts';
import { loadTestReport, loadTestRun, loadTestsAnswer } from './loadtest-schemas.ts';
import { queryCompiler } from './query.ts';
import { nullable } from './response-schemas.ts';

const name = (description: string) => Type.String({ maxLength: 512, description });
const tokens = Type.Integer({ minimum: 1, maximum: 100_000 });
const synthetic = {
  model: name('The model to ask.'),
  perSecond: Type.Number({ minimum: 0.01, maximum: 1_000, description: 'On average, before the factor.' }),
  promptTokens: tokens,
  answerTokens: tokens,
};
const request = Type.Object({
  profile: Type.Union([
    Type.Object({ kind: Type.Literal('recorded') }),
    Type.Object({ kind: Type.Literal('poisson'), ...synthetic }),
    Type.Object({ kind: Type.Literal('bursts'), ...synthetic }),
  ]),
  factor: Type.Union(LOAD_FACTORS.map((factor) => Type.Literal(factor))),
  minutes: Type.Number({ minimum: 0.1, maximum: 60 }),
  url: Type.Optional(nullable(name('Another server of the own network; without it this one.'))),
  model: Type.Optional(nullable(name('Asked instead of those recorded.'))),
  key: Type.Optional(nullable(name('Sent to another server as a bearer token; never stored.'))),
});

const tags = ['Console'];
const listSchema = { tags, summary: 'Load tests', response: { 200: loadTestsAnswer, ...errorResponses } };
const startSchema = {
  tags,
  summary: 'Start a load test',
  description: 'Sends the recorded peak, or random arrivals, in an open loop, and judges how many requests kept their objectives.',
  body: request,
  response: { 200: loadTestRun, ...errorResponses },
};
const params = Type.Object({ id: Type.String({ pattern: '^[0-9a-z-]{1,64}$' }) });
const readSchema = { tags, summary: 'One load test', params, response: { 200: loadTestReport, ...errorResponses } };
const cancelSchema = { ...listSchema, summary: 'Cancel the load test that runs' };
const exportSchema = {
  tags,
  summary: 'A load test as a file',
  params,
  querystring: Type.Object({ format: Type.Optional(Type.Enum(['html', 'json'])) }),
  response: { 200: Type.String({ description: 'A page of its own, or the report as JSON.' }), ...errorResponses },
};

const TYPES = { html: 'text/html; charset=utf-8', json: 'application/json; charset=utf-8' } as const;

export function loadTestRoutes(app: GatewayApp, context: GatewayContext, control: () => Promise<LoadTestControl>): void {
  app.get('/api/loadtests', { schema: listSchema }, async () => (await control()).view());
  app.post('/api/loadtests', { schema: startSchema }, async ({ body, headers }) => {
    const { url = null, model = null, key = null } = body;
    const wish: LoadTestRequest = { ...body, url: url === '' ? null : url, model: model === '' ? null : model, key };
    return (await control()).start(wish, homeOf(context, headers));
  });
  app.delete('/api/loadtests/current', { schema: cancelSchema }, async () => {
    const tests = await control();
    tests.cancel();
    return tests.view();
  });
  app.get('/api/loadtests/:id', { schema: readSchema }, async ({ params: { id } }) => (await control()).read(id));
  app.get(
    '/api/loadtests/:id/export',
    { schema: exportSchema, validatorCompiler: queryCompiler },
    async ({ params: { id }, query }, reply) => {
      const { format = 'html' } = query;
      const tests = await control();
      const text = format === 'html' ? await tests.html(id) : `${JSON.stringify(await tests.read(id), null, 2)}\n`;
      return reply.header('content-disposition', `attachment; filename="loadtest-${id}.${format}"`).type(TYPES[format]).send(text);
    },
  );
}

/** Its requests enter as whoever asked for them. */
function homeOf({ address }: GatewayContext, { authorization, cookie }: IncomingHttpHeaders) {
  const url = address();
  if (url === null) throw new EngineError('draining', 'The server does not listen.');
  return { url, headers: { ...(authorization === undefined ? {} : { authorization }), ...(cookie === undefined ? {} : { cookie }) } };
}
