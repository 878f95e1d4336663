// Models of other programs are found in the layouts that those programs write, and nothing else is.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findOtherPrograms } from '../../../engine/models/sources/other-programs.ts';

let home = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'millrace-found-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function put(path: string, content: string): Promise<string> {
  const full = join(home, path);
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, content);
  return full;
}

const DIGEST = 'ab'.repeat(32);
const COMMIT = 'c0'.repeat(20);
const manifest = (digest: string, mediaType = 'application/vnd.ollama.image.model'): string =>
  JSON.stringify({ schemaVersion: 2, layers: [{ mediaType: 'application/vnd.ollama.image.license' }, { mediaType, digest, size: 4 }] });
const library = '.ollama/models/manifests/registry.ollama.ai/library';
const snapshot = `.cache/huggingface/hub/models--Some--Small-Chat/snapshots/${COMMIT}`;

async function hubModel(): Promise<void> {
  await put('.cache/huggingface/hub/models--Some--Small-Chat/refs/main', COMMIT);
  await put(`${snapshot}/config.json`, '{}');
  await put(`${snapshot}/tokenizer.json`, '{}');
}

describe('models of other programs', () => {
  it('finds none in a home without them', () => {
    expect(findOtherPrograms(home, {})).toEqual([]);
  });

  it('finds an Ollama blob once, whatever number of tags name it', async () => {
    const path = await put(`.ollama/models/blobs/sha256-${DIGEST}`, 'GGUF');
    await put(`${library}/tiny/1b`, manifest(`sha256:${DIGEST}`));
    await put(`${library}/tiny/latest`, manifest(`sha256:${DIGEST}`));
    expect(findOtherPrograms(home, {})).toMatchObject([{ program: 'ollama', path, sizeBytes: 4 }]);
    expect(findOtherPrograms(home, { OLLAMA_MODELS: join(home, 'elsewhere') })).toEqual([]);
  });

  it('names an Ollama model after its tag, and after itself alone for the latest', async () => {
    await put(`.ollama/models/blobs/sha256-${DIGEST}`, 'GGUF');
    await put(`${library}/tiny/latest`, manifest(`sha256:${DIGEST}`));
    expect(findOtherPrograms(home, {}).map(({ id }) => id)).toEqual(['tiny']);
    await rm(join(home, library, 'tiny/latest'));
    await put(`${library}/tiny/1b`, manifest(`sha256:${DIGEST}`));
    expect(findOtherPrograms(home, {}).map(({ id }) => id)).toEqual(['tiny-1b']);
  });

  it('passes over manifests that are damaged, lead out of the folder, or whose blob is gone', async () => {
    await put('secret', 'GGUF');
    await put(`${library}/a/latest`, 'no JSON');
    await put(`${library}/b/latest`, manifest('sha256:../../../../secret'));
    await put(`${library}/c/latest`, manifest(`sha256:${'0'.repeat(64)}`));
    await put(`${library}/d/latest`, manifest(`sha256:${DIGEST}`, 'application/vnd.ollama.image.projector'));
    expect(findOtherPrograms(home, {})).toEqual([]);
  });

  it('finds files of LM Studio, without parts and projectors', async () => {
    const folder = '.lmstudio/models/Someone/Small-GGUF';
    const path = await put(`${folder}/Small-Q4_K_M.gguf`, 'GGUF');
    await put(`${folder}/Large-00001-of-00002.gguf`, 'GGUF');
    await put(`${folder}/mmproj-Small-f16.gguf`, 'GGUF');
    await put(`${folder}/notes.txt`, 'none');
    expect(findOtherPrograms(home, {})).toEqual([
      { program: 'lm-studio', id: expect.stringMatching(/^small/) as string, path, sizeBytes: 4 },
    ]);
  });

  it('finds a snapshot of the hub client through its links, when it is whole', async () => {
    await hubModel();
    const blob = await put('.cache/huggingface/hub/models--Some--Small-Chat/blobs/one', '12345678');
    await symlink(blob, join(home, snapshot, 'model.safetensors'));
    expect(findOtherPrograms(home, {})).toEqual([{ program: 'hub', id: 'small-chat', path: join(home, snapshot), sizeBytes: 8 }]);
    await symlink(join(home, 'not-there'), join(home, snapshot, 'model-2.safetensors'));
    expect(findOtherPrograms(home, {})).toEqual([]);
  });

  it('looks where the hub client is told to', async () => {
    await hubModel();
    await put(`${snapshot}/model.safetensors`, '1234');
    const hub = join(home, '.cache', 'huggingface');
    for (const env of [{ HF_HOME: hub }, { HF_HUB_CACHE: join(hub, 'hub') }, { XDG_CACHE_HOME: join(home, '.cache') }])
      expect(findOtherPrograms(join(home, 'other'), env)).toHaveLength(1);
    expect(findOtherPrograms(home, { HF_HOME: join(home, 'other') })).toEqual([]);
  });

  it('never throws for a manifest of any content', async () => {
    await put(`.ollama/models/blobs/sha256-${DIGEST}`, 'GGUF');
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), fc.string()), async (content) => {
        await put(`${library}/any/latest`, content);
        expect(findOtherPrograms(home, {})).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
