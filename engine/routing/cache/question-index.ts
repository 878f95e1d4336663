// Owns the vectors of earlier questions, and finds the nearest one that was asked under the same conditions.
// Knows nothing about models or answers.
import type { Question } from './values.ts';

/** The first numbers of each vector, by which most are ruled out. */
const HEAD = 64;

interface Indexed extends Question {
  readonly key: string;
  /** Length of the vector without its head. */
  readonly tailNorm: number;
}

export interface Nearest {
  readonly key: string;
  readonly answer: string;
  /** Cosine. */
  readonly similarity: number;
}

export class QuestionIndex {
  /** By context: only these can be compared. Oldest first. */
  readonly #questions = new Map<string, Map<string, Indexed>>();
  /** Context of each key, oldest first. */
  readonly #contexts = new Map<string, string>();

  get count(): number {
    return this.#contexts.size;
  }

  /** The key that has been there longest. */
  get oldest(): string | undefined {
    return this.#contexts.keys().next().value;
  }

  /** In place of an earlier one of this key. */
  add(key: string, question: Question): void {
    this.remove(key);
    const group = this.#questions.get(question.context) ?? new Map<string, Indexed>();
    group.set(key, { ...question, key, tailNorm: normFrom(question.vector, HEAD) });
    this.#questions.set(question.context, group);
    this.#contexts.set(key, question.context);
  }

  remove(key: string): void {
    const context = this.#contexts.get(key);
    if (context === undefined) return;
    this.#contexts.delete(key);
    const group = this.#questions.get(context);
    group?.delete(key);
    if (group?.size === 0) this.#questions.delete(context);
  }

  /**
   * The question with the largest cosine of at least `similarity`; `vector` and all others have length 1.
   * NOTE: by Cauchy and Schwarz the tails of two vectors add at most the product of their lengths, so that a look at the heads rules most
   * out; the result is the same as with all numbers looked at.
   */
  nearest(context: string, vector: Float32Array, similarity: number): Nearest | undefined {
    const tailNorm = normFrom(vector, HEAD);
    let best: Nearest | undefined;
    let least = similarity;
    for (const { key, answer, vector: other, tailNorm: otherNorm } of this.#questions.get(context)?.values() ?? []) {
      if (other.length !== vector.length) continue;
      const head = dot(vector, other, 0, HEAD);
      if (head + tailNorm * otherNorm < least - ROUNDING) continue;
      const cosine = Math.min(1, head + dot(vector, other, HEAD, vector.length));
      if (cosine < least || (best !== undefined && cosine === least)) continue;
      least = cosine;
      best = { key, answer, similarity: cosine };
    }
    return best;
  }
}

/** The heads' bound is itself rounded. */
const ROUNDING = 1e-6;

function dot(a: Float32Array, b: Float32Array, from: number, to: number): number {
  const end = Math.min(to, a.length);
  let sum = 0;
  for (let at = from; at < end; at++) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}

function normFrom(vector: Float32Array, from: number): number {
  return Math.sqrt(dot(vector, vector, from, vector.length));
}
