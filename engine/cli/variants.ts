// `millrace variants`, `promote` and `rollback`: what a model's variants cost, measured beside what one usually expects, and which answers.
import type { DecoderQuality, EncoderQuality, ModelVariants, VariantStatus } from '../contract.ts';
import { EngineError } from '../errors.ts';
import { judgeVariant } from '../models/quantise/judge-variant.ts';
import { readMeasurement } from '../models/store/measurements.ts';
import { ModelStore, variantOf } from '../models/store/model-store.ts';
import { promoted, rolledBack } from '../models/store/promotion.ts';
import { variantTable } from '../models/store/variant-table.ts';
import { formatTable } from './list.ts';
import { formatBytes } from './progress.ts';
import { storedQuality } from './stored-quality.ts';

/** A table for people, or one JSON object. @throws EngineError `model_not_found` */
export async function listVariants(dataDir: string, id: string, json: boolean): Promise<void> {
  const table = await loadVariants(dataDir, id);
  process.stdout.write(json ? `${JSON.stringify(table)}\n` : describeVariants(table));
}

export async function loadVariants(dataDir: string, id: string): Promise<ModelVariants> {
  return variantTable(new ModelStore(dataDir), id, await storedQuality(dataDir));
}

export interface PromoteFlags {
  /** Whatever the gate says. */
  readonly force: boolean;
  readonly json: boolean;
}

/** One write switches the model; a running server follows within seconds. @throws EngineError `quality_below_bar` with the gate's reason */
export async function promote(dataDir: string, name: string, { force, json }: PromoteFlags): Promise<void> {
  const [id = '', wanted = ''] = name.split(/[:@]/);
  if (wanted === '') throw new EngineError('invalid_request', 'Name the variant: millrace promote MODEL:VARIANT.', { param: 'model' });
  const store = new ModelStore(dataDir);
  const variant = variantOf(await store.get(id), wanted);
  const verdict = judgeVariant(variant, await readMeasurement(store.path(id), variant), await storedQuality(dataDir));
  if (!verdict.allowed && !force) throw new EngineError('quality_below_bar', verdict.reason, { param: 'variant' });
  const before = (await store.get(id)).defaultVariant;
  await store.change(id, (manifest) => promoted(manifest, wanted));
  tell(json, { model: id, from: before, to: wanted, reason: verdict.reason }, `${id} answers with ${wanted} now (before: ${before}).`);
}

/** @throws EngineError `invalid_request` when nothing was promoted */
export async function rollBack(dataDir: string, id: string, json: boolean): Promise<void> {
  const store = new ModelStore(dataDir);
  const before = (await store.get(id)).defaultVariant;
  const { defaultVariant } = await store.change(id, rolledBack);
  tell(json, { model: id, from: before, to: defaultVariant }, `${id} answers with ${defaultVariant} again (before: ${before}).`);
}

function tell(json: boolean, facts: object, sentence: string): void {
  process.stdout.write(`${json ? JSON.stringify(facts) : sentence}\n`);
}

const COLUMNS = ['VARIANT', 'SIZE', 'BITS/W', 'MEMORY', 'LOAD', 'PREFILL/S', 'DECODE/S', 'LOSS', 'TOP-1', 'KL', 'GATE'];
const ENCODER_COLUMNS = ['VARIANT', 'SIZE', 'BITS/W', 'MEMORY', 'LOAD', 'TEXTS/S', 'COSINE', 'WORST', 'RECALL@10', 'GATE'];

/** The measured numbers of each variant, one line a text, and below it in brackets what one usually expects. */
export function describeVariants(table: ModelVariants): string {
  const rows = table.variants.flatMap((variant) => [...measuredRows(variant, table.kind), ...expectedRow(variant, table.kind)]);
  const lines = formatTable([table.kind === 'decoder' ? COLUMNS : ENCODER_COLUMNS, ...rows]);
  const reasons = table.variants.map(({ gate }) => gate.reason);
  const back = table.previousVariant === null ? [] : [`millrace rollback ${table.model} goes back to ${table.previousVariant}.`];
  return `${[...lines, '', ...reasons, ...back].join('\n')}\n`;
}

function measuredRows(variant: VariantStatus, kind: ModelVariants['kind']): readonly (readonly string[])[] {
  const { name, isDefault, sizeBytes, bitsPerWeight, measured, gate } = variant;
  const own = [`${name}${isDefault ? ' *' : ''}`, formatBytes(sizeBytes), bitsPerWeight.toFixed(2)];
  const verdict = gate.allowed ? 'pass' : measured === null ? 'not measured' : 'refused';
  if (measured === null) return [[...own, ...Array.from({ length: kind === 'decoder' ? 7 : 6 }, () => '-'), verdict]];
  const { speed, referenceSpeed } = measured;
  const times = (value: number | null, reference: number | null): string =>
    value === null ? '-' : `${value.toFixed(0)} (${(value / (reference ?? NaN)).toFixed(2)}x)`;
  const costs = [
    `${formatBytes(speed.memoryBytes)} (${(speed.memoryBytes / referenceSpeed.memoryBytes).toFixed(2)}x)`,
    `${speed.loadMs.toFixed(0)} ms`,
  ];
  const speeds =
    kind === 'decoder'
      ? [times(speed.prefillPerSecond, referenceSpeed.prefillPerSecond), times(speed.decodePerSecond, referenceSpeed.decodePerSecond)]
      : [times(speed.textsPerSecond, referenceSpeed.textsPerSecond)];
  return measured.quality.map((quality, at) => [
    ...(at === 0 ? [...own, ...costs, ...speeds] : [`  ${quality.text} text`, ...Array.from({ length: 4 + speeds.length }, () => '')]),
    ...(quality.kind === 'decoder' ? decoderCells(quality) : encoderCells(quality)),
    at === 0 ? verdict : '',
  ]);
}

const decoderCells = ({ perplexity, referencePerplexity, top1Agreement, meanKl }: DecoderQuality): readonly string[] => [
  `${((perplexity / referencePerplexity - 1) * 100).toFixed(2)}%`,
  `${(top1Agreement * 100).toFixed(1)}%`,
  meanKl.toFixed(4),
];

const encoderCells = ({ meanCosine, worstCosine, recallAt10 }: EncoderQuality): readonly string[] => [
  meanCosine.toFixed(4),
  worstCosine.toFixed(4),
  recallAt10 === null ? '-' : recallAt10.toFixed(3),
];

function expectedRow({ expected, measured }: VariantStatus, kind: ModelVariants['kind']): readonly (readonly string[])[] {
  if (expected === null || measured === null) return [];
  const [slow, fast] = expected.speed;
  const speed = `${slow}-${fast}x`;
  const loss = `${expected.loss[0] * 100}-${expected.loss[1] * 100}%`;
  const cells =
    kind === 'decoder' ? [`${expected.memoryShare}x`, '', speed, speed, loss, '', ''] : [`${expected.memoryShare}x`, '', speed, '', '', ''];
  return [['  expected', '', '', ...cells, '']];
}
