// The sampling fields that chat and completions share: their schema, and how they become GenerateParams.
// Pure; knows nothing about prompts.
import { Type, type Static } from 'typebox';
import type { SamplingParams } from '../../runner/protocol.ts';
import type { Limits } from '../limits.ts';
import { invalid } from './faults.ts';

/** Fields of OpenAI's API, then the extras that open servers agree on. */
export const samplingFields = {
  temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 2, description: '0 is greedy. Default 1.' })),
  top_p: Type.Optional(
    Type.Number({ minimum: 0, maximum: 1, description: 'Nucleus sampling: keep the likeliest tokens that hold this mass. Default 1.' }),
  ),
  frequency_penalty: Type.Optional(
    Type.Number({ minimum: -2, maximum: 2, description: 'Taken from a token’s logit for each time the answer holds it. Default 0.' }),
  ),
  presence_penalty: Type.Optional(
    Type.Number({ minimum: -2, maximum: 2, description: 'Taken from a token’s logit once the answer holds it. Default 0.' }),
  ),
  logit_bias: Type.Optional(
    Type.Record(Type.String(), Type.Number({ minimum: -100, maximum: 100 }), { description: 'Token id to a bias added to its logit.' }),
  ),
  seed: Type.Optional(Type.Integer({ description: 'Makes sampling reproducible for the same model, precision and request.' })),
  stop: Type.Optional(
    Type.Union([Type.String(), Type.Array(Type.String())], {
      description: 'Up to 16 strings that end the answer; they are not part of it.',
    }),
  ),
  top_k: Type.Optional(Type.Integer({ minimum: -1, description: 'Keep the k likeliest tokens; 0 or -1 is off. Extra.' })),
  min_p: Type.Optional(
    Type.Number({ minimum: 0, maximum: 1, description: 'Drop tokens below this share of the likeliest one’s probability. Extra.' }),
  ),
  typical_p: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1, description: 'Locally typical sampling; 1 is off. Extra.' })),
  repetition_penalty: Type.Optional(
    Type.Number({
      exclusiveMinimum: 0,
      maximum: 10,
      description: 'Divides the logits of tokens seen in prompt and answer; 1 is off. Extra.',
    }),
  ),
  ignore_eos: Type.Optional(Type.Boolean({ description: 'Go on after the end token, up to the token limit. Extra.' })),
};

const samplingSchema = Type.Object(samplingFields);
export type SamplingFields = Static<typeof samplingSchema>;

/** @throws EngineError `invalid_request` for a `logit_bias` key that is no token of the model */
export function readSampling(body: SamplingFields, vocabSize: number): SamplingParams {
  return {
    temperature: body.temperature ?? 1,
    topP: body.top_p ?? 1,
    topK: Math.max(0, body.top_k ?? 0),
    minP: body.min_p ?? 0,
    typicalP: body.typical_p ?? 1,
    repetitionPenalty: body.repetition_penalty ?? 1,
    frequencyPenalty: body.frequency_penalty ?? 0,
    presencePenalty: body.presence_penalty ?? 0,
    logitBias: readBias(body.logit_bias ?? {}, vocabSize),
    seed: body.seed ?? null,
  };
}

function readBias(biases: Readonly<Record<string, number>>, vocabSize: number): [number, number][] {
  return Object.entries(biases).map(([key, bias]) => {
    if (!/^\d{1,9}$/.test(key) || Number(key) >= vocabSize) {
      throw invalid('logit_bias', `logit_bias: ${JSON.stringify(key)} is no token id below ${vocabSize}.`);
    }
    return [Number(key), bias];
  });
}

/** @throws EngineError `invalid_request` for too many, too long or empty strings */
export function readStop(stop: string | readonly string[] | undefined, limits: Limits): readonly string[] {
  const strings = stop === undefined ? [] : typeof stop === 'string' ? [stop] : stop;
  if (strings.length > limits.stopStrings)
    throw invalid('stop', `stop has ${strings.length} strings; at most ${limits.stopStrings} are allowed.`);
  if (strings.includes('')) throw invalid('stop', 'stop holds an empty string, which would end every answer at once.');
  if (strings.some((string) => string.length > limits.stopLength))
    throw invalid('stop', `stop holds a string of more than ${limits.stopLength} characters.`);
  return strings;
}
