// The parameters of a conversation: their fields, their limits (those of the API), and how they are sent. Pure.

/** As the reader set them; null: the API's default, and nothing is sent. */
export interface Sampling {
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly topK: number | null;
  readonly minP: number | null;
  readonly maxTokens: number | null;
  readonly seed: number | null;
  readonly frequencyPenalty: number | null;
  readonly presencePenalty: number | null;
  readonly stop: readonly string[];
}

export type NumberField = Exclude<keyof Sampling, 'stop'>;

export interface FieldLimits {
  readonly field: NumberField;
  readonly label: string;
  /** As the API calls it. */
  readonly wire: string;
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
  readonly fallback: string;
  readonly meaning: string;
}

const MAX_SEED = Number.MAX_SAFE_INTEGER;

export const NUMBER_FIELDS: readonly FieldLimits[] = [
  {
    field: 'temperature',
    label: 'Temperature',
    wire: 'temperature',
    min: 0,
    max: 2,
    whole: false,
    fallback: '1',
    meaning: '0 always takes the likeliest token.',
  },
  {
    field: 'topP',
    label: 'Top p',
    wire: 'top_p',
    min: 0,
    max: 1,
    whole: false,
    fallback: '1',
    meaning: 'Only the likeliest tokens that hold this mass.',
  },
  { field: 'topK', label: 'Top k', wire: 'top_k', min: 0, max: 100_000, whole: true, fallback: 'off', meaning: 'Only so many of them.' },
  {
    field: 'minP',
    label: 'Min p',
    wire: 'min_p',
    min: 0,
    max: 1,
    whole: false,
    fallback: 'off',
    meaning: 'None below this share of the likeliest one.',
  },
  {
    field: 'maxTokens',
    label: 'Max tokens',
    wire: 'max_completion_tokens',
    min: 1,
    max: 1_000_000,
    whole: true,
    fallback: 'the context',
    meaning: 'The answer is cut after so many.',
  },
  {
    field: 'seed',
    label: 'Seed',
    wire: 'seed',
    min: -MAX_SEED,
    max: MAX_SEED,
    whole: true,
    fallback: 'random',
    meaning: 'The same seed gives the same answer.',
  },
  {
    field: 'frequencyPenalty',
    label: 'Frequency penalty',
    wire: 'frequency_penalty',
    min: -2,
    max: 2,
    whole: false,
    fallback: '0',
    meaning: 'Against repeating a token, for each time.',
  },
  {
    field: 'presencePenalty',
    label: 'Presence penalty',
    wire: 'presence_penalty',
    min: -2,
    max: 2,
    whole: false,
    fallback: '0',
    meaning: 'Against repeating a token at all.',
  },
];

export const MAX_STOP_STRINGS = 16;

/** At the API's own default of 1 small models wander off; their model cards recommend 0.2 to 0.7. */
export const PLAIN_SAMPLING: Sampling = {
  temperature: 0.3,
  topP: null,
  topK: null,
  minP: null,
  maxTokens: null,
  seed: null,
  frequencyPenalty: null,
  presencePenalty: null,
  stop: [],
};

export type Reading<T> = { readonly kind: 'value'; readonly value: T } | { readonly kind: 'wrong'; readonly reason: string };

/** What was typed into a field; empty means the API's default. */
export function readNumber(text: string, { min, max, whole }: FieldLimits): Reading<number | null> {
  if (text.trim() === '') return { kind: 'value', value: null };
  const value = Number(text);
  if (!Number.isFinite(value)) return { kind: 'wrong', reason: 'Not a number.' };
  if (whole && !Number.isSafeInteger(value)) return { kind: 'wrong', reason: 'A whole number, please.' };
  if (value < min || value > max) return { kind: 'wrong', reason: `Between ${min} and ${max}.` };
  return { kind: 'value', value };
}

/** One string a line; `\n` and `\t` stand for a line break and a tab. */
export function readStops(text: string): Reading<readonly string[]> {
  const stop = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replaceAll(/\\([nt\\])/g, (_, letter: string) => ({ n: '\n', t: '\t' })[letter] ?? letter));
  if (stop.length > MAX_STOP_STRINGS) return { kind: 'wrong', reason: `At most ${MAX_STOP_STRINGS} strings.` };
  return { kind: 'value', value: stop };
}

/** The reverse of `readStops`. */
export function writeStops(stop: readonly string[]): string {
  return stop.map((each) => each.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t')).join('\n');
}

/** The fields of a request; those at their default are left out. */
export function toWire(sampling: Sampling): Readonly<Record<string, number | readonly string[]>> {
  const set = NUMBER_FIELDS.flatMap(({ field, wire }) => {
    const value = sampling[field];
    return value === null ? [] : [[wire, value] as const];
  });
  return Object.fromEntries<number | readonly string[]>(sampling.stop.length === 0 ? set : [...set, ['stop', sampling.stop]]);
}
