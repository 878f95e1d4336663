// Owns prom-client: one registry with every metric of the table in names.ts, written to by name.
// Nothing else imports the library.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { METRICS, type MetricName } from './names.ts';

type OfKind<K> = { readonly [N in MetricName]: (typeof METRICS)[N]['kind'] extends K ? N : never }[MetricName];
type CounterName = OfKind<'counter'>;
type GaugeName = OfKind<'gauge'>;
type HistogramName = OfKind<'histogram'>;
type Labels<N extends MetricName> = Readonly<Record<(typeof METRICS)[N]['labels'][number], string>>;

export interface MetricsText {
  readonly contentType: string;
  readonly body: string;
}

/** Null and what is no finite number is left out everywhere: unknown is not zero. */
type Figure = number | null;

const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

export class MetricsRegistry {
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #histograms = new Map<string, Histogram>();

  constructor() {
    for (const [name, row] of Object.entries(METRICS)) {
      const options = { name, help: row.help, labelNames: [...row.labels], registers: [this.#registry] };
      if (row.kind === 'counter') this.#counters.set(name, new Counter(options));
      else if (row.kind === 'gauge') this.#gauges.set(name, new Gauge(options));
      else this.#histograms.set(name, new Histogram({ ...options, buckets: [...row.buckets] }));
    }
    collectDefaultMetrics({ register: this.#registry });
    // Gauges whose names end like a counter's, which Prometheus' own check refuses.
    for (const name of MISNAMED) this.#registry.removeSingleMetric(name);
  }

  add<N extends CounterName>(name: N, labels: Labels<N>, amount: Figure): void {
    if (isFigure(amount) && amount > 0) this.#counters.get(name)?.inc({ ...labels }, amount);
  }

  set<N extends GaugeName>(name: N, labels: Labels<N>, value: Figure): void {
    if (isFigure(value)) this.#gauges.get(name)?.set({ ...labels }, value);
  }

  observe<N extends HistogramName>(name: N, labels: Labels<N>, value: Figure): void {
    if (isFigure(value)) this.#histograms.get(name)?.observe({ ...labels }, value);
  }

  /** Forgets a gauge's values, so that what is gone is no longer told. */
  clear(names: readonly GaugeName[]): void {
    for (const name of names) this.#gauges.get(name)?.reset();
  }

  async render(): Promise<MetricsText> {
    const text = await this.#registry.metrics();
    // prom-client writes "Nan" for a loop delay that was not measured yet, which is no number by the format's rules.
    return { contentType: this.#registry.contentType, body: text.replaceAll(/^.* Nan\n/gm, '') };
  }
}

function isFigure(value: Figure): value is number {
  return value !== null && Number.isFinite(value);
}
