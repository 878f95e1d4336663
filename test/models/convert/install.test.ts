import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { installModel } from '../../../engine/models/convert/install.ts';
import { contextLengthOf, isDecoder, type DecoderManifest, type ModelManifest } from '../../../engine/models/manifest.ts';
import { openModel } from '../../../engine/models/readers/open-model.ts';
import { ModelStore } from '../../../engine/models/store/model-store.ts';
import { Vocab } from '../../../engine/models/store/vocab.ts';
import { testModel } from '../../models.ts';
import { GreedyDecoder } from '../graph/greedy.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/families');
const origin = { kind: 'folder', reference: 'fixture', sha256: null } as const;

let dataDir: string;
let store: ModelStore;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'millrace-install-'));
  store = new ModelStore(dataDir);
});
afterEach(() => rmSync(dataDir, { recursive: true }));

/** The manifest of a decoder; throws for any other. */
function asDecoder(manifest: ModelManifest): DecoderManifest {
  if (!isDecoder(manifest)) throw new Error(`${manifest.id} writes no text.`);
  return manifest;
}

describe('a tiny model', () => {
  test('is installed with every file that its model.json names', async () => {
    const source = openModel(join(FIXTURES, 'qwen2'));
    const returned = await installModel({ source, store, id: 'tiny', precisions: ['int4', 'fp32', 'int4'], origin });
    source.tensors.dispose();
    const manifest = asDecoder(await store.get('tiny'));
    expect(manifest).toEqual(returned);
    expect(manifest.defaultVariant).toBe('int4');
    expect(Object.keys(manifest.variants)).toEqual(['int4', 'int4-kv8', 'fp32']);
    const { tokenizer, variants } = manifest;
    const named = [tokenizer.file, tokenizer.vocabFile, ...Object.values(variants).flatMap((v) => [v.graphFile, v.weightsFile])];
    for (const file of named) expect(existsSync(join(store.path('tiny'), file)), file).toBe(true);
    const vocab = await Vocab.load(join(store.path('tiny'), tokenizer.vocabFile));
    expect([...vocab.bytesOf(0x41 - 0x21)]).toEqual([0x41]);
  });

  test('that fails in the middle leaves no trace', async () => {
    const source = openModel(join(FIXTURES, 'llama'));
    const precisions = ['fp32', 'fp16'] as const;
    await expect(installModel({ source, store, id: 'tiny', precisions, origin })).rejects.toMatchObject({ code: 'unsupported_model' });
    source.tensors.dispose();
    expect(readdirSync(join(dataDir, 'models'))).toEqual([]);
  });

  test('offers no more context than its graph has rotary tables for', async () => {
    const source = openModel(join(FIXTURES, 'llama'));
    const claimed = { ...source, config: { ...source.config, contextLength: 100_000_000 } };
    const manifest = await installModel({ source: claimed, store, id: 'tiny', precisions: ['fp32'], origin });
    source.tensors.dispose();
    expect(contextLengthOf(manifest)).toBe(262_144);
  });
});

interface Recording {
  readonly prompt: readonly number[];
  readonly tops: readonly { readonly position: number; readonly tokens: readonly number[]; readonly logits: readonly number[] }[];
}

test('the real model answers as a forward pass written in numpy does, to 1e-3', async () => {
  const source = openModel(await testModel());
  const manifest = asDecoder(await installModel({ source, store, id: 'smollm2', precisions: ['fp32'], origin }));
  source.tensors.dispose();
  const { prompt, tops } = JSON.parse(readFileSync(join(FIXTURES, 'smollm2.json'), 'utf8')) as Recording;
  using decoder = new GreedyDecoder(join(store.path('smollm2'), 'fp32/graph.onnx'), manifest.config, 64);
  const { topValues, topIndices } = decoder.feed(prompt, prompt.length);
  for (const { position, tokens, logits } of tops) {
    expect(Array.from(topIndices.subarray(position * 64, position * 64 + tokens.length), Number)).toEqual(tokens);
    logits.forEach((logit, at) => expect(Math.abs((topValues[position * 64 + at] ?? NaN) - logit)).toBeLessThan(1e-3));
  }
});
