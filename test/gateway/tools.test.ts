import fc from 'fast-check';
import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { CallParser } from '../../engine/gateway/openai/call-parser.ts';
import { chatChunk, chatCompletion } from '../../engine/gateway/routes/response-schemas.ts';
import { ask, errorOf, eventsOf, post, serving } from './serving.ts';

const PATH = '/v1/chat/completions';
const tool = (name: string) => ({ type: 'function', function: { name, parameters: { type: 'object' } } });
const tools = [tool('look'), tool('buy')];
const called = (name: string, args: string): string => `<tool_call>\n{"name": "${name}", "arguments": ${args}}\n</tool_call>`;
const TWO = `Well. ${called('look', '{"a":{"b":"}"}}')}\n${called('buy', '{}')}`;

describe('tools', () => {
  it('are called in a whole answer', async () => {
    const { url } = await serving({ answer: () => TWO });
    const answer = await (await post(url + PATH, ask({ tools }))).json();
    expect(Value.Errors(chatCompletion, answer)).toEqual([]);
    const call = (name: string, args: string) => ({
      id: expect.stringMatching(/^call_/),
      type: 'function',
      function: { name, arguments: args },
    });
    expect(answer.choices[0]).toMatchObject({
      message: { content: 'Well. ', tool_calls: [call('look', '{"a":{"b":"}"}}'), call('buy', '{}')] },
      finish_reason: 'tool_calls',
    });
  });

  it('are called in a stream, piece by piece', async () => {
    const { url } = await serving({ answer: () => TWO });
    const events = await eventsOf(await post(url + PATH, ask({ tools, stream: true })));
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event));
    for (const chunk of chunks) expect(Value.Errors(chatChunk, chunk)).toEqual([]);
    const deltas = chunks.flatMap(({ choices }) => choices[0].delta.tool_calls ?? []);
    const argumentsOf = (at: number): string => deltas.map((delta) => (delta.index === at ? delta.function.arguments : '')).join('');
    expect(deltas.flatMap((delta) => delta.function.name ?? [])).toEqual(['look', 'buy']);
    expect([argumentsOf(0), argumentsOf(1)]).toEqual(['{"a":{"b":"}"}}', '{}']);
    expect(chunks.map(({ choices }) => choices[0].delta.content ?? '').join('')).toBe('Well. ');
    expect(chunks.at(-1).choices[0].finish_reason).toBe('tool_calls');
  });

  it.each([
    [{}, { allowText: true, allowSeveral: true }, ['look', 'buy']],
    [{ tool_choice: 'required', parallel_tool_calls: false }, { allowText: false, allowSeveral: false }, ['look', 'buy']],
    [{ tool_choice: { type: 'function', function: { name: 'buy' } } }, { allowText: false }, ['buy']],
  ])('%j is a grammar', async (extra, grammar, names) => {
    const { url, host } = await serving();
    await post(url + PATH, ask({ tools, ...extra }));
    const asked = host.requests[0]?.params.grammar;
    expect(asked).toMatchObject({ kind: 'tool_calls', ...grammar });
    expect(asked?.kind === 'tool_calls' && asked.tools.map(({ name }) => name)).toEqual(names);
  });

  it('are told to a model whose template knows none, and calls and results come back to it', async () => {
    const { url, host } = await serving();
    const calls = [{ id: '1', type: 'function', function: { name: 'look', arguments: '{}' } }];
    const messages = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: null, tool_calls: calls },
      { role: 'tool', tool_call_id: '1', content: 'x' },
      { role: 'tool', tool_call_id: '2', content: 'y' },
    ];
    await post(url + PATH, ask({ tools, messages }));
    await post(url + PATH, ask({ tools, messages, tool_choice: 'none' }));
    const result = { role: 'user', content: '<tool_response>\nx\n</tool_response>\n<tool_response>\ny\n</tool_response>' };
    const spoken = [{ role: 'user', content: 'hi' }, { role: 'assistant', content: called('look', '{}') }, result];
    expect(host.requests.map(({ prompt }) => prompt)).toMatchObject([
      { tools: null, messages: [{ role: 'system', content: expect.stringContaining('"name":"buy"') }, ...spoken] },
      { tools: null, messages: spoken },
    ]);
    expect(host.requests[1]?.params.grammar).toBeUndefined();
  });

  it.each([
    ['tool_choice', { tools, tool_choice: { type: 'function', function: { name: 'sell' } } }],
    ['tool_choice', { tool_choice: 'required' }],
  ])('a bad %s is refused', async (param, extra) => {
    const { url } = await serving();
    expect(await errorOf(await post(url + PATH, ask(extra)))).toMatchObject({ status: 400, code: 'invalid_request', param });
  });

  it('are parsed alike, however the answer is cut', () => {
    const merged = (pieces: readonly string[]): string => {
      const parser = new CallParser();
      return [...pieces.flatMap((piece) => parser.take(piece)), ...parser.end()]
        .map((part) => (part.kind === 'call' ? `[${part.name}]` : part.text))
        .join('');
    };
    const text = `a < <tool ${TWO}`;
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(text.length), (one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        expect(merged([text.slice(0, from), text.slice(from, to), text.slice(to)])).toBe('a < <tool Well. [look]{"a":{"b":"}"}}[buy]{}');
      }),
    );
  });
});
