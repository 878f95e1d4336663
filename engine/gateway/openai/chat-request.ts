// The chat request: its schema, and how a valid body becomes a request to the host.
// Pure; knows nothing about HTTP or about answers.
import { Type, type Static } from 'typebox';
import type { GenerateRequest } from '../../fleet/host.ts';
import type { TemplateMessage } from '../../runner/protocol.ts';
import type { Limits } from '../limits.ts';
import { grammarFields, readConstraint } from './answer-grammar.ts';
import { invalid, unsupported } from './faults.ts';
import { CHAT_REFUSALS, refuseUnsupported } from './refusals.ts';
import { readSampling, readStop, samplingFields } from './sampling.ts';
import { callField, callsText, knowsTools, readTools, resultText, toolFields, withToolPrompt, type ToolAsk } from './tools.ts';
import { readStreaming, streamFields, type Streaming } from './streaming.ts';

const contentPart = Type.Object({ type: Type.String(), text: Type.Optional(Type.String()), refusal: Type.Optional(Type.String()) });

const message = Type.Object({
  role: Type.Enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
  content: Type.Optional(Type.Union([Type.String(), Type.Array(contentPart)], { description: 'Text, or parts of type `text`.' })),
  name: Type.Optional(Type.String({ description: 'Passed to the model’s chat template.' })),
  refusal: Type.Optional(Type.String()),
  tool_calls: Type.Optional(callField),
  tool_call_id: Type.Optional(Type.String()),
  function_call: Type.Optional(Type.Unknown()),
  audio: Type.Optional(Type.Unknown()),
});

export const chatBody = Type.Object({
  model: Type.String({ minLength: 1, description: 'Name of an installed model; see `/v1/models`.' }),
  messages: Type.Array(message, { minItems: 1 }),
  max_tokens: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Older name of `max_completion_tokens`; the smaller of the two holds.' }),
  ),
  max_completion_tokens: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Tokens of the answer at most. Default: what the context holds.' }),
  ),
  n: Type.Optional(Type.Integer({ minimum: 1, description: 'Answers to make. Default 1.' })),
  logprobs: Type.Optional(Type.Boolean()),
  top_logprobs: Type.Optional(Type.Integer({ minimum: 0, maximum: 20, description: 'Alternatives for each token; needs `logprobs`.' })),
  ...samplingFields,
  ...grammarFields,
  ...toolFields,
  ...streamFields,
  continue_final_message: Type.Optional(
    Type.Boolean({ description: 'Go on with the last message, which is the assistant’s, instead of answering it (as vLLM does).' }),
  ),
  add_generation_prompt: Type.Optional(
    Type.Boolean({ description: 'Must be false with `continue_final_message`; has no effect without.' }),
  ),
  user: Type.Optional(Type.String({ description: 'Accepted; has no effect on the answer.' })),
  metadata: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description:
        '`millrace-budget`, `millrace-max-latency-ms` and `millrace-quality` are hints for `auto`; all else has no effect on the answer.',
    }),
  ),
  store: Type.Optional(Type.Boolean({ description: 'Accepted; nothing is stored.' })),
});
export type ChatBody = Static<typeof chatBody>;
type Message = Static<typeof message>;

export interface ChatAsk extends Streaming {
  readonly request: GenerateRequest;
  readonly logprobs: boolean;
  /** The answer may call tools. */
  readonly hasTools: boolean;
}

/** What the model's files say about chats. */
export interface ChatFacts {
  readonly vocabSize: number;
  readonly chatTemplate: string | null;
}

/** @throws EngineError `unsupported_parameter`, `invalid_request` */
export function readChat(body: ChatBody, facts: ChatFacts, limits: Limits): ChatAsk {
  refuseUnsupported(body, CHAT_REFUSALS);
  if (body.messages.length > limits.messages) throw invalid('messages', `messages has more than ${limits.messages} entries.`);
  if ((body.n ?? 1) > limits.choices) throw invalid('n', `n must be at most ${limits.choices}.`);
  const logprobs = body.logprobs ?? false;
  if (body.top_logprobs !== undefined && !logprobs) throw invalid('top_logprobs', 'top_logprobs needs logprobs to be true.');
  const tools = readTools(body);
  const plain = toRequest(body, facts, limits);
  return { ...readStreaming(body), logprobs, hasTools: tools !== null, request: tools === null ? plain : withTools(plain, tools, facts) };
}

