// Owns how far an encoder's variant is from its parent: cosine of the rows of the same text, and whether neighbours stay neighbours.
// Knows nothing about how variants are made. Texts come from the caller, as tokens.
import type { EncoderConfig } from '../manifest.ts';
import { EncoderRun } from './encoder-run.ts';

export interface EncoderEvaluation {
  readonly texts: number;
  readonly meanCosine: number;
  readonly worstCosine: number;
  /** Mean share of a text's ten nearest by the reference that are among its ten nearest by the candidate; null below 20 texts. */
  readonly recallAt10: number | null;
}

export interface EncoderEvaluationRequest {
  readonly config: EncoderConfig;
  /** Absolute paths of two graphs of the same model. */
  readonly candidate: string;
  readonly reference: string;
  /** At least one. */
  readonly texts: readonly (readonly number[])[];
  readonly threads: number;
  readonly onProgress?: (textsDone: number) => void;
  readonly signal?: AbortSignal;
}

const NEIGHBOURS = 10;
/** With hardly more texts than neighbours every text would be a neighbour. */
const LEAST_TEXTS = 20;

export async function evaluateEncoder(request: EncoderEvaluationRequest): Promise<EncoderEvaluation> {
  const { config, texts, threads, onProgress, signal } = request;
  using candidate = new EncoderRun(request.candidate, config, threads);
  using reference = new EncoderRun(request.reference, config, threads);
  const rows: { readonly ours: Float32Array; readonly theirs: Float32Array }[] = [];
  for (const tokens of texts) {
    signal?.throwIfAborted();
    rows.push({ ours: await candidate.embed(tokens), theirs: await reference.embed(tokens) });
    onProgress?.(rows.length);
  }
  const cosines = rows.map(({ ours, theirs }) => cosine(ours, theirs));
  return {
    texts: rows.length,
    meanCosine: mean(cosines),
    worstCosine: Math.min(...cosines),
    recallAt10: config.head.kind === 'embedding' && rows.length >= LEAST_TEXTS ? recall(rows) : null,
  };
}

function recall(rows: readonly { readonly ours: Float32Array; readonly theirs: Float32Array }[]): number {
  const ours = rows.map((row) => row.ours);
  const theirs = rows.map((row) => row.theirs);
  const shares = rows.map((_, at) => {
    const found = new Set(nearest(ours, at));
    return nearest(theirs, at).filter((other) => found.has(other)).length / NEIGHBOURS;
  });
  return mean(shares);
}

/** The places of the nearest other rows. */
function nearest(rows: readonly Float32Array[], at: number): readonly number[] {
  const query = rows[at] ?? new Float32Array();
  return rows
    .map((row, place) => ({ place, near: cosine(query, row) }))
    .filter(({ place }) => place !== at)
    .toSorted((a, b) => b.near - a.near)
    .slice(0, NEIGHBOURS)
    .map(({ place }) => place);
}

/** Of two rows of zeros 1: they are the same. */
function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, normA, normB] = [0, 0, 0];
  for (let at = 0; at < a.length; at++) {
    const [x, y] = [a[at] ?? 0, b[at] ?? 0];
    dot += x * y;
    normA += x * x;
    normB += y * y;
  }
  return normA === 0 && normB === 0 ? 1 : dot / Math.sqrt(normA * normB);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
