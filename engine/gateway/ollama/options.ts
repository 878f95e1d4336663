// Ollama's `options`: their schema, and how they become GenerateParams. Pure.
import { Type, type Static } from 'typebox';
import type { GenerateParams } from '../../runner/protocol.ts';
import type { Limits } from '../limits.ts';
import { emptyList, oneOf, refuseUnsupported, type Refusals } from '../openai/refusals.ts';
import { readStop } from '../openai/sampling.ts';

const speed = 'About speed and memory, which the server settles itself; accepted.';

export const optionsSchema = Type.Object({
  num_ctx: Type.Optional(Type.Integer({ description: 'The context is the model’s own: at least this where it has as much; accepted.' })),
  num_predict: Type.Optional(
    Type.Integer({ description: 'Tokens of the answer at most; below 0: what the context holds. Default -1; 0 counts as 1.' }),
  ),
  temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 2, description: 'Default 0.8.' })),
  top_k: Type.Optional(Type.Integer({ minimum: -1, description: 'Default 40; 0 or -1 is off.' })),
  top_p: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'Default 0.9.' })),
  min_p: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  typical_p: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
  repeat_penalty: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 10, description: 'Over prompt and answer. Default 1: off.' })),
  repeat_last_n: Type.Optional(Type.Integer({ description: '0 turns `repeat_penalty` off; it reaches over everything otherwise.' })),
  presence_penalty: Type.Optional(Type.Number({ minimum: -2, maximum: 2 })),
  frequency_penalty: Type.Optional(Type.Number({ minimum: -2, maximum: 2 })),
  seed: Type.Optional(Type.Integer()),
  stop: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())])),
  num_keep: Type.Optional(Type.Integer({ description: 'Accepted: what does not fit is refused, not cut.' })),
  num_batch: Type.Optional(Type.Integer({ description: speed })),
  num_gpu: Type.Optional(Type.Integer({ description: speed })),
  main_gpu: Type.Optional(Type.Integer({ description: speed })),
  num_thread: Type.Optional(Type.Integer({ description: speed })),
  use_mmap: Type.Optional(Type.Boolean({ description: speed })),
  use_mlock: Type.Optional(Type.Boolean({ description: speed })),
  low_vram: Type.Optional(Type.Boolean({ description: speed })),
  numa: Type.Optional(Type.Boolean({ description: speed })),
});
export type Options = Static<typeof optionsSchema>;

const OPTION_REFUSALS: Refusals = {
  mirostat: { harmless: oneOf(0), why: 'mirostat sampling is not supported' },
  tfs_z: { harmless: oneOf(1), why: 'tail-free sampling is not supported' },
  penalize_newline: { harmless: oneOf(true), why: 'line feeds are tokens like others' },
  vocab_only: { harmless: oneOf(false), why: 'models are loaded whole' },
};

/** Fields beside `options` that are not supported, by endpoint. */
export const CHAT_REFUSALS: Refusals = {
  tools: { harmless: emptyList, why: 'tool calls are not supported yet' },
  think: { harmless: oneOf(false), why: 'reasoning cannot be steered yet' },
};
export const GENERATE_REFUSALS: Refusals = {
  ...CHAT_REFUSALS,
  template: { harmless: oneOf(''), why: 'a model has one chat template, its own; use raw' },
  context: { harmless: emptyList, why: 'use /api/chat for conversations' },
  images: { harmless: emptyList, why: 'this model reads text' },
};

/** @throws EngineError `unsupported_parameter`, `invalid_request` */
export function readOptions(options: Options, limits: Limits): GenerateParams {
  refuseUnsupported(options, OPTION_REFUSALS);
  const { num_predict: most = -1, repeat_last_n: reach = -1 } = options;
  return {
    sampling: {
      temperature: options.temperature ?? 0.8,
      topP: options.top_p ?? 0.9,
      topK: Math.max(0, options.top_k ?? 40),
      minP: options.min_p ?? 0,
      typicalP: options.typical_p ?? 1,
      repetitionPenalty: reach === 0 ? 1 : (options.repeat_penalty ?? 1),
      frequencyPenalty: options.frequency_penalty ?? 0,
      presencePenalty: options.presence_penalty ?? 0,
      logitBias: [],
      // -1 asks for another answer each time.
      seed: options.seed === undefined || options.seed < 0 ? null : options.seed,
    },
    maxTokens: most < 0 ? null : Math.max(1, most),
    stop: readStop(options.stop, limits),
    topLogprobs: null,
    promptLogprobs: false,
    n: 1,
    ignoreEos: false,
  };
}
