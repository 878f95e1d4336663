// Owns the choice of a reader: what lies at this path, a GGUF file, a safetensors folder of either kind, or nothing usable?
import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { EngineError } from '../../errors.ts';
import { isEncoderFolder, readEncoderFolder } from './encoder/read-folder.ts';
import type { EncoderSource } from './encoder/source.ts';
import { readGguf } from './gguf/read-gguf.ts';
import { readSafetensorsFolder } from './safetensors/read-folder.ts';
import type { SourceModel } from './source-model.ts';

/** As `openModel`, and encoders too. */
export function openAnyModel(path: string): SourceModel | EncoderSource {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  return isFolder && isEncoderFolder(path) ? readEncoderFolder(path) : openModel(path);
}

/**
 * Opens a decoder's or folder; its files stay open until `tensors.dispose()`.
 * Throws `source_unreachable` when nothing is there, `model_file_invalid` or `unsupported_model` when it cannot be used.
 */
export function openModel(path: string): SourceModel {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new EngineError('source_unreachable', `There is no file or folder ${path}.`);
  return stat.isDirectory() ? openFolder(path) : readGguf(path);
}

function openFolder(path: string): SourceModel {
  const names = readdirSync(path);
  if (names.includes('config.json') && names.some((name) => name.endsWith('.safetensors'))) return readSafetensorsFolder(path);
  const ggufs = names.filter((name) => name.toLowerCase().endsWith('.gguf'));
  const [only] = ggufs;
  if (only !== undefined && ggufs.length === 1) return readGguf(join(path, only));
  const found = ggufs.length > 1 ? `${ggufs.length} GGUF files; name one of them` : 'neither a GGUF file nor config.json with safetensors';
  throw new EngineError('unsupported_model', `The folder ${basename(path)} holds ${found}.`);
}
