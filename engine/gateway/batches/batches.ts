// `/v1/batches`: create, list, retrieve and cancel; and `GET /api/batches` for the console.
import { Type, type Static } from 'typebox';
import type { BatchControl } from '../../jobs/batches/batch-control.ts';
import { queryCompiler } from '../console/query.ts';
import type { GatewayApp } from '../context.ts';
import { invalid } from '../openai/faults.ts';
import { dropNullFields } from '../openai/nulls.ts';
import { errorResponses } from '../routes/response-schemas.ts';
import { batchesAnswer } from './console-schemas.ts';
import { batchList, batchObject, toBatchObject, toList } from './objects.ts';
import { ownerOf } from './owner.ts';

const params = Type.Object({ id: Type.String() });
const createBody = Type.Object({
  input_file_id: Type.String(),
  endpoint: Type.String({ description: 'Of every row, such as /v1/chat/completions.' }),
  completion_window: Type.String({ description: 'Hours or days: 24h, 7d.' }),
  metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  output_expires_after: Type.Optional(
    Type.Object({ anchor: Type.Literal('created_at'), seconds: Type.Integer({ minimum: 3_600, maximum: 2_592_000 }) }),
  ),
});
const createSchema = {
  tags: ['Batches'],
  summary: 'Run the rows of a file',
  description:
    'OpenAI’s batches: 50,000 rows at most, validated line by line, run when no interactive request is under way. ' +
    'Every row ends exactly once in the output or the error file, whatever becomes of the server meanwhile.',
  body: createBody,
  response: { 200: batchObject, ...errorResponses },
};
const listSchema = {
  tags: ['Batches'],
  summary: 'List batches',
  querystring: Type.Object({
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    after: Type.Optional(Type.String()),
  }),
  response: { 200: batchList, ...errorResponses },
};
const one = (summary: string) => ({ tags: ['Batches'], summary, params, response: { 200: batchObject, ...errorResponses } });
const viewSchema = { tags: ['Console'], summary: 'Batches and whether they run', response: { 200: batchesAnswer, ...errorResponses } };

const LIST_LIMIT = 20;
const MOST_PAIRS = 16;
const MOST_KEY_CHARS = 64;
const MOST_VALUE_CHARS = 512;

export function batchRoutes(app: GatewayApp, batches: () => Promise<BatchControl>): void {
  app.post('/v1/batches', { schema: createSchema, preValidation: dropNullFields }, async (request) => {
    const { input_file_id: inputFileId, endpoint, completion_window: window, output_expires_after: life } = request.body;
    const wish = { inputFileId, endpoint, window, metadata: metadataOf(request.body), outputLifeMs: life ? life.seconds * 1000 : null };
    return toBatchObject(await (await batches()).create(wish, ownerOf(request)));
  });
  app.get('/v1/batches', { schema: listSchema, validatorCompiler: queryCompiler }, async (request) => {
    const { limit = LIST_LIMIT, after = null } = request.query;
    return toList(await (await batches()).batches({ limit, after, order: 'desc' }, ownerOf(request)), toBatchObject);
  });
  app.get('/v1/batches/:id', { schema: one('A batch') }, async (request) =>
    toBatchObject(await (await batches()).batch(request.params.id, ownerOf(request))),
  );
  app.post('/v1/batches/:id/cancel', { schema: one('Cancel a batch') }, async (request) =>
    toBatchObject(await (await batches()).cancel(request.params.id, ownerOf(request))),
  );
  app.get('/api/batches', { schema: viewSchema }, async (request) => (await batches()).view(ownerOf(request)));
}

/** @throws EngineError `invalid_request` */
function metadataOf({ metadata }: Static<typeof createBody>): Record<string, string> | null {
  if (metadata === undefined) return null;
  const pairs = Object.entries(metadata);
  if (pairs.length > MOST_PAIRS) throw invalid('metadata', `metadata has ${MOST_PAIRS} pairs at most.`);
  return Object.fromEntries(pairs.map(([key, value]) => [key, textValue(key, value)]));
}

function textValue(key: string, value: unknown): string {
  if (key.length <= MOST_KEY_CHARS && typeof value === 'string' && value.length <= MOST_VALUE_CHARS) return value;
  throw invalid('metadata', `metadata has keys of ${MOST_KEY_CHARS} characters and texts of ${MOST_VALUE_CHARS} at most.`);
}
