// Owns how far a variant is from its parent: perplexity, agreement of the most likely token, divergence of the distributions.
// Knows nothing about how variants are made. Texts come from the caller, as tokens.
import { bug } from '../../errors.ts';
import type { DecoderConfig, VariantManifest } from '../manifest.ts';
import { PromptRun } from './prompt-run.ts';

export interface VariantEvaluation {
  /** exp of the mean negative log-likelihood of each token given those before it, by the candidate and by the reference. */
  readonly perplexity: number;
  readonly referencePerplexity: number;
  /** Share of positions whose most likely token is the same. */
  readonly top1Agreement: number;
  /** Mean of KL(reference ‖ candidate) over positions, in nats. */
  readonly meanKl: number;
  readonly positions: number;
}

export interface EvaluatedGraph {
  /** Absolute. */
  readonly path: string;
  readonly kvType: VariantManifest['kvType'];
}

export interface EvaluationRequest {
  readonly config: DecoderConfig;
  /** Two graphs of the same model. */
  readonly candidate: EvaluatedGraph;
  readonly reference: EvaluatedGraph;
  /** One text, at least two tokens; a long one is read in windows, each from an empty cache. */
  readonly tokens: Int32Array;
  readonly threads: number;
  readonly onProgress?: (positionsDone: number) => void;
  readonly signal?: AbortSignal;
}

/** Logits of a chunk take 4 · vocab bytes a token, twice. */
const CHUNK_TOKENS = 128;
/** Tokens read one behind the other; the context may allow less. */
const WINDOW_TOKENS = 1024;

/** Runs both graphs side by side over the text and compares every position. */
export async function evaluateVariant(request: EvaluationRequest): Promise<VariantEvaluation> {
  const { config, tokens, threads, onProgress, signal } = request;
  if (tokens.length < 2) bug('An evaluation needs two tokens at least.');
  const capacity = Math.min(WINDOW_TOKENS, config.contextLength, tokens.length);
  const open = ({ path, kvType }: EvaluatedGraph): PromptRun => new PromptRun({ graphPath: path, kvType, config, capacity, threads });
  using candidate = open(request.candidate);
  using reference = open(request.reference);
  const sums = new Sums(config.vocabSize);
  for (const { from, to, isFirst } of chunksOf(tokens.length, capacity)) {
    signal?.throwIfAborted();
    if (isFirst) for (const run of [candidate, reference]) run.reset();
    const chunk = tokens.subarray(from, to);
    sums.add(await candidate.append(chunk), await reference.append(chunk), tokens.subarray(from + 1, to + 1));
    onProgress?.(to);
  }
  return sums.result();
}

interface Chunk {
  readonly from: number;
  readonly to: number;
  /** It begins a window. */
  readonly isFirst: boolean;
}

function* chunksOf(count: number, window: number): Generator<Chunk> {
  for (let start = 0; start < count; start += window) {
    const end = Math.min(count, start + window);
    for (let from = start; from < end; from += CHUNK_TOKENS)
      yield { from, to: Math.min(end, from + CHUNK_TOKENS), isFirst: from === start };
  }
}

/** Totals over positions. */
class Sums {
  readonly #vocabSize: number;
  #candidateLoss = 0;
  #referenceLoss = 0;
  #predicted = 0;
  #agreed = 0;
  #kl = 0;
  #positions = 0;

  constructor(vocabSize: number) {
    this.#vocabSize = vocabSize;
  }

  /** Logits [positions, vocab] of both, and the tokens that follow; the text's last position has none. */
  add(candidate: Float32Array, reference: Float32Array, next: Int32Array): void {
    for (let at = 0; at < candidate.length; at += this.#vocabSize) {
      const ours = distributionOf(candidate.subarray(at, at + this.#vocabSize));
      const theirs = distributionOf(reference.subarray(at, at + this.#vocabSize));
      this.#positions += 1;
      this.#agreed += ours.best === theirs.best ? 1 : 0;
      this.#kl += divergence(theirs, ours);
      const token = next[at / this.#vocabSize];
      if (token !== undefined) this.#addLoss(token, ours, theirs);
    }
  }

  result(): VariantEvaluation {
    return {
      perplexity: Math.exp(this.#candidateLoss / this.#predicted),
      referencePerplexity: Math.exp(this.#referenceLoss / this.#predicted),
      top1Agreement: this.#agreed / this.#positions,
      meanKl: this.#kl / this.#positions,
      positions: this.#positions,
    };
  }

  #addLoss(token: number, ours: Distribution, theirs: Distribution): void {
    this.#predicted += 1;
    this.#candidateLoss += ours.logSum - (ours.logits[token] ?? bug(`Token ${token} is outside the vocabulary.`));
    this.#referenceLoss += theirs.logSum - (theirs.logits[token] ?? 0);
  }
}

interface Distribution {
  readonly logits: Float32Array;
  readonly best: number;
  /** Logarithm of the sum of exponentials. */
  readonly logSum: number;
}

function distributionOf(logits: Float32Array): Distribution {
  let best = 0;
  for (let token = 1; token < logits.length; token++) if ((logits[token] ?? 0) > (logits[best] ?? 0)) best = token;
  const largest = logits[best] ?? 0;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return { logits, best, logSum: largest + Math.log(sum) };
}

/** Below this log-probability a token adds nothing that a double would keep. */
const NEGLIGIBLE = -40;

/** KL(p ‖ q) in nats. */
function divergence(p: Distribution, q: Distribution): number {
  let sum = 0;
  for (let token = 0; token < p.logits.length; token++) {
    const logP = (p.logits[token] ?? 0) - p.logSum;
    if (logP > NEGLIGIBLE) sum += Math.exp(logP) * (logP - ((q.logits[token] ?? 0) - q.logSum));
  }
  return sum;
}