function withTools(request: ChatRequest, { tools, grammar }: ToolAsk, { chatTemplate }: ChatFacts): ChatRequest {
  const { prompt, params } = request;
  if (params.grammar !== undefined)
    throw unsupported(params.grammar.field, `${params.grammar.field} is not supported together with tools; set tool_choice to none.`);
  const told = knowsTools(chatTemplate) ? { ...prompt, tools } : { ...prompt, messages: withToolPrompt(prompt.messages, tools) };
  return { ...request, prompt: told, params: { ...params, grammar } };
}

type ChatRequest = GenerateRequest & { readonly prompt: Extract<GenerateRequest['prompt'], { kind: 'chat' }> };

function toRequest(body: ChatBody, { vocabSize }: ChatFacts, limits: Limits): ChatRequest {
  return {
    model: body.model,
    prompt: { kind: 'chat', messages: joinResults(body.messages.map(toTemplateMessage)), tools: null, templateOptions: continuing(body) },
    params: {
      sampling: readSampling(body, vocabSize),
      maxTokens: tokenLimit(body),
      stop: readStop(body.stop, limits),
      topLogprobs: body.logprobs === true ? (body.top_logprobs ?? 0) : null,
      promptLogprobs: false,
      n: body.n ?? 1,
      ignoreEos: body.ignore_eos ?? false,
      ...readConstraint(body),
    },
  };
}

function continuing({ continue_final_message: continues, add_generation_prompt: asks, messages }: ChatBody): Record<string, unknown> {
  if (continues !== true) return {};
  if (asks === true) throw invalid('add_generation_prompt', 'add_generation_prompt must be false with continue_final_message.');
  if (messages.at(-1)?.role !== 'assistant')
    throw invalid('continue_final_message', 'continue_final_message needs the last message to be the assistant’s.');
  return { add_generation_prompt: false, continue_final_message: true };
}

function tokenLimit(body: ChatBody): number | null {
  const limits = [body.max_tokens, body.max_completion_tokens].filter((limit) => limit !== undefined);
  return limits.length === 0 ? null : Math.min(...limits);
}

function toTemplateMessage(message: Message, index: number): TemplateMessage {
  const at = `messages[${index}]`;
  if (message.role === 'function') throw unsupported(`${at}.role`, 'The role function is not supported; use tool.');
  if (message.function_call !== undefined) throw unsupported(`${at}.function_call`, 'Function calls are not supported; use tool_calls.');
  if (message.audio !== undefined) throw unsupported(`${at}.audio`, 'Audio is not supported.');
  const role = message.role === 'developer' ? 'system' : message.role;
  if (role === 'tool') return { role, content: resultText(textOf(message, at)) };
  const calls = callsText(message.tool_calls ?? [], `${at}.tool_calls`);
  const content = [textOf(message, at), calls].filter((text) => text !== '').join('\n');
  return { role, content, ...(message.name === undefined ? {} : { name: message.name }) };
}

/** Results in turn are one message of the user: templates want turns to alternate. */
function joinResults(messages: readonly TemplateMessage[]): readonly TemplateMessage[] {
  const joined: TemplateMessage[] = [];
  messages.forEach((message, at) => {
    const before = joined.at(-1);
    if (message.role !== 'tool') joined.push(message);
    else if (before !== undefined && messages[at - 1]?.role === 'tool')
      joined[joined.length - 1] = { ...before, content: `${before.content}\n${message.content}` };
    else joined.push({ role: 'user', content: message.content });
  });
  return joined;
}

/** Parts are joined by line feeds: a template sees one text. */
function textOf(message: Message, at: string): string {
  const { content } = message;
  if (content === undefined) {
    if (message.role === 'assistant') return message.refusal ?? '';
    throw invalid(`${at}.content`, `${at}.content is required.`);
  }
  return typeof content === 'string' ? content : content.map((part, index) => textOfPart(part, `${at}.content[${index}]`)).join('\n');
}

function textOfPart(part: Static<typeof contentPart>, at: string): string {
  if (part.type !== 'text' && part.type !== 'refusal')
    throw unsupported(at, `A content part of type ${JSON.stringify(part.type)} is not supported: this model reads text.`);
  const text = part.type === 'text' ? part.text : part.refusal;
  if (text === undefined) throw invalid(at, `${at}.${part.type} is required.`);
  return text;
}
