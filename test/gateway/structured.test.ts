import { describe, expect, it } from 'vitest';
import { ask, errorOf, post, serving } from './serving.ts';

const schema = { type: 'object', properties: { b: { type: 'string' }, a: { type: 'null' } }, required: ['b'] };
const chat = '/v1/chat/completions';
const completion = (extra: object) => ({ model: 'fake', prompt: 'hello', ...extra });
const response = (extra: object) => ({ model: 'fake', input: 'hello', ...extra });

describe('what an answer must look like reaches the model', () => {
  const json = { kind: 'json_schema', schema };
  const cases: readonly (readonly [extra: object, spec: object])[] = [
    [{ response_format: { type: 'json_object' } }, { kind: 'json', field: 'response_format' }],
    [
      { response_format: { type: 'json_schema', json_schema: { name: 'x', schema, strict: true } } },
      { ...json, field: 'response_format.json_schema.schema', strict: true },
    ],
    [
      { response_format: { type: 'json_schema', json_schema: { name: 'x', schema, strict: null } } },
      { ...json, field: 'response_format.json_schema.schema', strict: false },
    ],
    [{ structured_outputs: { json: schema } }, { ...json, field: 'structured_outputs.json', strict: true }],
    [{ structured_outputs: { regex: 'a+' } }, { kind: 'regex', field: 'structured_outputs.regex', pattern: 'a+' }],
    [{ guided_json: JSON.stringify(schema) }, { ...json, field: 'guided_json', strict: true }],
    [{ guided_regex: 'a+' }, { kind: 'regex', field: 'guided_regex', pattern: 'a+' }],
    [{ guided_choice: ['yes', 'no'] }, { kind: 'choice', field: 'guided_choice', choices: ['yes', 'no'] }],
    [{ guided_grammar: 'root ::= "a"' }, { kind: 'ebnf', field: 'guided_grammar', source: 'root ::= "a"' }],
    [{ grammar: 'root ::= "a"' }, { kind: 'ebnf', field: 'grammar', source: 'root ::= "a"' }],
  ];

  it.each(cases)('%j', async (extra, spec) => {
    const { url, host } = await serving();
    for (const [path, body] of [
      [chat, ask(extra)],
      ['/v1/completions', completion(extra)],
    ] as const)
      expect((await post(url + path, body)).status).toBe(200);
    expect(host.requests.map(({ params }) => params.grammar)).toEqual([spec, spec]);
    // Properties are written in the order in which the client names them.
    if ('schema' in spec) expect(JSON.stringify(host.requests[0]?.params.grammar)).toContain(JSON.stringify(schema));
  });

  it('as the format of a response, which says so', async () => {
    const { url, host } = await serving();
    const format = { type: 'json_schema', name: 'x', schema, strict: true };
    const answer = await (await post(`${url}/v1/responses`, response({ text: { format } }))).json();
    expect(host.requests[0]?.params.grammar).toEqual({ kind: 'json_schema', field: 'text.format.schema', schema, strict: true });
    expect(answer.text.format).toEqual(format);
  });

  it('as Ollama’s format', async () => {
    const { url, host } = await serving();
    await post(`${url}/api/chat`, ask({ stream: false, format: 'json' }));
    await post(`${url}/api/generate`, completion({ stream: false, format: schema }));
    await post(`${url}/api/generate`, completion({ stream: false, format: '' }));
    expect(host.requests.map(({ params }) => params.grammar)).toEqual([
      { kind: 'json', field: 'format' },
      { kind: 'json_schema', field: 'format', schema, strict: false },
      undefined,
    ]);
  });
});

describe('what cannot be asked of an answer is refused by name', () => {
  it.each([
    ['response_format.type', 'unsupported_parameter', { response_format: { type: 'xml' } }],
    ['response_format.json_schema.schema', 'invalid_request', { response_format: { type: 'json_schema' } }],
    ['guided_regex', 'invalid_request', { guided_json: schema, guided_regex: 'a' }],
    ['guided_json', 'invalid_request', { guided_json: '{' }],
    ['guided_choice', 'invalid_request', { guided_choice: [] }],
  ])('%s: %s', async (param, code, extra) => {
    const { url } = await serving();
    expect(await errorOf(await post(url + chat, ask(extra)))).toMatchObject({ status: 400, code, param });
  });

  it('in a response', async () => {
    const { url } = await serving();
    const answer = await post(`${url}/v1/responses`, response({ text: { format: { type: 'xml' } } }));
    expect(await errorOf(answer)).toMatchObject({ status: 400, code: 'unsupported_parameter', param: 'text.format.type' });
  });
});
