// OpenAI's chat completions as an upstream: platform.openai.com/docs/api-reference/chat (create, streaming). Pure.
import { EngineError } from '../../errors.ts';
import type { GrammarSpec, PromptInput } from '../../runner/protocol.ts';
import {
  countOf,
  garbage,
  NOTHING,
  objectOf,
  objects,
  parseObject,
  saidBy,
  textOf,
  unsupported,
  type Wire,
  type WirePiece,
  type WireQuestion,
  type WireRequest,
} from './wire.ts';

export const OPENAI: Wire = { request: toRequest, read: readEvent };

function toRequest({ request, model, key, maxTokens, isContinued }: WireQuestion): WireRequest {
  const { sampling, stop, n, grammar } = request.params;
  const { temperature, topP, frequencyPenalty, presencePenalty, seed } = sampling;
  return {
    path: '/chat/completions',
    headers: key === null ? {} : { authorization: `Bearer ${key}` },
    body: {
      model,
      messages: messagesOf(request.prompt),
      stream: true,
      stream_options: { include_usage: true },
      max_completion_tokens: maxTokens,
      temperature,
      top_p: topP,
      ...(frequencyPenalty === 0 ? {} : { frequency_penalty: frequencyPenalty }),
      ...(presencePenalty === 0 ? {} : { presence_penalty: presencePenalty }),
      ...(seed === null ? {} : { seed }),
      ...(stop.length === 0 ? {} : { stop }),
      ...(n === 1 ? {} : { n }),
      ...(grammar === undefined ? {} : { response_format: formatOf(grammar) }),
      // Known to vLLM and to this server, not to OpenAI's own.
      ...(isContinued ? { add_generation_prompt: false, continue_final_message: true } : {}),
    },
  };
}

/** @throws EngineError `unsupported_parameter` naming the field for what is no JSON */
function formatOf(grammar: GrammarSpec): object {
  switch (grammar.kind) {
    case 'json':
      return { type: 'json_object' };
    case 'json_schema':
      return { type: 'json_schema', json_schema: { name: 'answer', schema: grammar.schema, strict: grammar.strict } };
    default:
      throw unsupported(grammar.field, grammar.field);
  }
}

/** A plain text becomes a question. @throws EngineError `unsupported_parameter` */
function messagesOf(prompt: PromptInput): readonly object[] {
  if (prompt.kind === 'tokens') throw unsupported('A prompt of tokens');
  if (prompt.kind === 'text') return [{ role: 'user', content: prompt.text }];
  if (prompt.tools !== null && prompt.tools.length > 0) throw unsupported('A request with tools');
  return prompt.messages.map(({ role, content }) => ({ role, content }));
}

function readEvent({ data }: { readonly data: string }): WirePiece {
  if (data === '[DONE]') return { ...NOTHING, isEnd: true };
  const chunk = parseObject(data);
  if ('error' in chunk) throw new EngineError('upstream_failed', `The upstream broke off: ${saidBy(chunk['error'])}`);
  if (!Array.isArray(chunk['choices'])) throw garbage();
  const choices = objects(chunk['choices']);
  const usage = objectOf(chunk['usage']);
  return {
    ...NOTHING,
    texts: choices.flatMap(({ index, delta }) => {
      const text = textOf(objectOf(delta)['content']);
      return text === '' ? [] : [{ choice: countOf(index) ?? 0, text }];
    }),
    finishes: choices.flatMap(({ index, finish_reason: reason }) =>
      typeof reason === 'string'
        ? [{ choice: countOf(index) ?? 0, reason: reason === 'length' ? 'length' : 'stop', stopString: null }]
        : [],
    ),
    promptTokens: countOf(usage['prompt_tokens']),
    cachedTokens: countOf(objectOf(usage['prompt_tokens_details'])['cached_tokens']),
    completionTokens: countOf(usage['completion_tokens']),
  };
}
