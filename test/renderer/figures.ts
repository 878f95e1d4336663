// Money and settings as the screens Cost and Settings are shown them.
import type { CostReport, CostRow, Settings } from '../../engine/contract.ts';
import { DEFAULT_RULES } from '../../engine/ledger/alerts/default-rules.ts';
import { DEFAULT_SETTINGS } from '../../engine/ledger/settings/defaults.ts';

export const someSettings = (): Settings => ({ ...DEFAULT_SETTINGS, alerts: { ...DEFAULT_SETTINGS.alerts, rules: DEFAULT_RULES } });

export const aCostRow = (change: Partial<CostRow> = {}): CostRow => ({
  group: 'alpha',
  requests: 400,
  promptTokens: 120_000,
  completionTokens: 26_000,
  deviceSeconds: 168,
  energyWh: 3,
  energyUsd: 0.0009,
  hardwareUsd: 0.002,
  upstreamUsd: 0,
  costUsd: 0.0029,
  premiumUsd: 0.56,
  ...change,
});

export function aCostReport(): CostReport {
  const rows = [
    aCostRow(),
    aCostRow({ group: 'beta', requests: 100, costUsd: 0.0011, energyUsd: 0.0003, hardwareUsd: 0.0008, premiumUsd: 0.14 }),
  ];
  const total = {
    ...aCostRow({ requests: 500, energyUsd: 0.0012, hardwareUsd: 0.0028, costUsd: 0.004, premiumUsd: 0.7 }),
    idleUsd: 0.31,
    devicesUsd: 0.314,
    perRequestUsd: 0.000008,
    per1kTokensUsd: 0.0000274,
    savedShare: 0.994,
    perQualityAdjustedResponseUsd: null,
    rented: [
      { name: 'T4', usd: 12 },
      { name: 'A100', usd: 72 },
    ],
  };
  return {
    range: { fromMs: 0, toMs: 86_400_000 },
    by: 'model',
    rows,
    total,
    quality: { kind: 'not_measured' },
    basis: ['Power is an estimate: 40 W idle to 120 W busy, by use.', 'Tariff: $0.30 per kWh.', 'Hardware: $1,500 over 4 years.'],
  };
}
