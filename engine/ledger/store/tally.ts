// Owns sums of one statistics table while they are added up in memory: one row for each combination of keys.
import { Histogram } from './histogram.ts';
import { type HistogramOf, STATS, type StatsShape, type StatsTable, type SumOf } from './schema.ts';

interface Row {
  readonly keys: readonly number[];
  readonly sums: Map<string, number>;
  readonly histograms: Map<string, Histogram>;
}

export class Tally<T extends StatsTable> {
  readonly table: T;
  readonly #shape: StatsShape;
  readonly #rows = new Map<string, Row>();

  constructor(table: T) {
    this.table = table;
    this.#shape = STATS[table];
  }

  /** `timesMs` that are null are left out. */
  add(keys: readonly number[], sums: Readonly<Record<SumOf<T>, number>>, timesMs?: Readonly<Record<HistogramOf<T>, number | null>>): void {
    const row = this.#rowOf(keys);
    for (const [name, value] of Object.entries<number>(sums)) row.sums.set(name, (row.sums.get(name) ?? 0) + value);
    for (const [name, value] of Object.entries<number | null>(timesMs ?? {})) {
      if (value === null) continue;
      const histogram = row.histograms.get(name) ?? new Histogram();
      histogram.add(value);
      row.histograms.set(name, histogram);
    }
  }

  /** One list for each row: keys, sums and histograms, as STATS orders them. */
  rows(): readonly (readonly (number | Buffer | null)[])[] {
    const { sums: sumNames, histograms: histogramNames } = this.#shape;
    return [...this.#rows.values()].map(({ keys, sums, histograms }) => [
      ...keys,
      ...sumNames.map((name) => sums.get(name) ?? 0),
      ...histogramNames.map((name) => histograms.get(name)?.encode() ?? null),
    ]);
  }

  #rowOf(keys: readonly number[]): Row {
    const name = keys.join(',');
    const known = this.#rows.get(name);
    if (known !== undefined) return known;
    const row: Row = { keys, sums: new Map(), histograms: new Map() };
    this.#rows.set(name, row);
    return row;
  }
}
