// Writes synthetic prompts of a wanted length: words that tokenizers have whole, a shared beginning where the record had one. Pure.

const WORDS = (
  'time year people way day man thing woman life child world school state family student group country problem hand part place ' +
  'case week company system program question work government number night point home water room mother area money story fact ' +
  'month lot right study book eye job word business issue side kind head house service friend father power hour game line end'
).split(' ');

/** How a model counts: a prompt of `n` words has `overhead + n * perWord` tokens. */
export interface TokenScale {
  readonly overhead: number;
  readonly perWord: number;
}

/** From two prompts that were sent. */
export function scaleOf(short: Counted, long: Counted): TokenScale {
  const perWord = Math.max(0.25, (long.tokens - short.tokens) / Math.max(1, long.words - short.words));
  return { perWord, overhead: Math.max(0, short.tokens - short.words * perWord) };
}

export interface Counted {
  readonly words: number;
  readonly tokens: number;
}

export interface PromptWish {
  readonly promptTokens: number;
  /** Of these, how many it shares with others of the same `group`. */
  readonly sharedTokens: number;
  readonly group: string;
  /** Differs between requests. */
  readonly seed: number;
}

/** At least one word, and no prefix in common with other seeds beyond the shared tokens. */
export function promptText({ promptTokens, sharedTokens, group, seed }: PromptWish, { overhead, perWord }: TokenScale): string {
  const words = Math.max(1, Math.round((promptTokens - overhead) / perWord));
  const shared = Math.min(words - 1, Math.max(0, Math.round((sharedTokens - overhead) / perWord)));
  return [...wordsOf(hash(group), shared), ...wordsOf(hash(`${group}\n${seed}`), words - shared)].join(' ');
}

export function plainWords(count: number, seed: number): string {
  return wordsOf(hash(String(seed)), count).join(' ');
}

/** A linear congruential generator (Numerical Recipes, 7.1): the same words for the same seed. */
function wordsOf(seed: number, count: number): readonly string[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return WORDS[(state >>> 8) % WORDS.length] ?? 'time';
  });
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c_9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x0100_0193) >>> 0;
  return value;
}
