// Owns the form of a router's model file. Numbers of matrices are float32, little-endian, in base64.
import { readFileSync } from 'node:fs';
import { EngineError } from '../../errors.ts';
import type { ExpertName, Part } from './experts.ts';
import type { Feature } from './features.ts';
import type { ValidationReport } from './validate.ts';

export const FORMAT = 2;

export interface RouterModel {
  readonly format: typeof FORMAT;
  readonly provenance: Provenance;
  readonly experts: Readonly<Record<ExpertName, ExpertModel>>;
  /** What an embedding adds; null when trained without. */
  readonly embedding: EmbeddingModel | null;
  /** Mean and standard deviation of expected gains over the training rows: the middle and the width of the complexity scale. */
  readonly scale: Spread;
}

export interface Provenance {
  readonly data: string;
  readonly licence: string;
  readonly rows: number;
  readonly subjects: number;
  /** Day of the training, YYYY-MM-DD. */
  readonly date: string;
  readonly seed: number;
  readonly validation: readonly ValidationReport[];
}

export interface Spread {
  readonly mean: number;
  readonly deviation: number;
}

export interface ExpertModel {
  readonly features: readonly Feature[];
  /** Per feature; deviation 0: the same in every training row, and left out. */
  readonly spreads: readonly Spread[];
  /** Per feature. */
  readonly linear: readonly number[];
  readonly kernel: KernelModel;
  /** Output of each part over the training rows, and its share of the score. */
  readonly parts: Readonly<Partial<Record<Part, Spread & { readonly weight: number }>>>;
  /** Expected gain = mean + slope · score, without and with the embedding. */
  readonly gain: { readonly mean: number; readonly slope: number; readonly embeddedSlope: number };
  /** What its training prompts are like: the spread of their expected gains, and how often the strong model was right. */
  readonly traffic: Traffic;
}

export interface Traffic {
  readonly gain: Spread;
  /** 0..1 */
  readonly strongAccuracy: number;
}

export interface KernelModel {
  readonly features: readonly Feature[];
  readonly gamma: number;
  /** [count, features + components] */
  readonly landmarks: string;
  /** [count] */
  readonly weights: string;
}

export interface EmbeddingModel {
  /** Which encoder. */
  readonly model: string;
  /** Width of its vectors. */
  readonly width: number;
  /** [width] */
  readonly mean: string;
  /** [components, width], scaled for the kernel. */
  readonly projection: string;
  readonly kernels: Readonly<Partial<Record<ExpertName, KernelModel>>>;
}

export function encodeFloats(values: Float32Array | Float64Array): string {
  return Buffer.from(Float32Array.from(values).buffer).toString('base64');
}

export function decodeFloats(text: string): Float64Array {
  const bytes = Buffer.from(text, 'base64');
  return Float64Array.from({ length: bytes.length >> 2 }, (_, index) => bytes.readFloatLE(index * 4));
}

export const SHIPPED_MODEL = new URL('./model.json', import.meta.url);

/** @throws EngineError `model_file_invalid` when the file is of another form */
export function readRouterModel(path: string | URL = SHIPPED_MODEL): RouterModel {
  const parsed = parse(readFileSync(path, 'utf8'));
  if (!isModel(parsed)) throw new EngineError('model_file_invalid', `${String(path)} is not a router model of format ${FORMAT}.`);
  return parsed;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EngineError('model_file_invalid', 'The router model is not JSON.', { cause });
  }
}

/** Enough to tell a foreign file; the numbers are trusted. */
function isModel(value: unknown): value is RouterModel {
  if (typeof value !== 'object' || value === null) return false;
  const { format, experts } = value as Partial<RouterModel>;
  return format === FORMAT && typeof experts === 'object' && ['choice', 'problem'].every((name) => Object.hasOwn(experts, name));
}
