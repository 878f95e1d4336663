import { describe, expect, it } from 'vitest';
import type { RequestPage, Settings, SlosAnswer } from '../../../engine/contract.ts';
import { ask, errorOf, post, until } from '../serving.ts';
import { ALERT, consoling, JOB, SLO } from './consoling.ts';
import { aRequest } from '../../ledger/records.ts';

const json = async <T>(response: Promise<Response>): Promise<T> => (await (await response).json()) as T;

describe('the history', () => {
  it('gives pages of requests, filtered and in order', async () => {
    const { ledger, call } = await consoling();
    for (const [at, totalMs] of [10, 30, 20].entries())
      ledger.record(aRequest({ requestId: `r${at}`, atMs: 1_000 + at, totalMs, model: at === 2 ? 'other' : 'mill' }));
    const slowest = await json<RequestPage>(call('GET', '/api/history/requests?from=0&to=5000&order=slowest&limit=2'));
    expect(slowest.rows.map(({ requestId }) => requestId)).toEqual(['r1', 'r2']);
    expect(slowest.total).toBe(3);
    const rest = await json<RequestPage>(
      call('GET', `/api/history/requests?from=0&to=5000&order=slowest&limit=2&cursor=${slowest.cursor}`),
    );
    expect(rest.rows.map(({ requestId }) => requestId)).toEqual(['r0']);
    const mills = await json<RequestPage>(call('GET', '/api/history/requests?from=0&to=5000&model=mill&minTotalMs=15'));
    expect(mills.rows.map(({ requestId }) => requestId)).toEqual(['r1']);
    expect(await json(call('GET', '/api/history/requests/2'))).toMatchObject({ rowId: 2, requestId: 'r1' });
    expect(await errorOf(await call('GET', '/api/history/requests/99'))).toMatchObject({ status: 404, code: 'not_found', param: 'rowId' });
  });

  it('gives series of the last hour unless asked otherwise', async () => {
    const { ledger, call } = await consoling();
    ledger.record(aRequest({ atMs: Date.now() - 2_000, totalMs: 1 }));
    const answer = await json<{ stepMs: number; values: { requests: (number | null)[] } }>(
      call('GET', '/api/history/series?names=requests,ttftP50Ms&step=60000'),
    );
    expect(answer.stepMs).toBe(60_000);
    expect(answer.values.requests.reduce<number>((sum, count) => sum + (count ?? 0), 0)).toBe(1);
  });

  it.each([
    ['/api/history/series', 'names'],
    ['/api/history/series?names=requests,nonsense', 'names'],
    ['/api/history/series?names=requests&step=7', 'step'],
    ['/api/history/series?names=requests&from=soon', 'from'],
    ['/api/history/requests?from=5&to=5', 'from'],
    ['/api/history/requests?limit=501', 'limit'],
    ['/api/history/requests?outcome=lucky', 'outcome'],
    ['/api/history/requests?minTotalMs=-1', 'minTotalMs'],
    ['/api/history/requests/none', 'rowId'],
    ['/api/history/export?format=xlsx', 'format'],
    ['/api/cost?by=mood', 'by'],
  ])('refuses %s by the name of the field', async (path, param) => {
    const { call } = await consoling();
    expect(await errorOf(await call('GET', path))).toMatchObject({ status: 400, code: 'invalid_request', param });
  });

  it('is a file to keep, in pieces', async () => {
    const { ledger, call } = await consoling();
    for (let at = 0; at < 3; at++) ledger.record(aRequest({ requestId: `r${at}`, atMs: 1_000 }));
    const response = await call('GET', '/api/history/export?from=0&to=86400000&format=jsonl');
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="millrace-requests-1970-01-01-1970-01-02.jsonl"');
    expect(response.headers.get('content-type')).toMatch(/^application\/jsonl/);
    const rows = (await response.text()).trim().split('\n');
    expect(rows.map((row) => (JSON.parse(row) as { requestId: string }).requestId)).toEqual(['r0', 'r1', 'r2']);
  });

  it('stops reading when the reader of an export goes away', async () => {
    let made = 0;
    const gone = Promise.withResolvers<void>();
    const { ledger, url } = await consoling();
    ledger.export = async function* (_query, signal) {
      signal.addEventListener('abort', () => gone.resolve());
      while (!signal.aborted) {
        made++;
        yield 'x'.repeat(65_536);
      }
    };
    const controller = new AbortController();
    const response = await fetch(`${url}/api/history/export`, { signal: controller.signal });
    await response.body?.getReader().read();
    // What nobody reads is not made: the sockets between hold a bounded number of pieces.
    let before = -1;
    await until(() => {
      const still = made === before;
      before = made;
      return still;
    });
    controller.abort();
    await gone.promise;
    expect(made).toBeLessThan(1_000);
  });
});

describe('the cost', () => {
  it('is grouped as asked', async () => {
    const { ledger, call } = await consoling();
    ledger.record(aRequest({ atMs: 1_000, endpoint: '/v1/embeddings' }));
    ledger.record(aRequest({ atMs: 1_000 }));
    const report = await json<{ rows: { group: string }[] }>(call('GET', '/api/cost?from=0&to=5000&by=endpoint'));
    expect(report.rows.map(({ group }) => group).sort()).toEqual(['/v1/chat/completions', '/v1/embeddings']);
  });
});

