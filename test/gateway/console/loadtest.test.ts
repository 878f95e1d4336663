// `/api/loadtests` over HTTP: started as the caller came, cancelled, read, exported, refused by field.
import { describe, expect, it } from 'vitest';
import type { LoadTestsAnswer } from '../../../engine/contract.ts';
import { FakeLoadTests } from '../../fakes/load-tests.ts';
import { errorOf, post, serving } from '../serving.ts';

const REQUEST = { profile: { kind: 'recorded' }, factor: 2, minutes: 5 };

async function tested() {
  const tests = new FakeLoadTests();
  const { url } = await serving({}, {}, (host) => host, { loadTests: async () => tests });
  return { tests, url, api: `${url}/api/loadtests` };
}

describe('load tests over HTTP', () => {
  it('starts one as the caller came, tells how far it is, and cancels it', async () => {
    const { tests, url, api } = await tested();
    const headers = { 'content-type': 'application/json', cookie: 'session=s' };
    const started = await post(api, { ...REQUEST, url: '' }, { headers });
    expect(await started.json()).toMatchObject({ state: 'preparing', asked: { factor: 2, url: null } });
    expect(tests.started).toEqual([{ ...REQUEST, url: null, model: null, key: null }]);
    expect(tests.homes).toEqual([{ url, headers: { cookie: 'session=s' } }]);
    const cancelled = await fetch(`${api}/current`, { method: 'DELETE', headers, body: '{}' });
    expect(((await cancelled.json()) as LoadTestsAnswer).run?.state).toBe('cancelled');
  });

  it('lists, reads and exports reports', async () => {
    const { tests, api } = await tested();
    const { reports } = (await (await fetch(api)).json()) as LoadTestsAnswer;
    expect(reports.map(({ id }) => id)).toEqual([tests.report.id]);
    expect(await (await fetch(`${api}/${tests.report.id}`)).json()).toEqual(tests.report);
    const page = await fetch(`${api}/${tests.report.id}/export?format=html`);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-disposition')).toBe(`attachment; filename="loadtest-${tests.report.id}.html"`);
    expect(await (await fetch(`${api}/${tests.report.id}/export?format=json`)).json()).toEqual(tests.report);
    expect(await errorOf(await fetch(`${api}/20200101-000000-0000`))).toMatchObject({ status: 404, code: 'not_found' });
  });

  it.each([
    [{ ...REQUEST, factor: 3 }],
    [{ ...REQUEST, minutes: 61 }],
    [{ ...REQUEST, profile: { kind: 'poisson' } }],
    [{ factor: 2, minutes: 5 }],
  ])('refuses %j', async (body) => {
    const { api, tests } = await tested();
    expect((await errorOf(await post(api, body))).status).toBe(400);
    expect(tests.started).toEqual([]);
  });
});
