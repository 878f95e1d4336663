// Owns what a config.json says about a head for classification or reranking: labels, pooling, how logits become scores.
// Knows nothing about tensors.
import { EngineError } from '../../../errors.ts';
import type { EncoderFamily, EncoderHead } from '../../manifest.ts';
import type { JsonFields } from '../json-fields.ts';

type ClassificationHead = Extract<EncoderHead, { kind: 'classification' }>;

const MAX_LABELS = 100_000;

/** Null when the model has no such head. */
export function classificationHead(family: EncoderFamily, config: JsonFields): ClassificationHead | null {
  const architectures = config.array('architectures') ?? [];
  if (!architectures.some((name) => typeof name === 'string' && name.endsWith('ForSequenceClassification'))) return null;
  const labels = labelsOf(config);
  return { kind: 'classification', pooling: poolingOf(family, config), labels, scores: scoresOf(config, labels.length) };
}

function poolingOf(family: EncoderFamily, config: JsonFields): ClassificationHead['pooling'] {
  const stated = family === 'modernbert' ? (config.string('classifier_pooling') ?? 'cls') : 'cls';
  if (stated === 'cls' || stated === 'mean') return stated;
  throw new EngineError('unsupported_model', `This classifier is not supported: its pooling is ${stated.slice(0, 40)}.`);
}

/** transformers leaves the labels out when there are two of no name. */
function labelsOf(config: JsonFields): readonly string[] {
  const named = config.object('id2label');
  const count = named === null ? (config.number('num_labels') ?? 2) : Object.keys(named.raw).length;
  if (!Number.isInteger(count) || count < 1 || count > MAX_LABELS)
    throw new EngineError('model_file_invalid', `The model's configuration is not usable: it has ${count} labels.`);
  return Array.from({ length: count }, (_, label) => named?.string(String(label)) ?? `LABEL_${label}`);
}

/** A cross-encoder's own setting wins; else one label is a probability by itself, and several share one (sentence-transformers' rule). */
function scoresOf(config: JsonFields, labelCount: number): ClassificationHead['scores'] {
  const stated = config.object('sentence_transformers')?.string('activation_fn') ?? config.string('sbert_ce_default_activation_function');
  if (stated?.endsWith('Identity') === true) return 'identity';
  if (stated?.endsWith('Sigmoid') === true) return 'sigmoid';
  if (config.string('problem_type') === 'multi_label_classification') return 'sigmoid';
  if (config.string('problem_type') === 'regression') return 'identity';
  return labelCount === 1 ? 'sigmoid' : 'softmax';
}
