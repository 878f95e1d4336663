// Owns the sparse changes to logits that a request asks for: logit_bias and the three penalties.
// They touch few tokens, so they are applied to those alone.
import type { SamplingParams } from '../protocol.ts';

interface TokenEdit {
  readonly bias: number;
  /** Times the token occurs in the answer. */
  count: number;
}

export class LogitEdits {
  readonly #params: SamplingParams;
  readonly #edits = new Map<number, TokenEdit>();
  readonly #countsAnswer: boolean;
  /** Tokens of prompt and answer; filled only when the repetition penalty needs them. */
  readonly #seen: Set<number>;

  constructor(params: SamplingParams, promptTokens: Iterable<number>) {
    this.#params = params;
    this.#countsAnswer = params.repetitionPenalty !== 1 || params.frequencyPenalty !== 0 || params.presencePenalty !== 0;
    for (const [token, bias] of params.logitBias) this.#edits.set(token, { bias, count: 0 });
    this.#seen = new Set(params.repetitionPenalty === 1 ? [] : promptTokens);
    for (const token of this.#seen) this.#touch(token);
  }

  get size(): number {
    return this.#edits.size;
  }

  tokens(): Iterable<number> {
    return this.#edits.keys();
  }

  has(token: number): boolean {
    return this.#edits.has(token);
  }

  /** The answer has grown by this token. */
  record(token: number): void {
    if (!this.#countsAnswer) return;
    this.#touch(token).count++;
    if (this.#params.repetitionPenalty !== 1) this.#seen.add(token);
  }

  /** Repetition penalty as Keskar et al. 2019 (arXiv 1909.05858), then OpenAI's two, then the bias; rounded to float32 like the logits. */
  apply(token: number, logit: number): number {
    const edit = this.#edits.get(token);
    if (edit === undefined) return logit;
    const { repetitionPenalty, frequencyPenalty, presencePenalty } = this.#params;
    let value = logit;
    if (this.#seen.has(token)) value = value > 0 ? value / repetitionPenalty : value * repetitionPenalty;
    if (edit.count > 0) value -= edit.count * frequencyPenalty + presencePenalty;
    return Math.fround(value + edit.bias);
  }

  #touch(token: number): TokenEdit {
    const known = this.#edits.get(token);
    if (known !== undefined) return known;
    const fresh = { bias: 0, count: 0 };
    this.#edits.set(token, fresh);
    return fresh;
  }
}
