// A host with one upstream of a fake server, and all it needs in a folder of its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import type { RoutingSettings, UpstreamSettings } from '../../../engine/contract.ts';
import type { ModelHost } from '../../../engine/fleet/host.ts';
import { DEFAULT_SETTINGS } from '../../../engine/ledger/settings/defaults.ts';
import { UpstreamSpending } from '../../../engine/routing/upstream/spending.ts';
import { UpstreamHost } from '../../../engine/routing/upstream/upstream-host.ts';
import { FakeHosts } from '../../fakes/hosts.ts';
import { fakeUpstream, type FakeUpstream, type FakeUpstreamOptions } from '../../fakes/upstream.ts';

export const log = pino({ level: 'silent' });

/** $1 a thousand prompt tokens, $2 a thousand of the answer. */
export const PRICE = { name: 'strong', promptUsdPerMillion: 1_000, completionUsdPerMillion: 2_000 };

export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-routing-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export function upstreamOf(baseUrl: string, api: UpstreamSettings['api'], extra: Partial<UpstreamSettings> = {}): UpstreamSettings {
  return { name: 'up', api, baseUrl, models: [{ name: 'strong', contextLength: 8_192, maxTokens: 100 }], continuesAnswers: true, ...extra };
}

export interface Upstreams {
  readonly server: FakeUpstream;
  readonly host: UpstreamHost;
  readonly spending: UpstreamSpending;
  readonly settings: RoutingSettings;
}

export async function upstreams(
  options: FakeUpstreamOptions,
  settings: Partial<RoutingSettings> = {},
  { local = new FakeHosts({}), key = 'sk-secret' }: { local?: ModelHost; key?: string | null } = {},
): Promise<Upstreams> {
  const server = await fakeUpstream(options);
  onTestFinished(() => server.close());
  const spending = await UpstreamSpending.open(join(folder(), 'spending.json'), log);
  const routing: RoutingSettings = {
    ...DEFAULT_SETTINGS.routing,
    upstreams: [upstreamOf(server.baseUrl, options.api)],
    upstreamFor: 'everybody',
    upstreamMonthlyUsd: null,
    latencyGoalMs: null,
    ...settings,
  };
  const host = new UpstreamHost({
    host: local,
    settings: () => routing,
    price: (target) => (target.startsWith('up/') ? PRICE : undefined),
    keyOf: () => key,
    spending,
    random: () => 0,
  });
  return { server, host, spending, settings: routing };
}
