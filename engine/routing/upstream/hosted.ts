// How a model of an upstream looks among the models of this machine: a name, a context, no files. Pure.
import type { UpstreamModel, UpstreamSettings } from '../../contract.ts';
import type { HostedModel } from '../../fleet/host.ts';
import type { DecoderManifest } from '../../models/manifest.ts';

export interface UpstreamTarget {
  readonly upstream: UpstreamSettings;
  readonly model: UpstreamModel;
}

/** The model that `upstream/model` names; undefined when none does. */
export function findTarget(name: string, upstreams: readonly UpstreamSettings[]): UpstreamTarget | undefined {
  for (const upstream of upstreams) {
    if (!name.startsWith(`${upstream.name}/`)) continue;
    const model = upstream.models.find((candidate) => name === nameOf(upstream, candidate));
    if (model !== undefined) return { upstream, model };
  }
  return undefined;
}

export function nameOf(upstream: Pick<UpstreamSettings, 'name'>, model: Pick<UpstreamModel, 'name'>): string {
  return `${upstream.name}/${model.name}`;
}

export function hostedTarget({ upstream, model }: UpstreamTarget): HostedModel {
  return {
    manifest: manifestOf(upstream, model),
    variant: 'upstream',
    state: { kind: 'installed' },
    origin: 'upstream',
    pinned: false,
    memoryBytes: null,
    unloadInMs: null,
  };
}

/** Nothing is known of its insides: the numbers of its shape are 0. */
function manifestOf(upstream: UpstreamSettings, model: UpstreamModel): DecoderManifest {
  return {
    formatVersion: 1,
    id: nameOf(upstream, model),
    createdAt: '1970-01-01T00:00:00.000Z',
    source: { kind: 'url', reference: upstream.baseUrl, sha256: null },
    licence: null,
    parameterCount: 0,
    variants: {},
    defaultVariant: 'upstream',
    tokenizer: { file: '', vocabFile: '', bosToken: null, eosTokens: [], addBos: false, chatTemplate: null },
    config: {
      ...NO_SHAPE,
      contextLength: model.contextLength,
    },
  };
}

const NO_SHAPE: DecoderManifest['config'] = {
  family: 'llama',
  hiddenSize: 0,
  layerCount: 0,
  headCount: 0,
  kvHeadCount: 0,
  headDim: 0,
  intermediateSize: 0,
  vocabSize: 0,
  contextLength: 0,
  normEpsilon: 0,
  tiedEmbeddings: false,
  activation: 'silu',
  rope: { theta: 0, dim: 0, scaling: null, localTheta: null },
  layers: [],
  qkvBias: false,
  qkNorm: false,
  sandwichNorms: false,
  normWeightOffset: 0,
  embeddingScale: 1,
  attentionScale: 1,
  attentionSoftcap: 0,
  finalSoftcap: 0,
};
