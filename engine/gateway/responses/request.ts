// The request for a response: its schema, and how a valid body becomes what is asked of the host.
// Pure; knows nothing about HTTP, storage or answers.
import { Type, type Static } from 'typebox';
import type { GenerateRequest } from '../../fleet/host.ts';
import type { Limits } from '../limits.ts';
import { readFormat, type Constraint } from '../openai/answer-grammar.ts';
import { invalid, unsupported } from '../openai/faults.ts';
import { refuseUnsupported } from '../openai/refusals.ts';
import { readSampling, readStop, samplingFields } from '../openai/sampling.ts';
import { inputItem, readItems, toMessages, type InputItem } from './items.ts';
import { RESPONSE_REFUSALS } from './refusals.ts';

const accepted = 'Accepted; has no effect on the answer.';

const promptFields = {
  model: Type.String({ minLength: 1, description: 'Name of an installed model; see `/v1/models`.' }),
  input: Type.Optional(
    Type.Union([Type.String(), Type.Array(inputItem)], {
      description: 'A text, or items of a conversation; may be left out with `previous_response_id`.',
    }),
  ),
  instructions: Type.Optional(Type.String({ description: 'A system message before the conversation; not kept for the next response.' })),
  previous_response_id: Type.Optional(Type.String({ minLength: 1, description: 'The stored response that this one continues.' })),
};

export const inputTokensBody = Type.Object(promptFields);

export const responseBody = Type.Object({
  ...promptFields,
  max_output_tokens: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Tokens of the answer at most. Default: what the context holds.' }),
  ),
  ...samplingFields,
  text: Type.Optional(
    Type.Object({
      format: Type.Optional(
        Type.Object(
          {
            type: Type.String({ description: '`text`, `json_object` or `json_schema`.' }),
            name: Type.Optional(Type.String()),
            schema: Type.Optional(Type.Unknown()),
            strict: Type.Optional(Type.Boolean({ description: 'A keyword that cannot be enforced is refused by name. Default false.' })),
          },
          { description: 'What the answer must look like.' },
        ),
      ),
      verbosity: Type.Optional(Type.String()),
    }),
  ),
  top_logprobs: Type.Optional(Type.Integer({ minimum: 0, maximum: 20, description: 'Alternatives for each token.' })),
  include: Type.Optional(
    Type.Array(Type.String(), {
      description:
        '`message.output_text.logprobs` adds log-probabilities; the other documented values are about items that this server does not make.',
    }),
  ),
  stream: Type.Optional(Type.Boolean({ description: 'Answer as server-sent events. Default false.' })),
  stream_options: Type.Optional(
    Type.Object({ include_obfuscation: Type.Optional(Type.Boolean({ description: 'Only false is supported: events carry no padding.' })) }),
  ),
  store: Type.Optional(Type.Boolean({ description: 'Keep the response for 30 days, to be read, continued or deleted. Default true.' })),
  background: Type.Optional(
    Type.Boolean({ description: 'Answer at once with an id, and go on without the client; needs `store`, not with `stream`.' }),
  ),
  metadata: Type.Optional(Type.Record(Type.String(), Type.String({ maxLength: 512 }), { description: 'Kept with the response.' })),
  parallel_tool_calls: Type.Optional(Type.Boolean({ description: accepted })),
  max_tool_calls: Type.Optional(Type.Integer({ minimum: 1, description: accepted })),
  user: Type.Optional(Type.String({ description: accepted })),
  safety_identifier: Type.Optional(Type.String({ description: accepted })),
  prompt_cache_key: Type.Optional(Type.String({ description: accepted })),
  prompt_cache_retention: Type.Optional(Type.String({ description: accepted })),
});
export type ResponseBody = Static<typeof responseBody>;
type PromptBody = Static<typeof inputTokensBody>;

/** Beside log-probabilities: of items that never occur here, and so never lack anything. */
const EMPTY_INCLUDES: ReadonlySet<string> = new Set([
  'file_search_call.results',
  'web_search_call.results',
  'web_search_call.action.sources',
  'message.input_image.image_url',
  'computer_call_output.output.image_url',
  'code_interpreter_call.outputs',
  'reasoning.encrypted_content',
]);
const LOGPROBS = 'message.output_text.logprobs';
const METADATA_PAIRS = 16;
const METADATA_KEY = 64;

