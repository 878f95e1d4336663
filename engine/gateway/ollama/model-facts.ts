// What Ollama's `/api/tags`, `/api/ps` and `/api/show` say of a model. Pure.
import { createHash } from 'node:crypto';
import type { HostedModel } from '../../fleet/host.ts';
import { isDecoder, type ModelManifest } from '../../models/manifest.ts';
import { useOf } from '../routes/encoder-facts.ts';

const LATEST = ':latest';

/** The name without the tag that every model has here. */
export function plainName(name: string): string {
  return name.endsWith(LATEST) ? name.slice(0, -LATEST.length) : name;
}

/** What both lists say. */
function listedModel(model: HostedModel): object {
  const { manifest, variant } = model;
  const name = `${manifest.id}${LATEST}`;
  const files = manifest.variants[variant];
  return { name, model: name, size: files?.sizeBytes ?? 0, digest: digestOf(model), details: detailsOf(model) };
}

/** For `/api/tags`. */
export function installedModel(model: HostedModel): object {
  return { ...listedModel(model), modified_at: model.manifest.createdAt };
}

/** Ollama has no word for ever: its own clients show this year as that. */
const FOR_EVER = '2318-01-01T00:00:00.000Z';

/** For `/api/ps`. */
export function loadedModel(model: HostedModel, nowMs: number): object {
  const { state, memoryBytes, unloadInMs, manifest, variant } = model;
  const info = state.kind === 'ready' ? state.info : null;
  const size = memoryBytes ?? manifest.variants[variant]?.sizeBytes ?? 0;
  return {
    ...listedModel(model),
    size,
    size_vram: info === null || info.device === 'cpu' ? 0 : size,
    context_length: info?.contextLength ?? 0,
    expires_at: unloadInMs === null ? FOR_EVER : new Date(nowMs + unloadInMs).toISOString(),
  };
}

/** For `/api/show`. */
export function shownModel(model: HostedModel): object {
  const { manifest } = model;
  const family = familyOf(manifest);
  return {
    modelfile: `FROM ${manifest.id}\n`,
    parameters: '',
    template: !isDecoder(manifest) ? '' : (manifest.tokenizer.chatTemplate ?? ''),
    license: manifest.licence ?? '',
    modified_at: manifest.createdAt,
    details: detailsOf(model),
    model_info: {
      'general.architecture': family,
      'general.parameter_count': manifest.parameterCount,
      ...Object.fromEntries(Object.entries(numbersOf(model)).map(([name, value]) => [`${family}.${name}`, value])),
    },
    capabilities: useOf(model) === 'text' ? ['completion'] : useOf(model) === 'embedding' ? ['embedding'] : [],
  };
}

function familyOf(manifest: ModelManifest): string {
  return manifest.kind === 'infer' ? 'onnx' : manifest.config.family;
}

/** Under the names that GGUF gives them. */
function numbersOf({ manifest }: HostedModel): Readonly<Record<string, number>> {
  if (manifest.kind === 'infer') return {};
  const { contextLength, hiddenSize, headCount, layerCount, vocabSize, intermediateSize } = manifest.config;
  return {
    context_length: contextLength,
    embedding_length: hiddenSize,
    feed_forward_length: intermediateSize,
    block_count: layerCount,
    'attention.head_count': headCount,
    ...(!isDecoder(manifest) ? {} : { 'attention.head_count_kv': manifest.config.kvHeadCount }),
    vocab_size: vocabSize,
  };
}

function detailsOf({ manifest, variant }: HostedModel): object {
  const family = familyOf(manifest);
  const precision = manifest.variants[variant]?.precision ?? variant;
  return {
    parent_model: '',
    format: 'onnx',
    family,
    families: [family],
    parameter_size: sizeInWords(manifest.parameterCount),
    quantization_level: precision.toUpperCase(),
  };
}

/** `134.5M`, `8.0B`. */
function sizeInWords(parameters: number): string {
  if (parameters >= 1e9) return `${(parameters / 1e9).toFixed(1)}B`;
  return parameters >= 1e6 ? `${(parameters / 1e6).toFixed(1)}M` : `${(parameters / 1e3).toFixed(1)}K`;
}

/** Of the file it was made from where that is known. */
function digestOf({ manifest, variant }: HostedModel): string {
  const { sha256 } = manifest.source;
  return (
    sha256 ??
    createHash('sha256')
      .update(JSON.stringify([manifest.id, manifest.createdAt, variant]))
      .digest('hex')
  );
}