describe('the settings', () => {
  it('change in part, and never tell a secret', async () => {
    const { ledger, call } = await consoling();
    const changed = await json<Settings>(
      call('PUT', '/api/settings', { cost: { tariffUsdPerKwh: 0.5 }, alerts: { webhookSecret: 'hush hush hush 1' } }),
    );
    expect(changed.cost).toEqual({ ...ledger.settings.cost, tariffUsdPerKwh: 0.5 });
    expect(changed.alerts.webhookSecret).toBe('set');
    expect(await (await call('GET', '/api/settings')).text()).not.toContain('hush');
    await call('PUT', '/api/settings', { alerts: { webhookSecret: 'set', desktop: false } });
    expect(ledger.settings.alerts.webhookSecret).toBe('hush hush hush 1');
  });

  it('refuse a value by its name, and change nothing', async () => {
    const { ledger, call } = await consoling();
    const before = ledger.settings;
    const error = await errorOf(await call('PUT', '/api/settings', { cost: { hardwareLifeYears: 0 }, idleUnloadMinutes: 5 }));
    expect(error).toMatchObject({ status: 400, code: 'invalid_request', param: 'cost.hardwareLifeYears' });
    expect(ledger.settings).toEqual(before);
    expect(await errorOf(await call('PUT', '/api/settings', []))).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(await errorOf(await call('PUT', '/api/settings'))).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});

describe('alerts', () => {
  it('are told with their rules and history, and can be snoozed', async () => {
    const { ledger, told, call } = await consoling();
    expect(await json(call('GET', '/api/alerts'))).toEqual({ rules: ledger.settings.alerts.rules, active: [ALERT], history: [] });
    const id = encodeURIComponent(ALERT.id);
    const snoozed = await json<{ snoozedUntilMs: number }>(call('POST', `/api/alerts/${id}/snooze`, { minutes: 30 }));
    expect(snoozed.snoozedUntilMs).toBeGreaterThan(Date.now());
    expect(await json(call('POST', `/api/alerts/${id}/snooze`, { minutes: null }))).toEqual({ snoozedUntilMs: null });
    expect(told).toEqual([`snooze ${ALERT.id} on`, `snooze ${ALERT.id} off`]);
    expect(await errorOf(await call('POST', '/api/alerts/none/snooze', { minutes: 1 }))).toMatchObject({ status: 404, param: 'id' });
    expect(await errorOf(await call('POST', `/api/alerts/${id}/snooze`, { minutes: -1 }))).toMatchObject({ status: 400, param: 'minutes' });
    expect(await errorOf(await call('POST', `/api/alerts/${id}/snooze`))).toMatchObject({ status: 400 });
    expect(await errorOf(await call('POST', '/api/alerts/test-webhook'))).toMatchObject({ status: 400, param: 'alerts.webhookUrl' });
  });
});

describe('objectives', () => {
  it('are told for what is installed and for what settings name, with where they come from', async () => {
    const { ledger, call } = await consoling({ models: ['b', 'a'] });
    await ledger.changeSettings({ slos: { models: { gone: { ttftMs: 1, interTokenMs: null, totalMs: null } } } });
    const answer = await json<SlosAnswer>(call('GET', '/api/slos'));
    expect(answer.fallback).toEqual(ledger.settings.slos.fallback);
    expect(answer.models.map(({ model }) => model)).toEqual(['a', 'b', 'gone']);
    expect(answer.models[0]).toEqual({ model: 'a', slo: SLO, source: 'calibration', calibrated: SLO });
  });
});

describe('a test of the webhook', () => {
  it.each([
    { kind: 'delivered', status: 204 },
    { kind: 'failed', reason: 'it answered with status 500' },
  ] as const)('says how it went: $kind', async (result) => {
    const alerts = { active: () => [], snooze: () => false, testWebhook: async () => result, sloOf: () => expect.fail('not asked') };
    const { call } = await consoling({}, { alerts });
    expect(await json(call('POST', '/api/alerts/test-webhook'))).toEqual(result);
  });
});

describe('models', () => {
  it('are loaded and unloaded without waiting for the end', async () => {
    const { told, call } = await consoling();
    const load = await call('POST', '/api/models/fake/load');
    expect([load.status, await load.json()]).toMatchObject([202, { id: 'fake', state: 'ready' }]);
    expect((await call('POST', '/api/models/fake/unload')).status).toBe(202);
    expect(told).toEqual(['load fake', 'unload fake']);
    for (const action of ['load', 'unload', 'pin', 'unpin'])
      expect(await errorOf(await call('POST', `/api/models/none/${action}`))).toMatchObject({ status: 404, code: 'model_not_found' });
  });

  it('are pinned in the settings, whatever happens at the same time', async () => {
    const models = ['a', 'b', 'c'];
    const { ledger, call } = await consoling({ models });
    await Promise.all(models.map((id) => call('POST', `/api/models/${id}/pin`)));
    expect([...ledger.settings.pinnedModels].sort()).toEqual(models);
    await call('POST', '/api/models/b/unpin');
    expect([...ledger.settings.pinnedModels].sort()).toEqual(['a', 'c']);
  });

  it('are removed, and come back while they can', async () => {
    const { told, call } = await consoling();
    expect(await json(call('DELETE', '/api/models/fake'))).toEqual({ restorableUntilMs: 10_000 });
    expect(await json(call('POST', '/api/models/fake/restore'))).toEqual({ id: 'fake' });
    expect(told).toEqual(['remove fake', 'restore fake']);
    expect(await errorOf(await call('DELETE', '/api/models/none'))).toMatchObject({ status: 404, code: 'model_not_found' });
    expect(await errorOf(await call('POST', '/api/models/none/restore'))).toMatchObject({ status: 404, code: 'model_not_found' });
  });
});

describe('jobs', () => {
  it('are begun, listed, paused, resumed and ended', async () => {
    const { told, call } = await consoling();
    const pulled = await call('POST', '/api/jobs/pull', { name: 'mill-2b', precision: 'int8,fp32' });
    expect([pulled.status, await pulled.json()]).toEqual([201, JOB]);
    await call('POST', '/api/jobs/pull', { name: 'mill-2b', precision: null });
    expect(await json(call('GET', '/api/jobs'))).toEqual([JOB]);
    for (const action of ['pause', 'resume']) expect((await call('POST', `/api/jobs/job-1/${action}`)).status).toBe(200);
    expect((await call('DELETE', '/api/jobs/job-1')).status).toBe(200);
    expect(told).toEqual(['pull mill-2b int8,fp32', 'pull mill-2b null', 'pause job-1', 'resume job-1', 'cancel job-1']);
    expect(await json(call('GET', '/api/catalogue'))).toMatchObject([
      { id: 'mill-2b', parameterCount: 2e9, memoryBytes: 3e9, fit: 'tight' },
    ]);
  });

  it('refuse what is not there, by name', async () => {
    const { call } = await consoling();
    expect(await errorOf(await call('DELETE', '/api/jobs/none'))).toMatchObject({ status: 404, param: 'id' });
    expect(await errorOf(await call('POST', '/api/jobs/pull', {}))).toMatchObject({ status: 400, param: 'name' });
    const precision = await errorOf(await call('POST', '/api/jobs/pull', { name: 'x', precision: 'int3' }));
    expect(precision).toMatchObject({ status: 400, param: 'precision' });
  });
});

describe('metrics', () => {
  it('are what the meters render', async () => {
    const { call } = await consoling();
    const response = await call('GET', '/metrics');
    expect([response.headers.get('content-type'), await response.text()]).toEqual(['text/plain; version=0.0.4', 'millrace_up 1\n']);
  });
});

describe('a paused server', () => {
  it('refuses new requests by name, lets open ones end and answers its console', async () => {
    const { host, url, call } = await consoling({ stepMs: null, answer: () => 'ab' });
    const open = post(`${url}/v1/chat/completions`, ask());
    await until(() => host.openCount === 1);
    expect(await json(call('POST', '/api/pause'))).toEqual({ state: 'paused' });
    const refused = await post(`${url}/v1/chat/completions`, ask());
    expect(refused.headers.get('retry-after')).toBe('30');
    expect(await errorOf(refused)).toMatchObject({ status: 503, code: 'paused' });
    expect(await json(call('GET', '/ready'))).toMatchObject({ status: 'paused' });
    expect(await json(call('GET', '/api/status'))).toMatchObject({ state: 'paused', openRequests: 1 });
    host.step();
    host.step();
    expect((await open).status).toBe(200);
    expect(await json(call('POST', '/api/resume'))).toEqual({ state: 'serving' });
    const again = post(`${url}/v1/chat/completions`, ask());
    await until(() => host.openCount === 1);
    host.step();
    host.step();
    expect((await again).status).toBe(200);
  });
});

describe('the console', () => {
  it('is for its own pages alone, whatever origins the API allows', async () => {
    const { port, gateway } = await consoling();
    const of = (origin: string, url = '/api/status') =>
      gateway.inject({ method: 'GET', url, headers: { host: `127.0.0.1:${port}`, origin } });
    expect((await of(`http://127.0.0.1:${port}`)).statusCode).toBe(200);
    for (const url of ['/api/status', '/%61pi/status', '/api/live', '/api/settings']) {
      const refused = await of('https://chat.example', url);
      expect([refused.statusCode, refused.headers['access-control-allow-origin']]).toEqual([403, undefined]);
    }
  });

  it('takes no change without a JSON media type: a form of another site cannot send one', async () => {
    const { url, told } = await consoling();
    for (const [method, path] of [
      ['POST', '/api/models/fake/unload'],
      ['POST', '/api/pause'],
      ['DELETE', '/api/models/fake'],
      ['PUT', '/api/settings'],
    ] as const)
      expect(await errorOf(await fetch(url + path, { method }))).toMatchObject({ status: 415, code: 'unsupported_media_type' });
    expect(told).toEqual([]);
  });
});
