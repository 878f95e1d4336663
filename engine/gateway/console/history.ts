// `GET /api/history/…`: the past as series, as requests, as one request, and as a file.
import { Readable } from 'node:stream';
import { Type, type Static } from 'typebox';
import { DEVICE_SERIES, SERIES, type RequestFilter, type SeriesName } from '../../contract.ts';
import { EngineError } from '../../errors.ts';
import type { SeriesQuery } from '../../ledger/ledger.ts';
import type { GatewayApp, GatewayContext } from '../context.ts';
import { invalid } from '../openai/faults.ts';
import { errorResponses } from '../routes/response-schemas.ts';
import { queryCompiler, rangeFields, readRange } from './query.ts';
import { requestPage, requestRow, seriesAnswer } from './response-schemas.ts';
import type { ConsoleServices } from './services.ts';

const NAMES: ReadonlySet<string> = new Set([...SERIES, ...DEVICE_SERIES]);
const TEXT = { minLength: 1, maxLength: 512 };
const TYPES = { csv: 'text/csv; charset=utf-8', jsonl: 'application/jsonl; charset=utf-8' } as const;

const seriesSchema = {
  tags: ['Console'],
  summary: 'Series over time',
  querystring: Type.Object({
    ...rangeFields,
    step: Type.Optional(
      Type.Union(
        ([1_000, 60_000, 3_600_000, 86_400_000] as const).map((step) => Type.Literal(step)),
        { description: 'ms of one point. Default: the finest with at most 1,500 points.' },
      ),
    ),
    names: Type.String({ ...TEXT, maxLength: 2_048, description: `With commas between them: ${[...NAMES].join(', ')}.` }),
    of: Type.Optional(Type.String({ ...TEXT, description: '`all`, a model or a device. Default `all`.' })),
  }),
  response: { 200: seriesAnswer, ...errorResponses },
};

const requestsQuery = Type.Object({
  ...rangeFields,
  order: Type.Optional(Type.Enum(['newest', 'slowest', 'costliest'])),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, description: 'Default 100.' })),
  cursor: Type.Optional(Type.String({ ...TEXT, description: 'Of the page before.' })),
  model: Type.Optional(Type.String(TEXT)),
  tenant: Type.Optional(Type.String(TEXT)),
  endpoint: Type.Optional(Type.String(TEXT)),
  outcome: Type.Optional(Type.Enum(['ok', 'error', 'cancelled'])),
  minTotalMs: Type.Optional(Type.Number({ minimum: 0 })),
  search: Type.Optional(Type.String({ ...TEXT, description: 'Part of a request id, model or error code.' })),
});
const requestsSchema = {
  tags: ['Console'],
  summary: 'Finished requests',
  querystring: requestsQuery,
  response: { 200: requestPage, ...errorResponses },
};

const requestSchema = {
  tags: ['Console'],
  summary: 'One finished request',
  params: Type.Object({ rowId: Type.String({ pattern: '^[1-9]\\d{0,14}$', description: 'A whole number.' }) }),
  response: { 200: requestRow, ...errorResponses },
};

const rowsFile = Type.Unsafe<Readable>(Type.String({ description: 'A row a line, as text/csv or application/jsonl.' }));
const exportSchema = {
  tags: ['Console'],
  summary: 'The history as a file',
  querystring: Type.Object({
    ...rangeFields,
    table: Type.Optional(Type.Enum(['requests', 'samples', 'alerts'])),
    format: Type.Optional(Type.Enum(['csv', 'jsonl'])),
  }),
  response: { 200: rowsFile, ...errorResponses },
};

export function historyRoutes(app: GatewayApp, { now, log }: GatewayContext, services: () => Promise<ConsoleServices>): void {
  const validatorCompiler = queryCompiler;
  app.get('/api/history/series', { schema: seriesSchema, validatorCompiler }, async ({ query }) => {
    const { ledger } = await services();
    return ledger.series(seriesQuery(query, now()));
  });
  app.get('/api/history/requests', { schema: requestsSchema, validatorCompiler }, async ({ query }) => {
    const { ledger } = await services();
    const { order = 'newest', limit = 100, cursor = null } = query;
    return ledger.requests({ range: readRange(query, now()), filter: filterOf(query), order, limit, cursor });
  });
  app.get('/api/history/requests/:rowId', { schema: requestSchema }, async ({ params }) => {
    const { ledger } = await services();
    return (await ledger.request(Number(params.rowId))) ?? unknownRequest(params.rowId);
  });
  app.get('/api/history/export', { schema: exportSchema, validatorCompiler }, async ({ query }, reply) => {
    const { ledger } = await services();
    const { table = 'requests', format = 'csv' } = query;
    const range = readRange(query, now());
    const ended = new AbortController();
    reply.raw.once('close', () => ended.abort());
    const lines = Readable.from(ledger.export({ range, table, format }, ended.signal), { objectMode: false });
    lines.on('error', (err) => log.error({ err }, 'an export ended early'));
    const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
    const name = `millrace-${table}-${day(range.fromMs)}-${day(range.toMs)}.${format}`;
    return reply.header('content-disposition', `attachment; filename="${name}"`).type(TYPES[format]).send(lines);
  });
}

/** @throws EngineError `invalid_request` for a name that is no series */
function seriesQuery(query: Static<typeof seriesSchema.querystring>, nowMs: number): SeriesQuery {
  const names = [...new Set(query.names.split(',').map((name) => name.trim()))];
  const unknown = names.find((name) => !NAMES.has(name));
  if (unknown !== undefined) throw invalid('names', `names holds ${JSON.stringify(unknown)}, which is none of ${[...NAMES].join(', ')}.`);
  return { range: readRange(query, nowMs), stepMs: query.step ?? null, names: names as readonly SeriesName[], of: query.of ?? 'all' };
}

function filterOf({ model, tenant, endpoint, outcome, minTotalMs, search }: Static<typeof requestsQuery>): RequestFilter {
  return {
    ...(model === undefined ? {} : { model }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(minTotalMs === undefined ? {} : { minTotalMs }),
    ...(search === undefined ? {} : { search }),
  };
}

function unknownRequest(rowId: string): never {
  throw new EngineError('not_found', `There is no request ${rowId}; it may be older than what is kept.`, { param: 'rowId' });
}
