// Owns the check of a model.json that was read from disk: is it whole enough to be used?
// Knows nothing about files beyond their names.
import type { ModelManifest } from '../manifest.ts';
import type { InstalledModel } from './model-store.ts';

/** A path inside the model's own folder, with no step out of it. */
const INNER_PATH = /^(?!\/)(?!.*(^|\/)\.\.(\/|$))[^\\:\0]+$/;

/** The manifest, or why it cannot be used. */
export function parseManifest(id: string, text: string): InstalledModel {
  const value = parseJson(text);
  const fault = isObject(value) ? findFault(id, value) : 'it is not a JSON object';
  if (fault !== null)
    return { kind: 'damaged', id, reason: `The model.json of ${id} is damaged: ${fault}. Remove the model or pull it again.` };
  return { kind: 'ready', id, manifest: value as unknown as ModelManifest };
}

function findFault(id: string, value: Record<string, unknown>): string | null {
  if (value['formatVersion'] !== 1) return 'its format version is not 1';
  if (value['id'] !== id) return 'it names another model';
  const variants = value['variants'];
  if (!isObject(variants) || !Object.hasOwn(variants, String(value['defaultVariant']))) return 'it has no default variant';
  const { kind = 'decoder', config } = value;
  if (kind !== 'decoder' && kind !== 'encoder' && kind !== 'infer') return 'it is of an unknown kind';
  if (!isObject(config) || !Array.isArray(config[kind === 'infer' ? 'inputs' : 'layers'])) return 'it has no config';
  const tokenizer = kind === 'infer' ? {} : value['tokenizer'];
  if (!isObject(tokenizer)) return 'it has no tokenizer';
  const files = [...tokenizerFiles(kind, tokenizer), ...Object.values(variants).flatMap(variantFiles)];
  return files.every((file) => typeof file === 'string' && INNER_PATH.test(file)) ? null : 'it names a file outside its folder';
}

function tokenizerFiles(kind: 'decoder' | 'encoder' | 'infer', { file, vocabFile }: Record<string, unknown>): readonly unknown[] {
  if (kind === 'infer') return [];
  return kind === 'decoder' ? [file, vocabFile] : [file];
}

function variantFiles(variant: unknown): readonly unknown[] {
  return isObject(variant) ? [variant['graphFile'], variant['weightsFile']] : [undefined];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
