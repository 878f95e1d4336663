import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../engine/ledger/metrics/metrics.ts';
import { METRICS } from '../../../engine/ledger/metrics/names.ts';
import { parseExposition } from './exposition.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

const dashboard = JSON.parse(readFileSync(new URL('../../../build/deploy/grafana/millrace.json', import.meta.url), 'utf8')) as {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
};
const queries = [
  ...dashboard.panels.flatMap(({ targets }) => (targets ?? []).map(({ expr }) => expr)),
  ...dashboard.templating.list.flatMap(({ definition }) => definition ?? []),
];

/** The series of a query, with the labels it selects or groups by. */
function metricsIn(query: string): readonly string[] {
  return [...query.matchAll(/\b(?:millrace|process|nodejs)_[a-z0-9_]+/g)].map(([name]) => name);
}

/** Series of a family: a histogram has three, whatever else one. */
function seriesOf(name: string, kind: string): readonly string[] {
  return kind === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}

describe('the Grafana dashboard', () => {
  it('uses only what is exported, and all that is exported about requests, devices and cost', async () => {
    const metrics = createMetrics({ version: '1', models: () => [], alerts: () => [] });
    const families = parseExposition((await metrics.render()).body);
    const exported = new Set([...families.values()].flatMap(({ name, kind }) => seriesOf(name, kind)));
    const used = new Set(queries.flatMap(metricsIn));
    expect([...used].filter((name) => !exported.has(name))).toEqual([]);
    const unseen = Object.entries(METRICS).filter(([name, { kind }]) => !seriesOf(name, kind).some((series) => used.has(series)));
    expect(unseen.map(([name]) => name)).toEqual([]);
  });

  it('selects and groups by labels that its metrics have', () => {
    const own = new Set(['instance', 'le', ...Object.values(METRICS).flatMap(({ labels }) => labels)]);
    for (const query of queries) {
      for (const [, name = '', selector = ''] of query.matchAll(/\b(millrace_[a-z0-9_]+)\{([^}]*)\}/g)) {
        const family = Object.entries(METRICS).find(([metric, { kind }]) => seriesOf(metric, kind).includes(name));
        const labels = new Set<string>(['instance', ...(family?.[1].labels ?? [])]);
        for (const [, label = ''] of selector.matchAll(/([a-z_]+)\s*=/g)) expect(labels, `${label} in ${query}`).toContain(label);
      }
      for (const [, list = ''] of query.matchAll(/by \(([^)]*)\)/g))
        for (const label of list.split(',')) expect(own, query).toContain(label.trim());
    }
  });

  it('lays its panels out without overlap, within 24 columns', () => {
    const cells = new Set<string>();
    for (const { gridPos, title } of dashboard.panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(cells.has(`${x},${y}`), `${title} at ${x},${y}`).toBe(false);
          cells.add(`${x},${y}`);
        }
    }
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });
});
