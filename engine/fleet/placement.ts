// Decides whether a model fits into the memory that is left, and what its runner is granted.
// Pure: devices.ts measures, the fleet asks.
import { contextLengthOf, isDecoder, type ModelManifest, type VariantManifest } from '../models/manifest.ts';
import type { BatchingOptions, RunnerOptions } from '../runner/protocol.ts';
import { chooseEviction, type Candidate } from './eviction.ts';

export interface PlacementWishes {
  readonly modelDir: string;
  readonly threads: number;
  readonly contextLength: number | null;
  readonly slots: number | null;
  readonly maxWaiting: number;
  readonly speculation: boolean;
  readonly batching?: BatchingOptions;
}

export type Placement =
  | { readonly kind: 'fits'; readonly options: RunnerOptions }
  | { readonly kind: 'evict'; readonly key: string; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** A process of Node with ONNX Runtime and its scratch memory. */
const PROCESS_BYTES = 192 * 2 ** 20;
/** Least context worth a start when none is asked for. */
const LEAST_CONTEXT = 2048;
/** Share of what is left after the weights that the KV cache may commit; the rest is the system's page cache. */
const KV_SHARE = 0.6;

/** Bytes of KV cache one token of one sequence takes; other models have none. */
export function kvBytesPerToken(manifest: ModelManifest, variant: VariantManifest): number {
  if (!isDecoder(manifest)) return 0;
  const { layerCount, kvHeadCount, headDim } = manifest.config;
  const elementBytes = { f32: 4, i8: 1 }[variant.kvType];
  return 2 * layerCount * kvHeadCount * headDim * elementBytes;
}

/** What a runner of this variant is granted; the least recently used idle model is named for eviction where there is no room. */
export function planPlacement(
  model: { manifest: ModelManifest; variant: VariantManifest },
  wishes: PlacementWishes,
  availableBytes: number,
  loaded: readonly Candidate[],
): Placement {
  const { manifest, variant } = model;
  const kvBudgetBytes = Math.floor(KV_SHARE * (availableBytes - variant.sizeBytes - PROCESS_BYTES));
  const context = wishes.contextLength ?? Math.min(LEAST_CONTEXT, contextLengthOf(manifest));
  const leastBytes = kvBytesPerToken(manifest, variant) * context;
  if (kvBudgetBytes < leastBytes)
    return makeRoom(manifest.id, { needBytes: variant.sizeBytes + PROCESS_BYTES + leastBytes / KV_SHARE, availableBytes }, loaded);
  return { kind: 'fits', options: { ...wishes, variant: variant.name, kvBudgetBytes } };
}

function makeRoom(id: string, room: { needBytes: number; availableBytes: number }, loaded: readonly Candidate[]): Placement {
  const need = `${id} needs ${megabytes(room.needBytes)} MB and ${megabytes(room.availableBytes)} MB are free`;
  const idle = chooseEviction(loaded);
  if (idle !== null) return { kind: 'evict', key: idle.key, reason: `${need}; ${idle.key} is idle and was used least recently.` };
  const pinned = loaded.filter((candidate) => candidate.idle && candidate.pinned).map(({ key }) => key);
  const first = pinned.length === 0 ? 'Unload another model' : `Idle but pinned: ${pinned.join(', ')}. Unpin one or unload another model`;
  return { kind: 'refused', reason: `${need}. ${first}, choose a smaller precision or set a shorter context with --ctx.` };
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1e6);
}
