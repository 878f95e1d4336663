// The classify request and its answer: one probability for each of the model's labels. Pure; knows nothing about HTTP.
import { randomUUID } from 'node:crypto';
import { Type, type Static } from 'typebox';
import type { Encoding } from '../../fleet/host.ts';
import type { EncodeInput } from '../../runner/protocol.ts';
import type { Limits } from '../limits.ts';
import { invalid } from '../openai/faults.ts';
import { sigmoid, softmax } from './probabilities.ts';

export const classifyBody = Type.Object({
  model: Type.String({ minLength: 1, description: 'Name of an installed classification model; see `/v1/models`.' }),
  input: Type.Union([Type.String(), Type.Array(Type.String())], { description: 'A text, or up to 2,048 texts.' }),
  top_k: Type.Optional(Type.Integer({ minimum: 1, description: 'How many of the likeliest labels to return. Default all.' })),
  truncate: Type.Optional(Type.Boolean({ description: 'Cut texts that are longer than the model takes, instead of refusing them.' })),
  user: Type.Optional(Type.String({ description: 'Accepted; has no effect on the answer.' })),
});
export type ClassifyBody = Static<typeof classifyBody>;

export interface ClassifyFacts {
  /** Names in the order of the head's scores. */
  readonly labels: readonly string[];
  /** How the head's numbers become scores: over all labels, each for itself, or as they are. */
  readonly scores: 'softmax' | 'sigmoid' | 'identity';
}

/** @throws EngineError `invalid_request` */
export function readClassify(body: ClassifyBody, limits: Limits): readonly EncodeInput[] {
  const texts = [body.input].flat();
  if (texts.length === 0) throw invalid('input', 'input is empty.');
  if (texts.length > limits.encodeInputs)
    throw invalid('input', `input holds ${texts.length} texts; at most ${limits.encodeInputs} are allowed.`);
  const empty = texts.indexOf('');
  if (empty >= 0) throw invalid(`input[${empty}]`, `input[${empty}] is an empty text.`);
  return texts.map((text) => ({ kind: 'text', text }));
}

export function classifyAnswer(body: ClassifyBody, encoding: Encoding, facts: ClassifyFacts, nowMs: number) {
  const total = encoding.tokens.reduce((sum, one) => sum + one, 0);
  return {
    id: `classify-${randomUUID()}`,
    object: 'list' as const,
    created: Math.floor(nowMs / 1000),
    model: body.model,
    data: Array.from(encoding.tokens, (_, index) => classOf(index, encoding, facts, body.top_k ?? facts.labels.length)),
    usage: { prompt_tokens: total, completion_tokens: 0, total_tokens: total },
  };
}

function classOf(index: number, { values, width }: Encoding, { labels, scores }: ClassifyFacts, topK: number) {
  const probs = scoresOf(values.subarray(index * width, (index + 1) * width), scores);
  const ranked = probs.map((score, label) => ({ label: labels[label] ?? `LABEL_${label}`, score })).sort((a, b) => b.score - a.score);
  return { index, label: ranked[0]?.label ?? '', probs, num_classes: width, scores: ranked.slice(0, topK) };
}

function scoresOf(logits: Float32Array, kind: ClassifyFacts['scores']): number[] {
  switch (kind) {
    case 'softmax':
      return softmax(logits);
    case 'sigmoid':
      return Array.from(logits, sigmoid);
    case 'identity':
      return [...logits];
  }
}
