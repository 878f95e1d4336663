// Ordinary ONNX models become installed ones as they are; hostile ones do not.
import { mkdtempSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync, readFileSync, copyFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findOnnxFile, installOnnx } from '../../../engine/models/infer/install-onnx.ts';
import { DataType } from '../../../engine/models/graph/onnx.ts';
import type { InferManifest } from '../../../engine/models/manifest.ts';
import { ModelStore } from '../../../engine/models/store/model-store.ts';
import { CLASSES, FEATURES, classifier, shares, wholes, writeOnnx } from './tiny-onnx.ts';

let root: string;
let store: ModelStore;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'millrace-infer-'));
  store = new ModelStore(join(root, 'data'));
});
afterEach(() => rmSync(root, { recursive: true }));

function install(folder: string): Promise<InferManifest> {
  const path = findOnnxFile(folder);
  if (path === null) throw new Error(`${folder} has no ONNX file.`);
  return installOnnx({ path, store, id: 'tiny', origin: { kind: 'folder', reference: folder, sha256: null } });
}

describe('an ONNX folder', () => {
  it('is installed with its weights, and with what it takes and gives', async () => {
    const manifest = await install(writeOnnx(join(root, 'source'), classifier));
    expect(await store.get('tiny')).toEqual(manifest);
    expect(manifest.parameterCount).toBe(FEATURES * CLASSES);
    expect(manifest.config).toEqual({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [null, FEATURES] }],
      outputs: [
        { name: 'scores', datatype: 'FP32', shape: [null, CLASSES] },
        { name: 'label', datatype: 'INT64', shape: [null] },
      ],
      omittedOutputs: [],
      batching: { kind: 'rows' },
    });
    expect(readdirSync(join(store.path('tiny'), 'onnx')).toSorted()).toEqual(['model.onnx', 'weights.bin']);
  });

  it('shares runs only where rows do not see each other', async () => {
    const seen = await install(writeOnnx(join(root, 'seen'), shares));
    expect(seen.config.batching).toEqual({ kind: 'none', reason: 'rows that run together change each other' });
    const fixed = await install(
      writeOnnx(join(root, 'fixed'), (graph) => {
        graph.node({ op: 'Neg', inputs: [graph.input('x', DataType.float32, [1, 2])], outputs: ['y'] });
        graph.output('y', DataType.float32, [1, 2]);
      }),
    );
    expect(fixed.config.batching).toMatchObject({ kind: 'none', reason: expect.stringContaining('"x"') });
    expect((await install(writeOnnx(join(root, 'wholes'), wholes))).config.batching).toEqual({ kind: 'rows' });
  });

  it('may have one file of any name, and is none beside weights of another kind', () => {
    const folder = writeOnnx(join(root, 'source'), classifier);
    renameSync(join(folder, 'model.onnx'), join(folder, 'net.ONNX'));
    expect(findOnnxFile(folder)).toBe(join(folder, 'net.ONNX'));
    expect(findOnnxFile(join(folder, 'net.ONNX'))).toBe(join(folder, 'net.ONNX'));
    copyFileSync(join(folder, 'net.ONNX'), join(folder, 'other.onnx'));
    expect(findOnnxFile(folder)).toBeNull();
    rmSync(join(folder, 'other.onnx'));
    writeFileSync(join(folder, 'model.safetensors'), '');
    expect(findOnnxFile(folder)).toBeNull();
    expect(findOnnxFile(join(root, 'nothing'))).toBeNull();
  });
});

describe('a hostile ONNX folder', () => {
  /** The classifier whose weights lie elsewhere. */
  function relocated(location: string): string {
    const folder = writeOnnx(join(root, 'source'), classifier);
    const bytes = readFileSync(join(folder, 'model.onnx'));
    const at = bytes.indexOf('weights.bin');
    expect(location).toHaveLength('weights.bin'.length);
    bytes.write(location, at);
    writeFileSync(join(folder, 'model.onnx'), bytes);
    return folder;
  }

  it('with weights outside of it is refused, and leaves nothing', async () => {
    writeFileSync(join(root, 'data.bin'), Buffer.alloc(1 << 16));
    const refused = { code: 'model_file_invalid', message: expect.stringContaining('outside its folder') };
    await expect(install(relocated('../data.bin'))).rejects.toMatchObject(refused);
    expect(await store.list()).toEqual([]);
  });

  it('with weights behind a link out of it is refused', async () => {
    const folder = writeOnnx(join(root, 'source'), classifier);
    renameSync(join(folder, 'weights.bin'), join(root, 'elsewhere.bin'));
    symlinkSync(join(root, 'elsewhere.bin'), join(folder, 'weights.bin'));
    await expect(install(folder)).rejects.toMatchObject({ code: 'model_file_invalid' });
  });

  it('with an operator of a foreign domain is refused, and named', async () => {
    const folder = writeOnnx(join(root, 'source'), (graph) => {
      graph.node({ op: 'Shell', inputs: [graph.input('x', DataType.float32, ['n'])], outputs: ['y'], domain: 'evil.ops' });
      graph.output('y', DataType.float32, ['n']);
    });
    const refused = { code: 'unsupported_model', message: expect.stringMatching(/"Shell".*"evil.ops"/) };
    await expect(install(folder)).rejects.toMatchObject(refused);
  });

  it('that ONNX Runtime does not load is refused with its reason', async () => {
    mkdirSync(join(root, 'broken'));
    writeFileSync(join(root, 'broken', 'model.onnx'), Buffer.from([0x3a, 0x00]));
    await expect(install(join(root, 'broken'))).rejects.toMatchObject({ code: 'unsupported_model' });
    expect(readdirSync(join(root, 'data', 'models'))).toEqual([]);
  });
});
