// Owns what is read off a prompt's surface: a fixed list of numbers, each a pure function of the text and of a few facts of the chat.
// Knows nothing about weights or models.
import { CUE_NAMES, countCues, type Cue } from './lexicon.ts';
import { splitOptions, type Question } from './options.ts';

/** What the router knows of a request before any model has seen it. */
export interface PromptFacts {
  /** The last message of the user. */
  readonly text: string;
  /** Messages before it; 0 for a plain prompt. */
  readonly turns: number;
  /** Tools the request offers. */
  readonly tools: number;
  /** An answer of a given JSON schema is asked for. */
  readonly schema: boolean;
}

// prettier-ignore
const STRUCTURE = [
  'length', 'stem', 'words', 'optionLength', 'optionSpread', 'sentences', 'sentenceLength', 'wordLength', 'variety', 'distinctWords', 'commas',
  'names', 'capitals', 'numbers', 'distinctNumbers', 'largestNumber', 'decimals', 'symbols', 'code', 'lines', 'quoted', 'years', 'blank',
  'questionLength', 'questionMark', 'labelled', 'fractions', 'percent', 'currency', 'quantity',
] as const;
const OPTIONS = [
  'oneWord',
  'numeric',
  'combined',
  'overlap',
  'echo',
  'optionChange',
  'optionVerdict',
  'optionReason',
  'optionCapital',
] as const;
const CHAT = ['turns', 'tools', 'schema'] as const;

export type Feature = (typeof STRUCTURE)[number] | (typeof OPTIONS)[number] | (typeof CHAT)[number] | Cue;
export const FEATURES: readonly Feature[] = [...STRUCTURE, ...OPTIONS, ...CHAT, ...CUE_NAMES];

