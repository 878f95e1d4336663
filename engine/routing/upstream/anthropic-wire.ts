// Anthropic's messages as an upstream: docs.anthropic.com/en/api/messages and /messages-streaming. Pure.
import { EngineError } from '../../errors.ts';
import type { PromptInput, TemplateMessage } from '../../runner/protocol.ts';
import {
  countOf,
  NOTHING,
  objectOf,
  parseObject,
  saidBy,
  textOf,
  unsupported,
  type Wire,
  type WirePiece,
  type WireQuestion,
  type WireRequest,
} from './wire.ts';

const VERSION = '2023-06-01';

export const ANTHROPIC: Wire = { request: toRequest, read: readEvent };

function toRequest({ request, model, key, maxTokens }: WireQuestion): WireRequest {
  const { sampling, stop, n } = request.params;
  if (n !== 1) throw unsupported('More than one answer');
  if (request.params.grammar !== undefined) throw unsupported(request.params.grammar.field, request.params.grammar.field);
  const { system, messages } = conversationOf(request.prompt);
  const { temperature, topP, topK } = sampling;
  // Newer models take one of the two; a plain 1 says nothing.
  const drawing = topP < 1 && temperature === 1 ? { top_p: topP } : { temperature: Math.min(1, temperature) };
  return {
    path: '/messages',
    headers: { 'anthropic-version': VERSION, ...(key === null ? {} : { 'x-api-key': key }) },
    body: {
      model,
      max_tokens: maxTokens,
      messages,
      stream: true,
      ...drawing,
      ...(system === '' ? {} : { system }),
      ...(topK === 0 ? {} : { top_k: topK }),
      ...(stop.length === 0 ? {} : { stop_sequences: stop }),
    },
  };
}

interface Conversation {
  readonly system: string;
  readonly messages: readonly { readonly role: 'user' | 'assistant'; readonly content: string }[];
}

/** System messages stand apart. A beginning of the answer is its last message, without the white space that the API refuses there. */
function conversationOf(prompt: PromptInput): Conversation {
  if (prompt.kind === 'tokens') throw unsupported('A prompt of tokens');
  if (prompt.kind === 'text') return { system: '', messages: [{ role: 'user', content: prompt.text }] };
  if (prompt.tools !== null && prompt.tools.length > 0) throw unsupported('A request with tools');
  const isSystem = ({ role }: TemplateMessage): boolean => role === 'system';
  const system = prompt.messages.filter(isSystem).map(({ content }) => content);
  const spoken = prompt.messages.filter((message) => !isSystem(message));
  return {
    system: system.join('\n\n'),
    messages: spoken.map(({ role, content }, at) => {
      const isAnswer = role === 'assistant';
      return { role: isAnswer ? 'assistant' : 'user', content: isAnswer && at === spoken.length - 1 ? content.trimEnd() : content };
    }),
  };
}

function readEvent({ data }: { readonly data: string }): WirePiece {
  const event = parseObject(data);
  switch (event['type']) {
    case 'message_start':
      return { ...NOTHING, ...promptUsage(objectOf(objectOf(event['message'])['usage'])) };
    case 'content_block_delta': {
      const text = textOf(objectOf(event['delta'])['text']);
      return text === '' ? NOTHING : { ...NOTHING, texts: [{ choice: 0, text }] };
    }
    case 'message_delta':
      return messageDelta(objectOf(event['delta']), objectOf(event['usage']));
    case 'message_stop':
      return { ...NOTHING, isEnd: true };
    case 'error':
      throw new EngineError('upstream_failed', `The upstream broke off: ${saidBy(event['error'])}`);
    default:
      // New kinds of events may come; clients are told to pass over them.
      return NOTHING;
  }
}

/** Tokens read from its cache, and those written to it, are counted apart. */
function promptUsage(usage: Readonly<Record<string, unknown>>): Partial<WirePiece> {
  const read = countOf(usage['cache_read_input_tokens']) ?? 0;
  const written = countOf(usage['cache_creation_input_tokens']) ?? 0;
  const fresh = countOf(usage['input_tokens']);
  return { promptTokens: fresh === null ? null : fresh + read + written, cachedTokens: read };
}

function messageDelta(delta: Readonly<Record<string, unknown>>, usage: Readonly<Record<string, unknown>>): WirePiece {
  const reason = delta['stop_reason'];
  const stopString = typeof delta['stop_sequence'] === 'string' ? delta['stop_sequence'] : null;
  const finishes =
    typeof reason !== 'string'
      ? []
      : [{ choice: 0, reason: reason === 'max_tokens' ? ('length' as const) : ('stop' as const), stopString }];
  return { ...NOTHING, finishes, completionTokens: countOf(usage['output_tokens']) };
}
