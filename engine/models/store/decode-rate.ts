// Owns what the measurements of installed decoders say of this machine's speed.
import { readMeasurement } from './measurements.ts';
import type { ModelStore } from './model-store.ts';

/** Bytes of weights that one stream reads in a second: the median of all that was measured here; null before one was. */
export async function decodeBytesPerSecond(store: ModelStore): Promise<number | null> {
  const installed = (await store.list()).flatMap((model) => (model.kind === 'ready' ? [model.manifest] : []));
  const rates = installed.flatMap((manifest) =>
    Object.values(manifest.variants).map(async (variant) => {
      const measured = await readMeasurement(store.path(manifest.id), variant);
      const perSecond = measured?.speed.decodePerSecond ?? null;
      return perSecond === null ? [] : [perSecond * variant.sizeBytes];
    }),
  );
  const known = (await Promise.all(rates)).flat().toSorted((a, b) => a - b);
  return known[known.length >> 1] ?? null;
}
