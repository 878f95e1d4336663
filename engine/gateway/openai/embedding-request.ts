// The embeddings request: its schema, and how a valid body becomes the inputs of an encode request.
// Pure; knows nothing about HTTP or about answers.
import { Type, type Static } from 'typebox';
import type { EncodeInput } from '../../runner/protocol.ts';
import type { Limits } from '../limits.ts';
import { invalid, unsupported } from './faults.ts';

const tokens = Type.Array(Type.Integer({ minimum: 0 }));

export const embeddingBody = Type.Object({
  model: Type.String({ minLength: 1, description: 'Name of an installed embedding model; see `/v1/models`.' }),
  input: Type.Union([Type.String(), Type.Array(Type.String()), tokens, Type.Array(tokens)], {
    description:
      'A text, up to 2,048 texts, the token ids of one text, or those of several. Token ids are those of the model’s own tokenizer, ' +
      'special ones included.',
  }),
  encoding_format: Type.Optional(Type.Enum(['float', 'base64'], { description: 'base64: little-endian float32. Default float.' })),
  dimensions: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Fewer dimensions, of models trained for it (Matryoshka); refused for others.' }),
  ),
  truncate: Type.Optional(
    Type.Boolean({ description: 'Cut texts that are longer than the model takes, instead of refusing them. Extra.' }),
  ),
  input_type: Type.Optional(
    Type.String({ description: 'The prompt that the model puts before a text, such as `query` or `document`. Extra.' }),
  ),
  user: Type.Optional(Type.String({ description: 'Accepted; has no effect on the answer.' })),
});
export type EmbeddingBody = Static<typeof embeddingBody>;

/** What a model's files say about its embeddings. */
export interface EmbeddingFacts {
  readonly vocabSize: number;
  readonly width: number;
  /** Lengths to which a vector may be cut; empty: none. */
  readonly matryoshka: readonly number[];
  /** Texts put before a text, by name. */
  readonly prompts: Readonly<Record<string, string>>;
  readonly defaultPrompt: string | null;
}

export interface EmbeddingAsk {
  readonly inputs: readonly EncodeInput[];
  readonly truncate: boolean;
  readonly format: 'float' | 'base64';
  readonly dimensions: number;
}

/** @throws EngineError `invalid_request`, `unsupported_parameter` */
export function readEmbedding(body: EmbeddingBody, facts: EmbeddingFacts, limits: Limits): EmbeddingAsk {
  const prompt = readPrompt(body.input_type, facts);
  return {
    inputs: readInputs(body.input, limits).map((input) => withPrompt(input, prompt)),
    truncate: body.truncate ?? false,
    format: body.encoding_format ?? 'float',
    dimensions: readDimensions(body.dimensions, facts),
  };
}

function readInputs(input: EmbeddingBody['input'], limits: Limits): EncodeInput[] {
  if (typeof input === 'string') return [textInput(input, 'input')];
  if (input.length === 0) throw invalid('input', 'input is empty.');
  if (isTokens(input)) return [{ kind: 'tokens', tokens: input }];
  if (input.length > limits.encodeInputs)
    throw invalid('input', `input holds ${input.length} texts; at most ${limits.encodeInputs} are allowed.`);
  return input.map((one, index) => (typeof one === 'string' ? textInput(one, `input[${index}]`) : tokenInput(one, index)));
}

const isTokens = (input: readonly (string | number | number[])[]): input is number[] => typeof input[0] === 'number';

function textInput(text: string, param: string): EncodeInput {
  if (text === '') throw invalid(param, `${param} is an empty text.`);
  return { kind: 'text', text };
}

function tokenInput(ids: readonly number[], index: number): EncodeInput {
  if (ids.length === 0) throw invalid(`input[${index}]`, `input[${index}] has no tokens.`);
  return { kind: 'tokens', tokens: ids };
}

function withPrompt(input: EncodeInput, prompt: string): EncodeInput {
  return input.kind === 'text' && prompt !== '' ? { kind: 'text', text: prompt + input.text } : input;
}

/** The two sides of a search, under the names that models and APIs give them. */
const SIDES: readonly (readonly string[])[] = [
  ['query', 'search_query'],
  ['document', 'passage', 'search_document'],
];

function readPrompt(type: string | undefined, { prompts, defaultPrompt }: EmbeddingFacts): string {
  const names = Object.keys(prompts);
  if (type === undefined) return defaultPrompt === null ? '' : (prompts[defaultPrompt] ?? '');
  const synonyms = SIDES.find((side) => side.includes(type));
  // A model without prompts treats both sides alike.
  if (names.length === 0 && synonyms !== undefined) return '';
  const name = [type, ...(synonyms ?? [])].find((candidate) => Object.hasOwn(prompts, candidate));
  if (name !== undefined) return prompts[name] ?? '';
  throw unsupported('input_type', `This model has no prompt ${JSON.stringify(type)}. It has: ${names.join(', ') || 'none'}.`);
}

function readDimensions(dimensions: number | undefined, { width, matryoshka }: EmbeddingFacts): number {
  if (dimensions === undefined || dimensions === width || matryoshka.includes(dimensions)) return dimensions ?? width;
  const choice = matryoshka.length === 0 ? 'was not trained to have them cut' : `may be cut to ${matryoshka.join(', ')}`;
  throw unsupported('dimensions', `This model makes vectors of ${width} dimensions and ${choice}.`);
}
