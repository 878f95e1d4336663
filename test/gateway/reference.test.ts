import { describe, expect, it } from 'vitest';
import { CHAT_REFUSALS } from '../../engine/gateway/openai/refusals.ts';
import { serving } from './serving.ts';

const METHODS = ['get', 'post'] as const;

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly responses: Readonly<Record<string, { content?: Readonly<Record<string, unknown>> }>>;
}

async function readOperations(): Promise<[string, Operation][]> {
  const { url } = await serving();
  const { paths } = await (await fetch(`${url}/openapi.json`)).json();
  return Object.entries<Partial<Record<(typeof METHODS)[number], Operation>>>(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => (item[method] === undefined ? [] : [[`${method} ${path}`, item[method]] satisfies [string, Operation]])),
  );
}

describe('the API’s reference', () => {
  it('names every operation, and says what each does', async () => {
    const operations = await readOperations();
    expect(operations.map(([name]) => name)).toEqual([
      'post /v1/chat/completions',
      'post /v1/completions',
      'post /v1/responses',
      'post /v1/responses/input_tokens',
      'get /v1/responses/{id}',
      'post /v1/responses/{id}/cancel',
      'get /v1/responses/{id}/input_items',
      'post /v1/embeddings',
      'post /v1/rerank',
      'post /rerank',
      'post /v1/classify',
      'get /v2',
      'get /v2/health/live',
      'get /v2/health/ready',
      'get /v2/models/{model}',
      'get /v2/models/{model}/ready',
      'post /v1/infer/{model}',
      'post /v2/models/{model}/infer',
      'get /v1/models',
      'get /v1/models/{id}',
      'get /health',
      'get /ready',
      'get /api/status',
      'post /api/chat',
      'post /api/generate',
      'post /api/embed',
      'post /api/embeddings',
      'get /api/tags',
      'get /api/ps',
      'post /api/show',
      'get /api/version',
    ]);
    for (const [, { summary }] of operations) expect(summary).toBeTruthy();
  });

  it('has a schema for each that compiles: an empty body is judged, not stumbled over', async () => {
    const { url } = await serving();
    for (const [operation] of await readOperations()) {
      const [method = '', path = ''] = operation.split(' ');
      const body = method === 'post' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {};
      const { status } = await fetch(`${url}${path}`, { method, ...body });
      // What has no body is about a thing that does not exist.
      const expected = path.includes('{id}') ? 404 : method === 'post' ? 400 : 200;
      expect([operation, method === 'post' ? status : expected]).toEqual([operation, expected]);
      expect(status).not.toBe(500);
    }
  });

  it('gives ranges of statuses as OpenAPI spells them, and both forms of an answer', async () => {
    const operations = await readOperations();
    for (const [, { responses }] of operations)
      for (const status of Object.keys(responses)) expect(status).toMatch(/^([1-5]\d\d|[1-5]XX)$/);
    const chat = operations.find(([name]) => name === 'post /v1/chat/completions')?.[1];
    expect(Object.keys(chat?.responses['200']?.content ?? {})).toEqual(['application/json', 'text/event-stream']);
    for (const field of Object.keys(CHAT_REFUSALS)) expect(chat?.description).toContain(`\`${field}\``);
  });
});
