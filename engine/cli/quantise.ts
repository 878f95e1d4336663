// `millrace quantise` and `millrace evaluate`: one more variant of an installed model, and what each costs, measured beside float32.
import { readFile } from 'node:fs/promises';
import type { EngineConfig } from '../config.ts';
import { OPTIONS } from '../config.ts';
import { EngineError } from '../errors.ts';
import { physicalCores } from '../fleet/devices.ts';
import { acquireLock } from '../instance-lock.ts';
import { addVariants, textManifest, withReference } from '../models/convert/add-variant.ts';
import type { ConvertProgress } from '../models/convert/variant.ts';
import type { ModelManifest, Precision, VariantManifest } from '../models/manifest.ts';
import { evaluationTexts } from '../models/quantise/evaluation-texts.ts';
import { measureVariant } from '../models/quantise/measure-variant.ts';
import { readOwnText, writeMeasurement, writeOwnText } from '../models/store/measurements.ts';
import { ModelStore, variantOf } from '../models/store/model-store.ts';
import { ParentSource } from './parent-source.ts';
import { createJsonProgress, createProgress, type Progress, type ProgressUnit } from './progress.ts';
import { pullLockPath } from './pull.ts';
import { describeVariants, loadVariants } from './variants.ts';

export interface LabFlags {
  /** A file whose text is kept with the model and measured on too; null: what was kept before. */
  readonly text: string | null;
  /** Progress and errors as JSON lines on stderr, what was measured as one on stdout. */
  readonly json: boolean;
}

export interface QuantiseFlags extends LabFlags {
  /** As typed. */
  readonly precision: string;
  /** Round a 4-bit file's weights anew, instead of keeping them exactly. */
  readonly anew: boolean;
}

/** What one run works with. */
interface Bench {
  readonly store: ModelStore;
  readonly id: string;
  readonly modelDir: string;
  readonly threads: number;
  readonly source: ParentSource;
  readonly signal: AbortSignal;
  readonly progress: (unit: ProgressUnit) => Progress;
}

/** Makes the variant, measures it, and prints the model's table. The default stays what it was until somebody promotes another. */
export async function quantise(id: string, flags: QuantiseFlags, config: EngineConfig): Promise<void> {
  const precision = parsePrecision(flags.precision);
  await onBench(id, { flags, config }, async (bench) => {
    const [variant] = await makeVariants(bench, precision, flags.anew);
    await measure(bench, variant);
  });
}

/** Measures a variant that is there: `model` or `model:variant`. */
export async function evaluate(name: string, flags: LabFlags, config: EngineConfig): Promise<void> {
  const [id = '', variant = null] = name.split(/[:@]/);
  await onBench(id, { flags, config }, async (bench) => {
    await measure(bench, variantOf(await bench.store.get(id), variant));
  });
}

interface Run {
  readonly flags: LabFlags;
  readonly config: EngineConfig;
}

/** @throws LockHeldError while another process makes files of this model */
async function onBench(id: string, { flags, config }: Run, work: (bench: Bench) => Promise<void>): Promise<void> {
  const store = new ModelStore(config.dataDir);
  const manifest = await store.get(id);
  const stop = new AbortController();
  const onInterrupt = (): void => stop.abort(new DOMException('Interrupted; the model is as it was.', 'AbortError'));
  const lock = acquireLock(pullLockPath(config.dataDir, id));
  process.once('SIGINT', onInterrupt);
  // An engine that started this process closes the channel to end it, and by its own end.
  process.once('disconnect', onInterrupt);
  if (process.connected === false) onInterrupt();
  const progress = (unit: ProgressUnit): Progress =>
    flags.json ? createJsonProgress(process.stderr, unit) : createProgress(process.stderr, unit);
  const source = parentOf(manifest, { config, signal: stop.signal, progress });
  try {
    const modelDir = store.path(id);
    if (flags.text !== null) await keepText(modelDir, flags.text);
    await work({ store, id, modelDir, threads: config.threads ?? physicalCores(), source, signal: stop.signal, progress });
    const table = await loadVariants(config.dataDir, id);
    process.stdout.write(flags.json ? `${JSON.stringify(table)}\n` : describeVariants(table));
  } finally {
    process.off('SIGINT', onInterrupt);
    process.off('disconnect', onInterrupt);
    await source.close();
    lock.release();
  }
}

function parentOf(
  manifest: ModelManifest,
  { config, signal, progress }: Pick<Run, 'config'> & Pick<Bench, 'signal' | 'progress'>,
): ParentSource {
  return new ParentSource(manifest, { dataDir: config.dataDir, signal, progress: () => progress('bytes') });
}

async function keepText(modelDir: string, path: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new EngineError('invalid_request', `The text ${path} cannot be read.`, { param: '--text', cause });
  });
  // Refuses what says nothing before any work is done.
  evaluationTexts(text);
  await writeOwnText(modelDir, text);
}

async function makeVariants(
  { store, id, source, signal, progress }: Bench,
  precision: Precision,
  anew: boolean,
): Promise<readonly [VariantManifest, ...VariantManifest[]]> {
  const opened = await source.open();
  const shown = progress('steps');
  try {
    const onProgress = ({ stepsDone, stepsTotal }: ConvertProgress): void =>
      shown.update(`${stepsDone === 0 ? 'Preparing' : 'Quantising to'} ${precision}`, stepsDone, stepsTotal);
    return await addVariants({ store, id, source: opened, precision, anew, signal, onProgress });
  } finally {
    shown.end();
  }
}

const PERCENT = 100;

async function measure({ store, id, modelDir, threads, source, signal, progress }: Bench, variant: VariantManifest): Promise<void> {
  const manifest = textManifest(await store.get(id));
  const texts = evaluationTexts(await readOwnText(modelDir));
  const shown = progress('steps');
  const onReference = ({ stepsDone, stepsTotal }: ConvertProgress): void => shown.update('Making the reference', stepsDone, stepsTotal);
  try {
    const measured = await withReference({ store, id, source: () => source.open(), signal, onProgress: onReference }, (referencePath) => {
      const onProgress = (share: number): void => shown.update(`Measuring ${variant.name}`, Math.round(share * PERCENT), PERCENT);
      onProgress(0);
      return measureVariant({ manifest, modelDir, variant, referencePath, texts, threads, onProgress, signal });
    });
    await writeMeasurement(modelDir, variant, measured);
  } finally {
    shown.end();
  }
}

function parsePrecision(typed: string): Precision {
  const precision = OPTIONS.precision.parse(typed.trim());
  if (precision !== undefined && precision !== null) return precision;
  throw new EngineError('invalid_request', `--precision must be ${OPTIONS.precision.limit}, not ${JSON.stringify(typed)}.`, {
    param: '--precision',
  });
}
