// Reads Prometheus' text format by the rules of its specification, and refuses what breaks them:
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format

export interface SampleLine {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly kind: string;
  readonly help: string;
  readonly samples: readonly SampleLine[];
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;

/** The metric families of a text, by name. Throws at the first line that breaks a rule. */
export function parseExposition(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith('\n')) throw new Error('The last line does not end.');
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let current: { name: string; kind: string; help: string; samples: SampleLine[] } | null = null;
  for (const line of text.split('\n').filter((part) => part !== '')) {
    const help = /^# HELP (\S+) (.*)$/.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary|untyped)$/.exec(line);
    if (help !== null) {
      const [, name = '', words = ''] = help;
      if (families.has(name)) throw new Error(`${name} has two blocks.`);
      current = { name, kind: '', help: words, samples: [] };
      families.set(name, current);
    } else if (type !== null) {
      if (current === null || current.name !== type[1]) throw new Error(`TYPE without its HELP: ${line}`);
      current.kind = type[2] ?? '';
    } else {
      const sample = parseSample(line);
      if (current === null || !belongs(current, sample.name)) throw new Error(`Out of its block: ${line}`);
      const key = `${sample.name} ${labelKey(sample.labels)}`;
      if (seen.has(key)) throw new Error(`Twice: ${line}`);
      seen.add(key);
      current.samples.push(sample);
    }
  }
  for (const family of families.values()) checkHistogram(family);
  return families;
}

/** The same for the same labels in any order. */
export function labelKey(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map((pair) => JSON.stringify(pair));
  return pairs.sort().join();
}

function parseSample(line: string): SampleLine {
  const [, name = '', labelText = '', figure = ''] = SAMPLE.exec(line) ?? [];
  if (name === '') throw new Error(`Not a sample: ${line}`);
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < labelText.length) {
    const at = LABEL.lastIndex;
    const match = LABEL.exec(labelText);
    if (match === null) throw new Error(`Labels break at ${at}: ${line}`);
    labels[match[1] ?? ''] = (match[2] ?? '').replaceAll(/\\(["\\n])/g, (_, sign: string) => (sign === 'n' ? '\n' : sign));
  }
  const value = figure === '+Inf' ? Infinity : Number(figure);
  if (Number.isNaN(value) && figure !== 'NaN') throw new Error(`Not a number: ${line}`);
  return { name, labels, value };
}

function belongs({ name, kind }: { readonly name: string; readonly kind: string }, sample: string): boolean {
  if (sample === name) return kind !== 'histogram';
  return (kind === 'histogram' || kind === 'summary') && [`${name}_sum`, `${name}_count`, `${name}_bucket`].includes(sample);
}

/** Buckets are cumulative and end with `+Inf`, which equals the count. */
function checkHistogram(family: Family): void {
  if (family.kind !== 'histogram') return;
  const without = ({ labels: { le: _le, ...labels } }: SampleLine): string => labelKey(labels);
  for (const [key, series] of Map.groupBy(family.samples, without)) {
    const buckets = series.filter(({ name }) => name.endsWith('_bucket'));
    const bounds = buckets.map(({ labels }) => (labels.le === '+Inf' ? Infinity : Number(labels.le)));
    const counts = buckets.map(({ value }) => value);
    const ascending = (list: readonly number[]): boolean => list.every((value, at) => at === 0 || value >= (list[at - 1] ?? 0));
    if (!ascending(bounds) || !ascending(counts)) throw new Error(`${family.name}${key} is not cumulative.`);
    if (bounds.at(-1) !== Infinity || counts.at(-1) !== series.find(({ name }) => name.endsWith('_count'))?.value)
      throw new Error(`${family.name}${key} does not end with its count.`);
  }
}
