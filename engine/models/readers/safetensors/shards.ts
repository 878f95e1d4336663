// Owns finding and opening the safetensors files of a folder: one file, or shards named by an index.
// A shard is a plain name in the same folder; names with separators are refused.
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { EngineError } from '../../../errors.ts';
import { readJsonFile } from '../json-fields.ts';
import { invalidFile, RandomFile } from '../random-file.ts';
import type { SourceTensor, TensorSource } from '../tensors.ts';
import { readSafetensorsFile } from './file.ts';

const INDEX = 'model.safetensors.index.json';
const SINGLE = 'model.safetensors';
const MAX_INDEX_BYTES = 32 << 20;
const SHARD_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*\.safetensors$/;

/** All tensors of the folder under the names in the files. On any fault every file is closed again. */
export function openShards(folder: string): TensorSource {
  const files: RandomFile[] = [];
  const dispose = (): void => files.forEach((file) => file.dispose());
  try {
    const index = readIndex(folder);
    const names = index === null ? [singleFile(folder)] : [...new Set(index.values())];
    const tensors = new Map<string, SourceTensor>();
    for (const name of names) {
      const file = new RandomFile(join(folder, name));
      files.push(file);
      for (const tensor of readSafetensorsFile(file)) addOnce(tensors, tensor, file);
    }
    for (const name of index?.keys() ?? []) {
      if (!tensors.has(name)) throw invalidFile(INDEX, `it names the tensor ${name.slice(0, 80)}, which no shard has`);
    }
    return { tensors, dispose };
  } catch (cause) {
    dispose();
    throw missingShard(cause);
  }
}

/** Tensor name to file name; null when the folder has no index. */
function readIndex(folder: string): ReadonlyMap<string, string> | null {
  const map = readJsonFile(join(folder, INDEX), MAX_INDEX_BYTES)?.object('weight_map');
  if (map === undefined || map === null) return null;
  return new Map(
    Object.entries(map.raw).map(([tensor, file]) => {
      if (typeof file !== 'string' || !SHARD_NAME.test(file)) throw invalidFile(INDEX, 'it names a file outside its folder');
      return [tensor, file] as const;
    }),
  );
}

function singleFile(folder: string): string {
  const names = readdirSync(folder).filter((name) => name.endsWith('.safetensors'));
  if (names.includes(SINGLE)) return SINGLE;
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  throw new EngineError('model_file_invalid', `The folder ${basename(folder)} has ${names.length} safetensors files and no index.`);
}

function addOnce(tensors: Map<string, SourceTensor>, tensor: SourceTensor, file: RandomFile): void {
  if (tensors.has(tensor.name)) throw invalidFile(file.path, `the tensor ${tensor.name.slice(0, 80)} is in another shard too`);
  tensors.set(tensor.name, tensor);
}

function missingShard(cause: unknown): unknown {
  if (!(cause instanceof Error) || !('code' in cause) || cause.code !== 'ENOENT') return cause;
  return new EngineError('model_file_invalid', `A file of the model is missing: ${cause.message}.`, { cause });
}