/** Characters read of a long text, half from its head and half from its tail: bounds the time. */
const READ_CHARS = 8192;
/** Longer digits are no quantity, and must not overflow. */
const MOST_NUMBER = 1e15;
const WORD = /[A-Za-z][A-Za-z'-]*/g;
const PART_BREAK = /[,;/]|\band\b|\bbut\b/;
const NUMBER = /\d[\d,]*(?:\.\d+)?/g;

export interface Surface {
  readonly question: Question;
  /** Lower case, of the stem. */
  readonly words: readonly string[];
  readonly values: Readonly<Record<Feature, number>>;
}

/** Everything read off one prompt. Counts are ln(1 + count). */
export function readSurface(facts: PromptFacts): Surface {
  const question = splitOptions(shorten(facts.text));
  const spelled = question.stem.match(WORD) ?? [];
  const words = spelled.map((word) => word.toLowerCase());
  const cues = countCues(words);
  const values = {
    ...structureOf(facts.text.length, question, spelled),
    ...optionsOf(question, words),
    turns: log(facts.turns),
    tools: log(facts.tools),
    schema: facts.schema ? 1 : 0,
    ...(Object.fromEntries(CUE_NAMES.map((cue, index) => [cue, log(cues[index] ?? 0)])) as Record<Cue, number>),
  };
  return { question, words, values };
}

function shorten(text: string): string {
  return text.length <= READ_CHARS ? text : `${text.slice(0, READ_CHARS / 2)}\n${text.slice(-READ_CHARS / 2)}`;
}

function structureOf(length: number, { stem, options }: Question, spelled: readonly string[]): Record<(typeof STRUCTURE)[number], number> {
  const numbers = (stem.match(NUMBER) ?? []).map((digits) => Number(digits.replaceAll(',', '')));
  const sentences = count(stem, /[.?!](?=\s|$)/g);
  const optionLengths = options.map((option) => option.length);
  const names = new Set(spelled.filter((word) => /^[A-Z]/.test(word)));
  return {
    length: log(length),
    stem: log(stem.length),
    words: log(spelled.length),
    optionLength: log(mean(optionLengths)),
    optionSpread: spread(optionLengths) / (mean(optionLengths) + 1),
    sentences: log(sentences),
    sentenceLength: log(spelled.length / Math.max(1, sentences)),
    wordLength: mean(spelled.map((word) => word.length)),
    variety: new Set(spelled.map((word) => word.toLowerCase())).size / Math.max(1, spelled.length),
    distinctWords: log(new Set(spelled.map((word) => word.toLowerCase())).size),
    commas: log(count(stem, /[,;:]/g)),
    names: log(names.size),
    capitals: log(count(stem, /\b[A-Z]{2,}\b/g)),
    numbers: log(numbers.length),
    distinctNumbers: log(new Set(numbers).size),
    largestNumber: log(Math.min(MOST_NUMBER, Math.max(0, ...numbers))),
    decimals: log(count(stem, /\d\.\d/g)),
    symbols: log(count(stem, /[=+*/^<>√∫∑π°⊃≡∨∧~→∀∃]|\\[a-z]+/g)),
    code: log(count(stem, /[{}[\];]|==|\(\)|```/g)),
    lines: log(count(stem, /\n/g)),
    quoted: quotedShare(stem),
    years: log(count(stem, /\b(?:1\d|20)\d\d\b/g)),
    blank: log(count(stem, /_{2,}|\.{3}|…/g)),
    questionLength: log(lastSentence(stem).length),
    questionMark: stem.includes('?') ? 1 : 0,
    labelled: log(count(stem, /\b(?:I{1,3}|IV)[.:)]|\b(?:Statement|Scenario|Premise|Step|Case) ?\d|(?:^|\s)\(?\d[.)] /g)),
    fractions: log(count(stem, /\d\/\d|\b(?:half|thirds?|quarters?|fourths?|fifths?)\b/gi)),
    percent: log(count(stem, /%|\bper ?cent/gi)),
    quantity: log(count(stem, /\bhow (?:many|much|far|long|old|tall)\b/gi)),
    currency: log(count(stem, /[$€£]/g)),
  };
}

function optionsOf({ options }: Question, words: readonly string[]): Record<(typeof OPTIONS)[number], number> {
  const optionWords = options.map((option) => (option.match(WORD) ?? []).map((word) => word.toLowerCase()));
  const sets = optionWords.map((list) => new Set(list));
  const stem = new Set(words);
  const cues = optionWords.map(countCues);
  const withCue = (cue: Cue): number => share(cues, (counts) => (counts[CUE_NAMES.indexOf(cue)] ?? 0) > 0);
  return {
    oneWord: share(optionWords, (list) => list.length === 1),
    numeric: share(options, (option) => /\d/.test(option)),
    combined: combinedShare(options),
    overlap: mean(sets.flatMap((set, index) => sets.slice(index + 1).map((other) => jaccard(set, other)))),
    echo: mean(sets.map((set) => shared(set, stem) / Math.max(1, set.size))),
    optionChange: withCue('change'),
    optionVerdict: withCue('verdict'),
    optionReason: withCue('reason'),
    optionCapital: share(options, (option) => /^[A-Z]/.test(option)),
  };
}

/** How far the options are combinations of a few parts ("true, false"; "I and II"): share of parts that repeat an earlier one. */
function combinedShare(options: readonly string[]): number {
  const parts = options.map((option) =>
    option
      .toLowerCase()
      .replace(/[.]$/, '')
      .split(PART_BREAK)
      .map((part) => part.trim()),
  );
  if (parts.filter((list) => list.length > 1).length * 2 < options.length || options.length === 0) return 0;
  const all = parts.flat();
  return 1 - new Set(all).size / all.length;
}

function quotedShare(stem: string): number {
  let quoted = 0;
  for (const match of stem.matchAll(/["“][^"“”]{20,}["”]/g)) quoted += match[0].length;
  return quoted / Math.max(1, stem.length);
}

function lastSentence(stem: string): string {
  const text = stem.trimEnd();
  const before = text.length - 2;
  return text.slice(Math.max(...['. ', '? ', '\n'].map((mark) => text.lastIndexOf(mark, before))) + 1);
}

function jaccard(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  const both = shared(left, right);
  return both / Math.max(1, left.size + right.size - both);
}

function shared(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  let both = 0;
  for (const word of left) if (right.has(word)) both += 1;
  return both;
}

function share<T>(items: readonly T[], holds: (item: T) => boolean): number {
  return items.length === 0 ? 0 : items.filter(holds).length / items.length;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function spread(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

function log(value: number): number {
  return Math.log1p(value);
}
