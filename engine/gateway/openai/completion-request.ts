// The completion request: its schema, and how a valid body becomes one request to the host for each prompt.
// Pure; knows nothing about HTTP or about answers.
import { Type, type Static } from 'typebox';
import type { GenerateRequest } from '../../fleet/host.ts';
import type { GenerateParams, PromptInput } from '../../runner/protocol.ts';
import type { Limits } from '../limits.ts';
import { grammarFields, readConstraint } from './answer-grammar.ts';
import { invalid, unsupported } from './faults.ts';
import { COMPLETION_REFUSALS, refuseUnsupported } from './refusals.ts';
import { readSampling, readStop, samplingFields } from './sampling.ts';
import { readStreaming, streamFields, type Streaming } from './streaming.ts';

/** OpenAI's default of the legacy endpoint. */
const DEFAULT_MAX_TOKENS = 16;

const tokens = Type.Array(Type.Integer({ minimum: 0 }));
const prompt = Type.Union([Type.String(), Type.Array(Type.String()), tokens, Type.Array(tokens)], {
  description: 'A text, several texts, the token ids of one prompt, or those of several.',
});

export const completionBody = Type.Object({
  model: Type.String({ minLength: 1, description: 'Name of an installed model; see `/v1/models`.' }),
  prompt,
  max_tokens: Type.Optional(Type.Integer({ minimum: 0, description: 'Tokens of each answer at most; 0 only with `echo`. Default 16.' })),
  n: Type.Optional(Type.Integer({ minimum: 1, description: 'Answers to each prompt. Default 1.' })),
  best_of: Type.Optional(
    Type.Integer({
      minimum: 1,
      description: 'Answers to make, of which the `n` with the highest mean log-probability are returned; not with `stream`.',
    }),
  ),
  echo: Type.Optional(Type.Boolean({ description: 'Put the prompt before the answer.' })),
  logprobs: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 20, description: 'Log-probability of each token with this many alternatives.' }),
  ),
  ...samplingFields,
  ...grammarFields,
  ...streamFields,
  user: Type.Optional(Type.String({ description: 'Accepted; has no effect on the answer.' })),
});
export type CompletionBody = Static<typeof completionBody>;

export interface CompletionAsk extends Streaming {
  readonly requests: readonly GenerateRequest[];
  /** Answers to each prompt that are returned. */
  readonly n: number;
  /** Answers to each prompt that are made. */
  readonly bestOf: number;
  readonly logprobs: number | null;
  readonly echo: boolean;
}

/** What the model's files say about prompts. */
export interface PromptFacts {
  readonly vocabSize: number;
  readonly addBos: boolean;
}

/** @throws EngineError `unsupported_parameter`, `invalid_request` */
export function readCompletion(body: CompletionBody, facts: PromptFacts, limits: Limits): CompletionAsk {
  refuseUnsupported(body, COMPLETION_REFUSALS);
  const n = body.n ?? 1;
  const bestOf = body.best_of ?? n;
  const prompts = readPrompts(body.prompt, facts);
  checkCounts({ body, prompts: prompts.length, n, bestOf, limits });
  const params = readParams(body, facts, limits);
  const requests = prompts.map((prompt) => ({
    model: body.model,
    prompt,
    params: { ...params, promptLogprobs: needsPromptLogprobs(body, prompt) },
  }));
  return { ...readStreaming(body), requests, n, bestOf, logprobs: body.logprobs ?? null, echo: body.echo ?? false };
}

function readParams(body: CompletionBody, facts: PromptFacts, limits: Limits): Omit<GenerateParams, 'promptLogprobs'> {
  const made = body.best_of ?? body.n ?? 1;
  const choosing = made > (body.n ?? 1);
  return {
    sampling: readSampling(body, facts.vocabSize),
    maxTokens: body.max_tokens ?? DEFAULT_MAX_TOKENS,
    stop: readStop(body.stop, limits),
    topLogprobs: body.logprobs ?? (choosing ? 0 : null),
    n: made,
    ignoreEos: body.ignore_eos ?? false,
    ...readConstraint(body),
  };
}

/** The text of token ids is known only to the runner, which reports it with their log-probabilities. */
function needsPromptLogprobs(body: CompletionBody, prompt: PromptInput): boolean {
  return body.echo === true && (body.logprobs !== undefined || prompt.kind === 'tokens');
}

interface Counts {
  readonly body: CompletionBody;
  readonly prompts: number;
  readonly n: number;
  readonly bestOf: number;
  readonly limits: Limits;
}

function checkCounts({ body, prompts, n, bestOf, limits }: Counts): void {
  if (prompts > limits.prompts) throw invalid('prompt', `prompt holds ${prompts} prompts; at most ${limits.prompts} are allowed.`);
  if (bestOf < n) throw invalid('best_of', `best_of (${bestOf}) must be at least n (${n}).`);
  if (prompts * bestOf > limits.choices)
    throw invalid(bestOf > n ? 'best_of' : 'n', `prompts × answers must be at most ${limits.choices}.`);
  if (bestOf > n && body.stream === true) throw unsupported('best_of', 'best_of greater than n cannot be streamed.');
  if (body.max_tokens === 0 && body.echo !== true) throw invalid('max_tokens', 'max_tokens may be 0 only with echo.');
}

function readPrompts(prompt: CompletionBody['prompt'], facts: PromptFacts): PromptInput[] {
  if (typeof prompt === 'string') return [textPrompt(prompt, facts)];
  if (prompt.length === 0) throw invalid('prompt', 'prompt is empty.');
  if (isTokens(prompt)) return [tokenPrompt(prompt, facts)];
  return prompt.map((one) => (typeof one === 'string' ? textPrompt(one, facts) : tokenPrompt(one, facts)));
}

const isTokens = (prompt: readonly (string | number | number[])[]): prompt is number[] => typeof prompt[0] === 'number';

function textPrompt(text: string, facts: PromptFacts): PromptInput {
  if (text === '' && !facts.addBos) throw invalid('prompt', 'An empty prompt has no token to begin from with this model.');
  return { kind: 'text', text };
}

function tokenPrompt(tokens: readonly number[], facts: PromptFacts): PromptInput {
  if (tokens.length === 0) throw invalid('prompt', 'A prompt of token ids is empty.');
  const foreign = tokens.find((token) => token >= facts.vocabSize);
  if (foreign !== undefined) throw invalid('prompt', `prompt: ${foreign} is no token id below ${facts.vocabSize}.`);
  return { kind: 'tokens', tokens };
}
