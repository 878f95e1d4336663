// Decides what model.json says after a promotion or a rollback. Pure; one write of it switches the model.
import { EngineError } from '../../errors.ts';
import type { ModelManifest } from '../manifest.ts';
import { variantOf } from './model-store.ts';

/** Earlier defaults that are remembered. */
const MOST_EARLIER = 10;

/** The variant of this name answers from now on. Throws `model_not_found`. */
export function promoted(manifest: ModelManifest, name: string): ModelManifest {
  const { defaultVariant, earlierDefaults = [] } = manifest;
  const next = variantOf(manifest, name).name;
  if (next === defaultVariant) return manifest;
  return { ...manifest, defaultVariant: next, earlierDefaults: [...earlierDefaults, defaultVariant].slice(-MOST_EARLIER) };
}

/** The variant that answered before answers again. Throws `invalid_request` when there is none. */
export function rolledBack(manifest: ModelManifest): ModelManifest {
  const previous = previousVariant(manifest);
  if (previous === null)
    throw new EngineError('invalid_request', `Nothing was promoted in ${manifest.id}, so there is nothing to go back to.`, {
      param: 'model',
    });
  const { earlierDefaults = [] } = manifest;
  return { ...manifest, defaultVariant: previous, earlierDefaults: earlierDefaults.slice(0, earlierDefaults.lastIndexOf(previous)) };
}

/** What a rollback goes back to: the latest earlier default that is still there. */
export function previousVariant({ defaultVariant, earlierDefaults = [], variants }: ModelManifest): string | null {
  return earlierDefaults.findLast((name) => name !== defaultVariant && Object.hasOwn(variants, name)) ?? null;
}
