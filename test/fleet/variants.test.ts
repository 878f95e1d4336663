// A switch of variants under a running fleet: the new one is loaded first, running requests finish on the one before.
import { afterEach, describe, expect, test } from 'vitest';
import { Variants } from '../../engine/fleet/variants.ts';
import { writeMeasurement } from '../../engine/models/store/measurements.ts';
import { ModelStore } from '../../engine/models/store/model-store.ts';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { aMeasurement } from '../fakes/lab.ts';
import { installManifest, pidOf, record, startFleet, testManifest, tokensOf, type TestFleet } from './fleet-setup.ts';

const BARS = { int8Loss: 0.01, int4Loss: 0.06 };

const running: TestFleet[] = [];
afterEach(async () => {
  for (const fleet of running.splice(0)) await fleet.end();
});

/** A model with the variants `int8`, which answers, and `next`, of this loss. */
async function start(loss: number, id = 'works') {
  const started = await startFleet([]);
  running.push(started);
  const { fleet, dataDir } = started;
  const { int8 } = testManifest(id).variants;
  if (int8 === undefined) throw new Error('The manifest has no int8.');
  const next = { ...int8, name: 'next', graphFile: 'next/model.onnx', weightsFile: 'next/weights.bin' };
  await installManifest(dataDir, testManifest(id, { variants: { int8, next } }));
  await mkdir(join(dataDir, 'models', id, 'next'));
  await writeMeasurement(join(dataDir, 'models', id), next, aMeasurement(loss));
  await fleet.refresh();
  const store = new ModelStore(dataDir);
  return { fleet, store, dataDir, variants: new Variants(store, fleet) };
}

const promotion = { model: 'works', variant: 'next', force: false };

test('a variant is named with a colon or an at sign', async () => {
  const { fleet } = await start(0.001);
  expect(fleet.get('works')?.variant).toBe('int8');
  expect([fleet.get('works:next')?.variant, fleet.get('works@next')?.variant]).toEqual(['next', 'next']);
  expect([fleet.get('works@none'), fleet.get('works@next@next')]).toEqual([undefined, undefined]);
  expect(await record(fleet, 'works@next', 3).last).toMatchObject({ kind: 'done' });
  await fleet.unload('works@next');
  expect(fleet.get('works@next')?.state.kind).toBe('installed');
});

describe('a promotion', () => {
  test('lets what runs finish where it runs, and new requests go to the new variant', async () => {
    const { fleet, variants } = await start(0.001);
    const old = record(fleet, 'works', 3000);
    await old.until(({ kind }) => kind === 'text');
    const oldPid = pidOf(fleet, 'works');
    await variants.promote(promotion, BARS);
    expect(fleet.get('works')).toMatchObject({ variant: 'next', state: { kind: 'ready' } });
    expect(pidOf(fleet, 'works')).not.toBe(oldPid);
    const young = record(fleet, 'works', 3);
    expect(await young.last).toMatchObject({ kind: 'done' });
    expect(await old.last).toMatchObject({ kind: 'done' });
    expect(tokensOf(old)).toHaveLength(3000);
  });

  test('is refused by the gate, and changes nothing', async () => {
    const { fleet, variants } = await start(0.02);
    await expect(variants.promote(promotion, BARS)).rejects.toMatchObject({ code: 'quality_below_bar' });
    expect(fleet.get('works')?.variant).toBe('int8');
    await variants.promote({ ...promotion, force: true }, BARS);
    expect(fleet.get('works')?.variant).toBe('next');
    await variants.rollBack('works');
    expect(fleet.get('works')?.variant).toBe('int8');
  });

  test('of a variant that does not load is refused with the reason', async () => {
    const { fleet, variants } = await start(0.001, 'load-fails');
    await expect(variants.promote({ ...promotion, model: 'load-fails' }, BARS)).rejects.toMatchObject({ code: 'model_load_failed' });
    expect(fleet.get('load-fails')?.variant).toBe('int8');
  });
});

test('one more variant, or another default, ends no process', async () => {
  const { fleet, store } = await start(0.001);
  await fleet.preload('works');
  const pid = pidOf(fleet, 'works');
  await store.change('works', (manifest) => {
    const { int8 } = manifest.variants;
    return { ...manifest, variants: { ...manifest.variants, ...(int8 && { third: { ...int8, name: 'third' } }) } };
  });
  await fleet.refresh();
  expect(pidOf(fleet, 'works')).toBe(pid);
  await store.change('works', (manifest) => {
    const { int8 } = manifest.variants;
    return { ...manifest, variants: { ...manifest.variants, ...(int8 && { int8: { ...int8, graphFile: 'int8-new/model.onnx' } }) } };
  });
  await fleet.refresh();
  await expect.poll(() => fleet.get('works')?.state.kind).toBe('installed');
});
