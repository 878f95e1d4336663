import { describe, expect, it } from 'vitest';
import type { RoutingSettings } from '../../engine/contract.ts';
import { EngineError } from '../../engine/errors.ts';
import type { RequestRecord } from '../../engine/ledger/ledger.ts';
import type { FakeHostOptions } from '../fakes/host.ts';
import { FakeHosts } from '../fakes/hosts.ts';
import { errorOf, post, serving } from '../gateway/serving.ts';
import { routing } from './routing.ts';

const says = (text: string) => ({ answer: () => text });
const died = new EngineError('runner_died', 'The process ended.');

async function routed(models: Record<string, FakeHostOptions>, settings: Partial<RoutingSettings> = {}) {
  const hosts = new FakeHosts(models);
  const host = routing(hosts, settings);
  const records: RequestRecord[] = [];
  const { url } = await serving({}, {}, () => host, { onRecord: (record) => records.push(record) });
  const ask = (body: object, headers: Record<string, string> = {}): Promise<Response> =>
    post(
      `${url}/v1/chat/completions`,
      { messages: [{ role: 'user', content: 'hello' }], ...body },
      {
        headers: { 'content-type': 'application/json', ...headers },
      },
    );
  return { hosts, host, url, ask, records };
}

const recorded = async (records: readonly RequestRecord[]): Promise<RequestRecord | undefined> => {
  for (let turn = 0; turn < 100 && records.length === 0; turn += 1) await new Promise((resolve) => setTimeout(resolve, 5));
  return records[0];
};

describe('routing through HTTP', () => {
  it('says in headers and in the record which model answered and why', async () => {
    const { ask, records } = await routed({ small: says('s'), large: says('l') });
    const response = await ask({ model: 'auto' });
    const body = (await response.json()) as { model: string; choices: { message: { content: string } }[] };
    expect(body.choices[0]?.message.content).toBe('s');
    expect(response.headers.get('x-millrace-model')).toBe('small');
    expect(response.headers.get('x-millrace-tier')).toBe('fast');
    expect(response.headers.get('x-millrace-degraded')).toBe('false');
    const reason = response.headers.get('x-millrace-route');
    expect(reason).toMatch(/^complexity 0\.05: fast/);
    expect(await recorded(records)).toMatchObject({ modelAsked: 'auto', model: 'small', routeReason: reason });
  });

  it('takes hints from headers and from metadata, and refuses those that mean nothing', async () => {
    const { ask } = await routed({ small: says('s'), large: says('l') });
    const model = async (body: object, headers: Record<string, string>): Promise<string | null> =>
      (await ask({ model: 'auto', ...body }, headers)).headers.get('x-millrace-model');
    expect(await model({}, { 'x-millrace-quality': '1' })).toBe('large');
    expect(await model({ metadata: { 'millrace-quality': '1' } }, {})).toBe('large');
    expect(await errorOf(await ask({ model: 'auto' }, { 'x-millrace-quality': 'best' }))).toMatchObject({
      status: 400,
      param: 'x-millrace-quality',
    });
  });

  it('streams from the next model when the first one fails, with the headers of the one that answers', async () => {
    const { ask } = await routed({ small: { failure: { error: died, afterSteps: 0 } }, large: says('whole') });
    const response = await ask({ model: 'auto', stream: true });
    const text = await response.text();
    expect(response.headers.get('x-millrace-model')).toBe('large');
    expect(text).toContain('data: [DONE]');
    expect(text.match(/"role":"assistant"/g)).toHaveLength(1);
  });

  it('goes on with a stream that broke off, and marks where', async () => {
    const { ask, records } = await routed({
      small: { answer: () => 'abcdef', failure: { error: died, afterSteps: 3 } },
      large: says('DEF'),
    });
    const response = await ask({ model: 'auto', stream: true });
    const lines = (await response.text()).split('\n\n');
    const said = lines.flatMap((line) => /"content":"([^"]+)"/.exec(line)?.[1] ?? []).join('');
    expect(said).toBe('abcDEF');
    expect(lines.find((line) => line.startsWith(': continued'))).toContain('continued by large');
    expect(lines.at(-2)).toBe('data: [DONE]');
    expect(await recorded(records)).toMatchObject({ model: 'large', outcome: 'ok' });
  });

  it('lists the names that route beside the models, but not as models of the console', async () => {
    const { url } = await routed({ small: {}, large: {} });
    const listed = (await (await fetch(`${url}/v1/models`)).json()) as { data: { id: string }[] };
    expect(listed.data.map(({ id }) => id)).toEqual(['small', 'large', 'auto', 'auto:fast', 'auto:balanced', 'auto:premium']);
    const status = (await (await fetch(`${url}/api/status`)).json()) as { models: { id: string }[] };
    expect(status.models.map(({ id }) => id)).toEqual(['small', 'large']);
  });

  it('answers 404 for auto without a model', async () => {
    const { ask } = await routed({});
    expect(await errorOf(await ask({ model: 'auto' }))).toMatchObject({ status: 404, code: 'model_not_found' });
  });
});

describe('continue_final_message', () => {
  it('leaves the last message open, and needs one that is the assistant’s', async () => {
    const { ask, hosts } = await routed({ small: says('s') });
    const messages = [
      { role: 'user', content: 'Count.' },
      { role: 'assistant', content: 'One,' },
    ];
    expect((await ask({ model: 'small', messages, continue_final_message: true })).status).toBe(200);
    const templateOptions = { add_generation_prompt: false, continue_final_message: true };
    expect(hosts.of('small').requests[0]?.prompt).toMatchObject({ templateOptions });
    expect(await errorOf(await ask({ model: 'small', continue_final_message: true }))).toMatchObject({
      status: 400,
      param: 'continue_final_message',
    });
  });
});
