// Wires the parts of this room: routing before the caches before the models. What `main.ts` needs of it.
import { join } from 'node:path';
import type { RoutingSettings, Settings, UpstreamPrice } from '../contract.ts';
import type { ModelHost } from '../fleet/host.ts';
import { energyJoules, energyUsd, hardwareUsd } from '../ledger/cost/formulas.ts';
import { SettingsFile } from '../ledger/settings/settings-file.ts';
import type { Log } from '../log.ts';
import { CachedHost } from './cache/cached-host.ts';
import { readRouterModel } from './complexity/model.ts';
import { createComplexityScorer } from './complexity/predict.ts';
import { RoutedHost, type ComplexityMeter, type RouteQuality } from './routed-host.ts';
import { findTarget } from './upstream/hosted.ts';
import { UpstreamSpending } from './upstream/spending.ts';
import { UpstreamHost } from './upstream/upstream-host.ts';
import { UpstreamKeys } from './upstream/upstream-keys.ts';

export interface RoutingOptions {
  /** The models of this machine. */
  readonly models: ModelHost;
  readonly dataDir: string;
  readonly log: Log;
}

export interface Routing {
  readonly host: RoutedHost;
  /** The installed models must be known by the first call. */
  applySettings(settings: Settings): void;
  close(): Promise<void>;
}

/** Reads the settings at once: names must mean from the first request on what they will mean. */
export async function openRouting({ models, dataDir, log }: RoutingOptions): Promise<Routing> {
  let settings = (await SettingsFile.open(join(dataDir, 'settings.json'), log)).current;
  const keys = new UpstreamKeys({ dataDir, log });
  const spending = await UpstreamSpending.open(join(dataDir, 'upstream-spending.json'), log);
  const price = (target: string): UpstreamPrice | undefined => priceOf(target, settings);
  const routing = (): RoutingSettings => settings.routing;
  const upstreams = new UpstreamHost({ host: models, settings: routing, price, keyOf: (name) => keys.get(name), spending });
  const cached = new CachedHost({ host: upstreams, path: join(dataDir, 'cache.db'), log });
  const host = new RoutedHost({
    host: cached,
    settings: routing,
    complexity: readComplexity,
    price,
    deviceUsd: (deviceMs) => deviceUsd(settings, deviceMs),
    quality: UNMEASURED,
  });
  return {
    host,
    applySettings: (next) => {
      settings = next;
      cached.applySettings(next.cache);
    },
    close: async () => {
      upstreams.close();
      await Promise.all([cached.close(), spending.close()]);
    },
  };
}

/** Of an upstream's model; undefined for every other name. */
function priceOf(target: string, { routing, cost }: Settings): UpstreamPrice | undefined {
  const found = findTarget(target, routing.upstreams);
  return found && cost.upstreamPrices.find(({ name }) => name === found.model.name);
}

function readComplexity(): ComplexityMeter {
  const model = readRouterModel();
  return { scorer: createComplexityScorer(model), scale: model.scale };
}

/** For comparing targets: what devices really cost is measured elsewhere. */
function deviceUsd({ cost }: Settings, deviceMs: number): number {
  return energyUsd(energyJoules(cost.busyWatts, deviceMs), cost) + hardwareUsd(deviceMs, cost);
}

const UNMEASURED: RouteQuality = {
  bars: () => null,
  bias: () => 1,
  answered: () => undefined,
  of: () => ({ quality: { kind: 'not_measured' }, perQualityAdjustedUsd: null }),
};
