// Owns how a command gets embeddings of many prompts: from a model it starts itself, for as long as it needs it.
import type { EngineConfig } from '../config.ts';
import { createLog } from '../log.ts';
import { createFleet } from '../main.ts';

const CHUNK = 64;
/** Chunks under way at once: the model batches across them. */
const AT_ONCE = 4;
const DEADLINE_MS = 600_000;

/** One vector of length 1 a text, in their order. Texts longer than the model's context are cut. @throws EngineError `model_not_found` … */
export async function embedPrompts(
  model: string,
  texts: readonly string[],
  config: EngineConfig,
  onProgress: (done: number) => void,
): Promise<readonly Float32Array[]> {
  const fleet = createFleet(config, createLog('error'));
  await fleet.open();
  try {
    const vectors: Float32Array[] = [];
    let next = 0;
    let done = 0;
    const work = async (): Promise<void> => {
      for (let start = next; start < texts.length; start = next) {
        next = start + CHUNK;
        const inputs = texts.slice(start, next).map((text) => ({ kind: 'text', text }) as const);
        const params = { truncate: true, caller: 'router', deadlineMs: DEADLINE_MS };
        const { values, width } = await fleet.encode({ model, inputs, params }, new AbortController().signal);
        for (let index = 0; index < inputs.length; index++) vectors[start + index] = values.slice(index * width, (index + 1) * width);
        onProgress((done += inputs.length));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return vectors;
  } finally {
    await fleet.close(0);
  }
}
