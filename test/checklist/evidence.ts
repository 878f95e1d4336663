// Evidence of a server about which nothing is known yet, changed as a test wants it.
import type { Evidence } from '../../engine/checklist/evidence.ts';
import { DEFAULT_SETTINGS } from '../../engine/ledger/settings/defaults.ts';
import { aCostReport } from '../renderer/figures.ts';

export const NOW_MS = 1_800_000_000_000;
export const DAY_MS = 86_400_000;

export function anEvidence(change: Partial<Evidence> = {}): Evidence {
  const report = aCostReport();
  return {
    atMs: NOW_MS,
    models: [],
    settings: DEFAULT_SETTINGS,
    traffic: {
      requests: 0,
      errors: 0,
      cacheHits: 0,
      meanBatchUnderLoad: null,
      waitP99Ms: null,
      ttftP99Ms: null,
      utilisation: null,
      peakUtilisation: null,
      sampledMinutes: 0,
    },
    costs: { ...report, total: { ...report.total, requests: 0, perRequestUsd: null, savedShare: null } },
    routing: { tiers: ['fast'], targets: 1, routed: 0, quality: { kind: 'not_measured' } },
    batches: { rows: 0, spotUsd: 0, interactiveUsd: 0, waiting: null },
    dayDevicesUsd: 0,
    canLoadTest: true,
    loadTest: null,
    drill: null,
    variants: [],
    ...change,
  };
}
