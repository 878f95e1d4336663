// Owns what is told of a model's variants: what each is, what was measured of it, and whether it may be promoted.
// Knows nothing about who asks.
import type { ModelVariants, QualitySettings, VariantStatus } from '../../contract.ts';
import type { ModelManifest, VariantManifest } from '../manifest.ts';
import { EXPECTATIONS, judgeVariant } from '../quantise/judge-variant.ts';
import { readMeasurement, readOwnText } from './measurements.ts';
import type { ModelStore } from './model-store.ts';
import { previousVariant } from './promotion.ts';

/** Throws `model_not_found`, `model_file_invalid`. */
export async function variantTable(store: ModelStore, id: string, bars: QualitySettings): Promise<ModelVariants> {
  const manifest = await store.get(id);
  const folder = store.path(id);
  const variants = Object.values(manifest.variants).map((variant) => statusOf({ manifest, folder, bars }, variant));
  return {
    model: id,
    kind: manifest.kind ?? 'decoder',
    defaultVariant: manifest.defaultVariant,
    previousVariant: previousVariant(manifest),
    hasOwnText: (await readOwnText(folder)) !== null,
    variants: await Promise.all(variants),
  };
}

interface About {
  readonly manifest: ModelManifest;
  readonly folder: string;
  readonly bars: QualitySettings;
}

async function statusOf({ manifest, folder, bars }: About, variant: VariantManifest): Promise<VariantStatus> {
  const measured = await readMeasurement(folder, variant);
  const { name, precision, method, sizeBytes, bitsPerWeight } = variant;
  return {
    name,
    precision,
    method,
    sizeBytes,
    bitsPerWeight,
    measured,
    isDefault: name === manifest.defaultVariant,
    expected: EXPECTATIONS[precision],
    gate: judgeVariant(variant, measured, bars),
  };
}
