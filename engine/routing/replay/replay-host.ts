// Wires routing as it is over two graded models, for replays: no latency goal, no caches, no money, nothing measured beforehand.
import { DEFAULT_SETTINGS } from '../../ledger/settings/defaults.ts';
import { meterOf } from '../complexity/meter.ts';
import type { RouterModel } from '../complexity/model.ts';
import { RoutedHost, type RouteQuality } from '../routed-host.ts';
import { GradedHost, priceOf, targetName } from './graded-host.ts';

export interface ReplayHost {
  readonly graded: GradedHost;
  readonly host: RoutedHost;
}

const NOT_MEASURED: RouteQuality = {
  bars: () => null,
  bias: () => 1,
  answered: () => undefined,
  pinned: () => undefined,
  of: () => ({ quality: { kind: 'not_measured' }, perQualityAdjustedUsd: null }),
};

export function openReplay(model: RouterModel, qualityBar: number): ReplayHost {
  const graded = new GradedHost();
  const tiers = { fast: [targetName('weak')], balanced: [], premium: [targetName('strong')] };
  const settings = { ...DEFAULT_SETTINGS.routing, tiers, latencyGoalMs: null, qualityBar, upstreamFor: 'everybody' as const };
  const host = new RoutedHost({
    host: graded,
    settings: () => settings,
    complexity: () => meterOf(model),
    price: priceOf,
    deviceUsd: () => 0,
    quality: NOT_MEASURED,
    canaries: { routeOf: () => null },
  });
  return { graded, host };
}
