// What model.json of a fake model says: small numbers, and nothing that a real file would be asked for.
import type { DecoderManifest, EncoderConfig, EncoderHead } from '../../engine/models/manifest.ts';

/** `width`: dimensions of a vector. */
export function fakeEncoderConfig(head: EncoderHead, width: number): EncoderConfig {
  return {
    family: 'bert',
    hiddenSize: width,
    layerCount: 1,
    headCount: 1,
    headDim: width,
    intermediateSize: 8,
    vocabSize: 256,
    contextLength: 512,
    normEpsilon: 1e-12,
    normPlacement: 'post',
    activation: 'gelu',
    gatedMlp: false,
    positions: { kind: 'learned', skippedRows: 0 },
    tokenTypeCount: 2,
    layers: [{ reach: 0, attentionNorm: true }],
    head,
  };
}

export function fakeManifest(id: string): DecoderManifest {
  return {
    formatVersion: 1,
    id,
    createdAt: '2026-01-02T03:04:05.000Z',
    source: { kind: 'file', reference: `/models/${id}.gguf`, sha256: null },
    licence: 'apache-2.0',
    parameterCount: 135_000_000,
    config: {
      family: 'llama',
      hiddenSize: 8,
      layerCount: 1,
      headCount: 1,
      kvHeadCount: 1,
      headDim: 8,
      intermediateSize: 8,
      vocabSize: 256,
      contextLength: 8192,
      normEpsilon: 1e-5,
      tiedEmbeddings: true,
      activation: 'silu',
      rope: { theta: 10_000, dim: 8, scaling: null, localTheta: null },
      layers: [{ window: 0, rope: true }],
      qkvBias: false,
      qkNorm: false,
      sandwichNorms: false,
      normWeightOffset: 0,
      embeddingScale: 1,
      attentionScale: 1,
      attentionSoftcap: 0,
      finalSoftcap: 0,
    },
    tokenizer: { file: 'tokenizer.json', vocabFile: 'vocab.bin', bosToken: null, eosTokens: [0], addBos: false, chatTemplate: null },
    variants: {
      int8: {
        name: 'int8',
        precision: 'int8',
        graphVersion: 1,
        graphFile: 'int8.onnx',
        weightsFile: 'int8.bin',
        sizeBytes: 135_000_000,
        bitsPerWeight: 8.5,
        method: 'scripted',
        kvType: 'f32',
      },
    },
    defaultVariant: 'int8',
  };
}
