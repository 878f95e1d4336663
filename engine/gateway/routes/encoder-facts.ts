// What the routes need to know of a model's kind: whether it writes text, makes vectors or scores, and how.
// A request to a model of another kind is refused, and told which endpoint is the model's own.
import type { ModelUse } from '../../contract.ts';
import { EngineError, assertNever } from '../../errors.ts';
import type { HostedModel } from '../../fleet/host.ts';
import { isDecoder, type DecoderManifest, type EncoderConfig, type EncoderHead, type InferManifest } from '../../models/manifest.ts';
import type { EmbeddingFacts } from '../openai/embedding-request.ts';
import type { ClassifyFacts } from '../scoring/classify.ts';

/** What a model is for. A head of one label scores pairs; one of several labels texts. */
export function useOf({ manifest }: HostedModel): ModelUse {
  if (manifest.kind === 'infer') return 'infer';
  if (manifest.kind !== 'encoder') return 'text';
  const { head } = manifest.config;
  if (head.kind === 'embedding') return 'embedding';
  return head.labels.length === 1 ? 'rerank' : 'classify';
}

/** @throws EngineError `invalid_request` for a model that writes no text */
export function decoderManifest(model: HostedModel): DecoderManifest {
  return isDecoder(model.manifest) ? model.manifest : refuse(model, 'does not write text');
}

/** @throws EngineError `invalid_request` for a model of texts */
export function inferManifest(model: HostedModel): InferManifest {
  return model.manifest.kind === 'infer' ? model.manifest : refuse(model, 'takes texts, no tensors');
}

/** @throws EngineError `invalid_request` for a model that makes no vectors */
export function embeddingFacts(model: HostedModel): EmbeddingFacts {
  const { vocabSize, head } = encoderConfig(model, 'makes no embeddings');
  if (head.kind !== 'embedding') return refuse(model, 'makes no embeddings');
  const { dimensions, matryoshka, prompts, defaultPrompt } = head;
  return { vocabSize, width: dimensions, matryoshka, prompts, defaultPrompt };
}

/** @throws EngineError `invalid_request` for a model that does not score pairs */
export function requireReranker(model: HostedModel): void {
  if (useOf(model) !== 'rerank') refuse(model, 'does not compare documents with a query');
}

/** @throws EngineError `invalid_request` for a model without labels */
export function classifyFacts(model: HostedModel): ClassifyFacts {
  const { head } = encoderConfig(model, 'has no labels');
  return head.kind === 'classification' ? head : refuse(model, 'has no labels');
}

function encoderConfig(model: HostedModel, lack: string): EncoderConfig & { readonly head: EncoderHead } {
  return model.manifest.kind === 'encoder' ? model.manifest.config : refuse(model, lack);
}

function refuse(model: HostedModel, lack: string): never {
  throw new EngineError('invalid_request', `The model ${model.manifest.id} ${lack}; it serves ${endpointOf(useOf(model))}.`, {
    param: 'model',
  });
}

function endpointOf(use: ModelUse): string {
  switch (use) {
    case 'text':
      return '/v1/chat/completions and /v1/completions';
    case 'embedding':
      return '/v1/embeddings';
    case 'rerank':
      return '/v1/rerank and /v1/classify';
    case 'classify':
      return '/v1/classify';
    case 'infer':
      return '/v1/infer/{model} and /v2/models/{model}/infer';
    default:
      return assertNever(use);
  }
}
