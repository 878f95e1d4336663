// Decides how far two answers to one question agree, 0 to 1, as far as that can be told without a model. Pure.

export type Agreement =
  | { readonly kind: 'graded'; readonly score: number; readonly by: string }
  /** Only their meaning could tell. */
  | { readonly kind: 'unclear' };

const SHORT_CHARS = 40;

/** The same text, the same choice of options, or the same final number agree; short answers that differ do not. */
export function agreementOf(left: string, right: string): Agreement {
  const [a, b] = [plain(left), plain(right)];
  if (a === b) return { kind: 'graded', score: 1, by: 'the same text' };
  const options = [optionOf(left), optionOf(right)];
  if (options[0] !== null && options[1] !== null) return graded(options[0] === options[1], 'the option that is chosen');
  const numbers = [finalNumber(left), finalNumber(right)];
  if (numbers[0] !== null && numbers[1] !== null) return graded(numbers[0] === numbers[1], 'the final number');
  return a.length <= SHORT_CHARS && b.length <= SHORT_CHARS ? graded(false, 'short answers that differ') : { kind: 'unclear' };
}

function graded(isSame: boolean, by: string): Agreement {
  return { kind: 'graded', score: isSame ? 1 : 0, by };
}

/** Share of common words, harmonic mean of both directions (SQuAD's F1, arXiv 1606.05250, section 6.1). */
export function wordOverlap(left: string, right: string): number {
  const [a, b] = [wordsOf(left), wordsOf(right)];
  if (a.length === 0 || b.length === 0) return a.length === b.length ? 1 : 0;
  const counts = new Map<string, number>();
  for (const word of a) counts.set(word, (counts.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of b) {
    const left_ = counts.get(word) ?? 0;
    if (left_ > 0) common += 1;
    counts.set(word, left_ - 1);
  }
  return (2 * common) / (a.length + b.length);
}

/** Of vectors of length 1. */
export function cosine(left: ArrayLike<number>, right: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < left.length; at += 1) sum += (left[at] ?? 0) * (right[at] ?? 0);
  return Math.max(0, Math.min(1, sum));
}

const wordsOf = (text: string): readonly string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
const plain = (text: string): string => wordsOf(text).join(' ');

/** `B`, `(B)`, `B. 42`, `Answer: B`. */
function optionOf(text: string): string | null {
  const found = /^\s*(?:the\s+)?(?:correct\s+)?(?:answer\s*(?:is|:)\s*)?\(?([A-J])\)?(?:[.):]|\s*$)/i.exec(text);
  return found?.[1]?.toUpperCase() ?? null;
}

/** Where a text works towards one: the last number in it, on its last line. */
function finalNumber(text: string): number | null {
  const last = text.trim().split('\n').at(-1) ?? '';
  const found = last
    .replaceAll(/(\d),(?=\d{3})/g, '$1')
    .match(/-?\d+(?:\.\d+)?/g)
    ?.at(-1);
  return found === undefined ? null : Number(found);
}