export interface ResponseAsk {
  readonly input: readonly InputItem[];
  readonly previousId: string | null;
  readonly logprobs: boolean;
  readonly stream: boolean;
  readonly store: boolean;
  readonly background: boolean;
  /** The request once the conversation before it is known. */
  readonly after: (history: readonly InputItem[]) => GenerateRequest;
}

/** @throws EngineError `unsupported_parameter`, `invalid_request` */
export function readResponse(body: ResponseBody, vocabSize: number, limits: Limits): ResponseAsk {
  refuseUnsupported(body, RESPONSE_REFUSALS);
  checkIncludes(body.include ?? []);
  checkMetadata(body.metadata ?? {});
  const { stream = false, store = true, background = false } = body;
  if (body.stream_options !== undefined && !stream) throw invalid('stream_options', 'stream_options needs stream to be true.');
  if (body.stream_options?.include_obfuscation === true) throw unsupported('stream_options.include_obfuscation', 'Events are not padded.');
  if (background && !store) throw invalid('background', 'background needs store to be true.');
  if (background && stream)
    throw unsupported('background', 'A response in the background cannot be streamed; ask for it until it is done.');
  const logprobs = body.include?.includes(LOGPROBS) === true || (body.top_logprobs ?? 0) > 0;
  const params = {
    sampling: readSampling(body, vocabSize),
    maxTokens: body.max_output_tokens ?? null,
    stop: readStop(body.stop, limits),
    topLogprobs: logprobs ? (body.top_logprobs ?? 0) : null,
    promptLogprobs: false,
    n: 1,
    ignoreEos: body.ignore_eos ?? false,
    ...readText(body),
  };
  const { input, previousId, prompt } = readConversation(body, limits);
  return {
    input,
    previousId,
    logprobs,
    stream,
    store,
    background,
    after: (history) => ({ model: body.model, prompt: prompt(history), params }),
  };
}

function readText({ text }: ResponseBody): Constraint {
  const grammar = text?.format === undefined ? null : readFormat(text.format, 'text.format', '');
  return grammar === null ? {} : { grammar };
}

export interface ConversationAsk {
  readonly input: readonly InputItem[];
  readonly previousId: string | null;
  readonly prompt: (history: readonly InputItem[]) => Extract<GenerateRequest['prompt'], { kind: 'chat' }>;
}

/** @throws EngineError `unsupported_parameter`, `invalid_request` */
export function readConversation(body: PromptBody, limits: Limits): ConversationAsk {
  const previousId = body.previous_response_id ?? null;
  if (body.input === undefined && previousId === null) throw invalid('input', 'input is required.');
  if (Array.isArray(body.input) && body.input.length > limits.messages)
    throw invalid('input', `input has more than ${limits.messages} items.`);
  const input = readItems(body.input ?? []);
  const instructions = body.instructions ?? null;
  if (input.length === 0 && previousId === null && instructions === null) throw invalid('input', 'input is empty.');
  return {
    input,
    previousId,
    prompt: (history) => ({ kind: 'chat', messages: toMessages(instructions, [...history, ...input]), tools: null, templateOptions: {} }),
  };
}

function checkIncludes(includes: readonly string[]): void {
  const unknown = includes.find((include) => include !== LOGPROBS && !EMPTY_INCLUDES.has(include));
  if (unknown !== undefined) throw unsupported('include', `include: ${JSON.stringify(unknown)} is not known.`);
}

function checkMetadata(metadata: Readonly<Record<string, string>>): void {
  const keys = Object.keys(metadata);
  if (keys.length > METADATA_PAIRS) throw invalid('metadata', `metadata has more than ${METADATA_PAIRS} pairs.`);
  if (keys.some((key) => key.length > METADATA_KEY))
    throw invalid('metadata', `metadata has a key of more than ${METADATA_KEY} characters.`);
}
