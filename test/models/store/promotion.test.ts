// Promotion and rollback: what model.json says after each, by whoever does it, and after kill -9 at any moment.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DecoderManifest } from '../../../engine/models/manifest.ts';
import { ModelStore } from '../../../engine/models/store/model-store.ts';
import { previousVariant, promoted, rolledBack } from '../../../engine/models/store/promotion.ts';
import { fakeManifest } from '../../fakes/manifests.ts';

const LOOP = fileURLToPath(new URL('./promote-until-killed.ts', import.meta.url));

let dataDir = '';
let store: ModelStore;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'millrace-promotion-'));
  store = new ModelStore(dataDir);
  await (await store.stage('mill')).commit(twoVariants());
});
afterEach(() => rm(dataDir, { recursive: true, maxRetries: 5 }));

function twoVariants(): DecoderManifest {
  const manifest = fakeManifest('mill');
  const { int8 } = manifest.variants;
  if (int8 === undefined) throw new Error('The fake has no int8.');
  return { ...manifest, variants: { int8, int4: { ...int8, name: 'int4', precision: 'int4' } } };
}

describe('a promotion', () => {
  it('remembers what answered before, and a rollback goes back to it', () => {
    const before = twoVariants();
    const after = promoted(before, 'int4');
    expect([after.defaultVariant, previousVariant(after)]).toEqual(['int4', 'int8']);
    expect(rolledBack(after)).toMatchObject({ defaultVariant: 'int8', earlierDefaults: [] });
    expect(promoted(after, 'int4')).toBe(after);
  });

  it('of a variant that is not there is refused, as is a rollback of nothing', () => {
    expect(() => promoted(twoVariants(), 'fp32')).toThrow('no variant fp32');
    expect(() => rolledBack(twoVariants())).toThrow('nothing to go back to');
  });

  it('passes over a variant that is gone by now', () => {
    const { int4, ...rest } = promoted(twoVariants(), 'int4').variants;
    expect(previousVariant({ ...promoted(twoVariants(), 'int4'), variants: int4 === undefined ? rest : { int4 } })).toBeNull();
  });

  it('is one of many changes that do not undo each other', async () => {
    const added = Array.from({ length: 8 }, (_, at) => `extra${at}`);
    const [int4] = Object.values(twoVariants().variants);
    await Promise.all([
      store.change('mill', (manifest) => promoted(manifest, 'int4')),
      ...added.map((name) =>
        store.change('mill', (manifest) => ({
          ...manifest,
          variants: { ...manifest.variants, ...(int4 && { [name]: { ...int4, name } }) },
        })),
      ),
    ]);
    const manifest = await store.get('mill');
    expect(manifest.defaultVariant).toBe('int4');
    expect(Object.keys(manifest.variants)).toEqual(expect.arrayContaining(added));
  });

  it('killed at any moment leaves the old variant or the new one, and the next one goes through', { timeout: 120_000 }, async () => {
    for (let round = 0; round < 6; round++) {
      const child = spawn(process.execPath, [LOOP, dataDir, 'mill'], { stdio: ['ignore', 'pipe', 'inherit'] });
      await new Promise((resolve) => child.stdout.once('data', resolve));
      await delay(round * 7);
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('close', resolve));
      const { defaultVariant, variants } = await store.get('mill');
      expect(Object.keys(variants)).toContain(defaultVariant);
      expect((await store.change('mill', (manifest) => promoted(manifest, 'int4'))).defaultVariant).toBe('int4');
    }
  });
});
