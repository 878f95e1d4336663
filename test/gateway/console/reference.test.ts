import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import * as schemas from '../../../engine/gateway/console/response-schemas.ts';
import { aRequest } from '../../ledger/records.ts';
import { ask, post, until } from '../serving.ts';
import { consoling } from './consoling.ts';

const METHODS = ['get', 'post', 'put', 'delete'] as const;

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly responses: Readonly<Record<string, unknown>>;
}

describe('the console’s reference', () => {
  it('names every operation under one tag, and says what each does', async () => {
    const { call } = await consoling();
    const { paths } = (await (await call('GET', '/openapi.json')).json()) as {
      paths: Record<string, Partial<Record<(typeof METHODS)[number], Operation>>>;
    };
    const operations = Object.entries(paths).flatMap(([path, item]) =>
      METHODS.flatMap((method) => (item[method] === undefined ? [] : [{ name: `${method} ${path}`, ...item[method] }])),
    );
    // Ollama's API has the same prefix.
    const console = operations.filter(({ name, tags }) => name.includes(' /api/') && tags?.includes('Ollama') !== true);
    expect(console.map(({ name }) => name).sort()).toEqual([
      'delete /api/jobs/{id}',
      'delete /api/models/{id}',
      'get /api/alerts',
      'get /api/catalogue',
      'get /api/cost',
      'get /api/history/export',
      'get /api/history/requests',
      'get /api/history/requests/{rowId}',
      'get /api/history/series',
      'get /api/jobs',
      'get /api/live',
      'get /api/models/{id}/variants',
      'get /api/settings',
      'get /api/slos',
      'get /api/status',
      'post /api/alerts/test-webhook',
      'post /api/alerts/{id}/snooze',
      'post /api/jobs/evaluate',
      'post /api/jobs/pull',
      'post /api/jobs/quantise',
      'post /api/jobs/{id}/pause',
      'post /api/jobs/{id}/resume',
      'post /api/models/{id}/load',
      'post /api/models/{id}/pin',
      'post /api/models/{id}/promote',
      'post /api/models/{id}/restore',
      'post /api/models/{id}/rollback',
      'post /api/models/{id}/unload',
      'post /api/models/{id}/unpin',
      'post /api/pause',
      'post /api/resume',
      'put /api/models/{id}/text',
      'put /api/settings',
    ]);
    for (const { name, summary, tags } of console) expect([name, summary !== undefined, tags]).toEqual([name, true, ['Console']]);
    expect(operations.find(({ name }) => name === 'get /metrics')?.summary).toBeTruthy();
  });

  it('describes what is sent', async () => {
    const { ledger, host, url, call } = await consoling({ stepMs: null });
    ledger.record(aRequest({ atMs: 1_000 }));
    const open = post(`${url}/v1/chat/completions`, ask());
    await until(() => host.openCount === 1);
    const range = 'from=0&to=5000';
    const answers = [
      ['/api/history/series?names=requests,ttftP50Ms&step=60000', schemas.seriesAnswer],
      [`/api/history/requests?${range}`, schemas.requestPage],
      ['/api/history/requests/1', schemas.requestRow],
      [`/api/cost?${range}`, schemas.costReport],
      ['/api/settings', schemas.settings],
      ['/api/alerts', schemas.alertsAnswer],
      ['/api/jobs', schemas.jobList],
      ['/api/catalogue', schemas.catalogue],
    ] as const;
    for (const [path, schema] of answers) expect([path, ...Value.Errors(schema, await (await call('GET', path)).json())]).toEqual([path]);
    const controller = new AbortController();
    const { body } = await fetch(`${url}/api/live`, { signal: controller.signal });
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!/data: .*\n\n/.test(text)) text += (await reader?.read())?.value ?? '';
    controller.abort();
    const now: unknown = JSON.parse(/data: (.*)\n\n/.exec(text)?.[1] ?? '');
    expect(Value.Errors(schemas.nowEvent, now)).toEqual([]);
    expect(now).toMatchObject({ requests: [{ phase: 'queued' }] });
    while (host.openCount > 0) host.step();
    await open;
  });
});
