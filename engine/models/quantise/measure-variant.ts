// Owns the measurement of an installed variant beside float32: speed and memory of both, then how near it is on each text.
// Knows nothing about where results are kept.
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TextQuality, VariantMeasurement } from '../../contract.ts';
import type { DecoderManifest, EncoderManifest, TextManifest, VariantManifest } from '../manifest.ts';
import { evaluateVariant } from './evaluate.ts';
import { evaluateEncoder } from './evaluate-encoder.ts';
import { decoderTokens, encoderTexts, type EvaluationText } from './evaluation-texts.ts';
import { speedOf } from './speed-process.ts';

export interface MeasureRequest<M extends TextManifest = TextManifest> {
  readonly manifest: M;
  /** The model's folder. */
  readonly modelDir: string;
  readonly variant: VariantManifest;
  /** Absolute path of the float32 graph. */
  readonly referencePath: string;
  readonly texts: readonly EvaluationText[];
  readonly threads: number;
  /** `share` of the whole work is done. */
  readonly onProgress?: (share: number) => void;
  readonly signal?: AbortSignal;
}

/** Share of the time that speed takes, about. */
const SPEED_SHARE = 0.3;
/** How long the machine is watched to see whether others use it. */
const WATCH_MS = 500;

/** Takes some ten seconds for a small model. @throws OrtError when a graph does not load */
export async function measureVariant(request: MeasureRequest): Promise<VariantMeasurement> {
  const { manifest, modelDir, threads, signal } = request;
  const othersBusy = await busyShare();
  signal?.throwIfAborted();
  const tokenizerJson = JSON.parse(await readFile(join(modelDir, manifest.tokenizer.file), 'utf8')) as object;
  const measured =
    manifest.kind === 'encoder'
      ? await measureEncoder({ ...request, manifest }, tokenizerJson)
      : await measureDecoder({ ...request, manifest }, tokenizerJson);
  return { atMs: Date.now(), processor: cpus()[0]?.model.trim() ?? '', threads, othersBusy, ...measured };
}

type Measured = Pick<VariantMeasurement, 'speed' | 'referenceSpeed' | 'quality'>;

async function measureDecoder(request: MeasureRequest<DecoderManifest>, tokenizerJson: object): Promise<Measured> {
  const { manifest, texts, threads, onProgress, signal } = request;
  const { config } = manifest;
  const candidate = { path: join(request.modelDir, request.variant.graphFile), kvType: request.variant.kvType };
  const reference = { path: request.referencePath, kvType: 'f32' } as const;
  const tokenised = texts.map(({ name, text }) => ({ name, tokens: decoderTokens(tokenizerJson, text) }));
  const tokens = tokenised[0]?.tokens ?? new Int32Array();
  const speed = await speedOf({ kind: 'decoder', graph: candidate, config, tokens, threads }, signal);
  signal?.throwIfAborted();
  const referenceSpeed = await speedOf({ kind: 'decoder', graph: reference, config, tokens, threads }, signal);
  const total = tokenised.reduce((sum, text) => sum + text.tokens.length, 0);
  const quality: TextQuality[] = [];
  let before = 0;
  for (const { name, tokens: text } of tokenised) {
    const progress = (done: number): void => onProgress?.(SPEED_SHARE + ((1 - SPEED_SHARE) * (before + done)) / total);
    progress(0);
    const stop = signal === undefined ? {} : { signal };
    const evaluation = await evaluateVariant({ config, candidate, reference, tokens: text, threads, onProgress: progress, ...stop });
    quality.push({ kind: 'decoder', text: name, ...evaluation });
    before += text.length;
  }
  return { speed, referenceSpeed, quality };
}

async function measureEncoder(request: MeasureRequest<EncoderManifest>, tokenizerJson: object): Promise<Measured> {
  const { manifest, texts, threads, onProgress, signal, referencePath } = request;
  const { config } = manifest;
  const graph = join(request.modelDir, request.variant.graphFile);
  const parts = texts.map(({ name, text }) => ({ name, texts: encoderTexts(tokenizerJson, text, config.contextLength) }));
  const some = parts[0]?.texts ?? [];
  const speed = await speedOf({ kind: 'encoder', graph, config, texts: some, threads }, signal);
  signal?.throwIfAborted();
  const referenceSpeed = await speedOf({ kind: 'encoder', graph: referencePath, config, texts: some, threads }, signal);
  onProgress?.(SPEED_SHARE);
  const quality: TextQuality[] = [];
  for (const part of parts) {
    const stop = signal === undefined ? {} : { signal };
    const request = { config, candidate: graph, reference: referencePath, texts: part.texts, threads, ...stop };
    quality.push({ kind: 'encoder', text: part.name, ...(await evaluateEncoder(request)) });
    onProgress?.(SPEED_SHARE + ((1 - SPEED_SHARE) * quality.length) / parts.length);
  }
  return { speed, referenceSpeed, quality };
}

/** Share of all processors in use over half a second. */
async function busyShare(): Promise<number> {
  const before = processorTimes();
  await delay(WATCH_MS);
  const after = processorTimes();
  const total = after.total - before.total;
  return total <= 0 ? 0 : 1 - (after.idle - before.idle) / total;
}

function processorTimes(): { readonly idle: number; readonly total: number } {
  const all = cpus().map(({ times }) => ({ idle: times.idle, total: Object.values(times).reduce((sum, ms) => sum + ms, 0) }));
  return { idle: all.reduce((sum, { idle }) => sum + idle, 0), total: all.reduce((sum, { total }) => sum + total, 0) };
}
