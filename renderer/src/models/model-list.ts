// The models as a list: their order, what is searched in them, and their states in words. Pure.
import type { CatalogueModel, DeviceNow, ModelStatus, ModelUse } from '../../../engine/contract.ts';
import { formatBytes, formatSpan } from '../format.ts';
import type { Tone } from '../parts/status.tsx';

export const STATE_TONES: Readonly<Record<ModelStatus['state'], Tone>> = {
  installed: 'idle',
  loading: 'busy',
  ready: 'ok',
  failed: 'problem',
};

export const STATE_WORDS: Readonly<Record<ModelStatus['state'], string>> = {
  installed: 'not loaded',
  loading: 'loading',
  ready: 'loaded',
  failed: 'failed',
};

export const USE_WORDS: Readonly<Record<ModelUse, string>> = {
  text: 'chat and completions',
  embedding: 'embeddings',
  rerank: 'reranking',
  classify: 'classification',
  infer: 'tensors (ONNX)',
};

/** Those that need a look first, then those in memory; names within, so that rows stay where they are while numbers change. */
export function inOrder(models: readonly ModelStatus[]): readonly ModelStatus[] {
  const rank = ({ state }: ModelStatus): number => ['failed', 'loading', 'ready', 'installed'].indexOf(state);
  return models.toSorted((a, b) => rank(a) - rank(b) || a.id.localeCompare(b.id));
}

/** Whether every word is in the model's name, use, precision or state. */
export function modelMatches(model: ModelStatus, search: string): boolean {
  return hasWords(`${model.id} ${USE_WORDS[model.use]} ${model.precision} ${STATE_WORDS[model.state]}`, search);
}

export function catalogueMatches(model: Pick<CatalogueModel, 'id' | 'title' | 'use'>, search: string): boolean {
  return hasWords(`${model.id} ${model.title} ${USE_WORDS[model.use]}`, search);
}

function hasWords(text: string, search: string): boolean {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return words.every((word) => text.toLowerCase().includes(word));
}

/** When a model leaves memory by itself. */
export function unloadWords({ running, pinned }: Pick<ModelStatus, 'running' | 'pinned'>): string {
  if (pinned) return 'pinned';
  if (running === null) return '–';
  if (running.unloadInMs !== null) return `in ${formatSpan(running.unloadInMs)}`;
  return running.runningRequests + running.waitingRequests > 0 ? 'in use' : 'never';
}

/** Weights, and some room for the KV cache and the process itself. */
const MEMORY_OVER_SIZE = 1.25;

export type Fit = { readonly kind: 'fits' | 'tight' | 'too_large' | 'unknown'; readonly words: string };

/** Whether a model of this size has room in the largest memory of the machine. An estimate: the engine measures when it loads. */
export function fitOf(sizeBytes: number, devices: readonly DeviceNow[]): Fit {
  const memories = devices.flatMap(({ memoryTotalBytes, memoryUsedBytes }) =>
    memoryTotalBytes === null ? [] : [{ total: memoryTotalBytes, free: memoryTotalBytes - (memoryUsedBytes ?? 0) }],
  );
  const needed = sizeBytes * MEMORY_OVER_SIZE;
  if (memories.length === 0) return { kind: 'unknown', words: `needs about ${formatBytes(needed)}` };
  const most = memories.reduce((best, each) => (each.free > best.free ? each : best));
  if (needed <= most.free) return { kind: 'fits', words: 'fits' };
  const largest = Math.max(...memories.map(({ total }) => total));
  if (needed <= largest) return { kind: 'tight', words: `tight: ${formatBytes(most.free)} free now` };
  return { kind: 'too_large', words: `too large: needs about ${formatBytes(needed)}` };
}
