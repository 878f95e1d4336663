// The requests of Ollama's `/api/chat`, `/api/generate`, `/api/embed` and `/api/embeddings`: their schemas, and what they ask of the host. Pure.
import { Type, type Static } from 'typebox';
import type { GenerateRequest } from '../../fleet/host.ts';
import type { GrammarSpec, PromptInput, TemplateMessage } from '../../runner/protocol.ts';
import type { Limits } from '../limits.ts';
import { invalid, unsupported } from '../openai/faults.ts';
import { refuseUnsupported } from '../openai/refusals.ts';
import { CHAT_REFUSALS, GENERATE_REFUSALS, optionsSchema, readOptions } from './options.ts';

const modelFields = {
  model: Type.String({ minLength: 1, description: 'Name of an installed model, with or without `:latest`.' }),
  keep_alive: Type.Optional(
    Type.Union([Type.String(), Type.Number()], {
      description:
        'How long the model stays loaded after this request: seconds, or a duration such as `5m`; 0 unloads it, below 0 is for ever. ' +
        'For whoever may steer the server; others are served as its settings say.',
    }),
  ),
  options: Type.Optional(optionsSchema),
};
const streamField = { stream: Type.Optional(Type.Boolean({ description: 'One JSON object a line. Default true.' })) };

const formatField = {
  format: Type.Optional(
    Type.Union([Type.Enum(['', 'json']), Type.Object({})], {
      description: '`json`, or a JSON Schema that the answer follows as far as it can be enforced.',
    }),
  ),
};

const message = Type.Object({
  role: Type.Enum(['system', 'user', 'assistant', 'tool']),
  content: Type.Optional(Type.String()),
  images: Type.Optional(Type.Array(Type.String())),
  tool_calls: Type.Optional(Type.Array(Type.Unknown())),
});

export const chatBody = Type.Object({
  ...modelFields,
  ...streamField,
  ...formatField,
  messages: Type.Optional(Type.Array(message, { description: 'None: the model is loaded, or unloaded.' })),
});
export type ChatBody = Static<typeof chatBody>;

export const generateBody = Type.Object({
  ...modelFields,
  ...streamField,
  ...formatField,
  prompt: Type.Optional(Type.String({ description: 'None: the model is loaded, or unloaded.' })),
  suffix: Type.Optional(Type.String({ description: 'The text after the answer, for models that fill in.' })),
  system: Type.Optional(Type.String()),
  raw: Type.Optional(Type.Boolean({ description: 'The prompt is continued as it is, without a chat template. Default false.' })),
});
export type GenerateBody = Static<typeof generateBody>;

export const embedBody = Type.Object({
  ...modelFields,
  input: Type.Union([Type.String(), Type.Array(Type.String())]),
  truncate: Type.Optional(Type.Boolean({ description: 'Cut texts that are longer than the model takes. Default true.' })),
  dimensions: Type.Optional(Type.Integer({ minimum: 1, description: 'Fewer dimensions, of models trained for it.' })),
});
export type EmbedBody = Static<typeof embedBody>;

export const embeddingsBody = Type.Object({ ...modelFields, prompt: Type.String() });

/** What `/api/chat` and `/api/generate` ask for; null: that the model be loaded. `model` is its name in the host. */
export function readChat(body: ChatBody, model: string, limits: Limits): GenerateRequest | null {
  refuseUnsupported(body, CHAT_REFUSALS);
  const { messages = [], options = {} } = body;
  if (messages.length > limits.messages) throw invalid('messages', `messages has more than ${limits.messages} entries.`);
  const params = { ...readOptions(options, limits), ...readFormat(body.format) };
  return messages.length === 0 ? null : { model, prompt: chatPrompt(messages.map(toTemplateMessage)), params };
}

/** @throws EngineError `unsupported_parameter`, `invalid_request` */
export function readGenerate(body: GenerateBody, model: string, limits: Limits): GenerateRequest | null {
  refuseUnsupported(body, GENERATE_REFUSALS);
  const { prompt = '', system = '', raw = false, options = {} } = body;
  const params = { ...readOptions(options, limits), ...readFormat(body.format) };
  if (prompt === '' && (body.suffix ?? '') === '') return null;
  // Filling in has no chat: the prompt is what stands before.
  if (raw || (body.suffix ?? '') !== '') return { model, prompt: { kind: 'text', text: prompt }, params };
  const messages = [...(system === '' ? [] : [{ role: 'system', content: system }]), { role: 'user', content: prompt }];
  return { model, prompt: chatPrompt(messages), params };
}

function readFormat(format: ChatBody['format']): { readonly grammar?: GrammarSpec } {
  if (format === undefined || format === '') return {};
  const field = 'format';
  return { grammar: format === 'json' ? { kind: 'json', field } : { kind: 'json_schema', field, schema: format, strict: false } };
}

function chatPrompt(messages: readonly TemplateMessage[]): PromptInput {
  return { kind: 'chat', messages, tools: null, templateOptions: {} };
}

function toTemplateMessage(
  { role, content = '', images = [], tool_calls: calls = [] }: Static<typeof message>,
  index: number,
): TemplateMessage {
  const at = `messages[${index}]`;
  if (role === 'tool') throw unsupported(`${at}.role`, 'Tool results are not supported yet.');
  if (calls.length > 0) throw unsupported(`${at}.tool_calls`, 'Tool calls are not supported yet.');
  if (images.length > 0) throw unsupported(`${at}.images`, 'Images are not supported: this model reads text.');
  return { role, content };
}
