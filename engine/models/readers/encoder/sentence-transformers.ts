// Owns what the files of sentence-transformers say beside config.json: modules, pooling, length limit, prompts, a cross-encoder's scores.
// Files: https://sbert.net/docs/sentence_transformer/usage/custom_models.html
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../../errors.ts';
import type { EncoderHead, EncoderPooling } from '../../manifest.ts';
import { isJsonObject, readJsonFile, type JsonFields } from '../json-fields.ts';
import { invalidFile } from '../random-file.ts';

type EmbeddingHead = Extract<EncoderHead, { kind: 'embedding' }>;

const MAX_FILE_BYTES = 1 << 20;
const MAX_PROMPTS = 100;
const MAX_PROMPT_CHARACTERS = 2_000;
const POOLING_MODES: ReadonlyMap<string, EncoderPooling> = new Map<string, EncoderPooling>([
  ['pooling_mode_cls_token', 'cls'],
  ['pooling_mode_mean_tokens', 'mean'],
  ['pooling_mode_lasttoken', 'last'],
]);

/** Whether these files are there at all. */
export function isSentenceTransformer(folder: string): boolean {
  return existsSync(join(folder, 'modules.json'));
}

/** Tokens of one text as the model was trained; null when nothing is said. */
export function maxSequenceLength(folder: string): number | null {
  return readJsonFile(join(folder, 'sentence_bert_config.json'), MAX_FILE_BYTES)?.number('max_seq_length') ?? null;
}

/** Without these files a model gives the mean of its tokens, not normalised, as sentence-transformers itself would do.
 *  @throws EngineError `unsupported_model` for modules other than pooling and normalising */
export function embeddingHead(folder: string, hiddenSize: number): EmbeddingHead {
  const modules = readModules(folder);
  const unknown = modules.find(({ type }) => !/\.(Transformer|Pooling|Normalize)$/.test(type));
  if (unknown !== undefined) throw unsupported(`its module ${unknown.type.slice(0, 80)} is not known here`);
  const pooling = modules.find(({ type }) => type.endsWith('.Pooling'));
  const settings = readJsonFile(join(folder, 'config_sentence_transformers.json'), MAX_FILE_BYTES);
  const prompts = readPrompts(settings);
  const named = settings?.string('default_prompt_name') ?? null;
  return {
    kind: 'embedding',
    pooling: pooling === undefined ? 'mean' : readPooling(join(folder, pooling.path), hiddenSize),
    normalize: modules.some(({ type }) => type.endsWith('.Normalize')),
    dimensions: hiddenSize,
    matryoshka: matryoshkaOf(settings, hiddenSize),
    prompts,
    defaultPrompt: named !== null && Object.hasOwn(prompts, named) ? (prompts[named] ?? null) : null,
  };
}

interface Module {
  readonly type: string;
  readonly path: string;
}

/** A module's path is a folder right in the model's own. */
const MODULE_PATH = /^[A-Za-z0-9_-]{0,60}$/;

function readModules(folder: string): readonly Module[] {
  const path = join(folder, 'modules.json');
  if (!existsSync(path)) return [];
  const list = readJsonList(path);
  return list.map((entry) => {
    const { type, path: inner } = isJsonObject(entry) ? entry : {};
    if (typeof type !== 'string' || typeof inner !== 'string' || !MODULE_PATH.test(inner)) throw invalidFile(path, 'it names no module');
    return { type, path: inner };
  });
}

function readJsonList(path: string): readonly unknown[] {
  if (statSync(path).size > MAX_FILE_BYTES) throw invalidFile(path, 'it is too long');
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new EngineError('model_file_invalid', invalidFile(path, 'it is not valid JSON').message, { cause });
  }
  if (!Array.isArray(value)) throw invalidFile(path, 'it is not a list');
  return value;
}

function readPooling(folder: string, hiddenSize: number): EncoderPooling {
  const config = readJsonFile(join(folder, 'config.json'), MAX_FILE_BYTES);
  if (config === null) throw unsupported('its pooling has no config.json');
  if ((config.number('word_embedding_dimension') ?? hiddenSize) !== hiddenSize) throw unsupported('its pooling has another width');
  const modes = Object.keys(config.raw).filter((key) => key.startsWith('pooling_mode_') && config.raw[key] === true);
  const named = config.string('pooling_mode');
  const mode = modes.length === 0 && named !== null ? named : POOLING_MODES.get(modes[0] ?? '');
  if (modes.length > 1 || (mode !== 'mean' && mode !== 'cls' && mode !== 'last'))
    throw unsupported(`its pooling is ${(modes.join(' with ') || named || 'none').slice(0, 120)}`);
  return mode;
}

function readPrompts(settings: JsonFields | null): Readonly<Record<string, string>> {
  const entries = Object.entries(settings?.object('prompts')?.raw ?? {});
  const usable = entries.filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1].length <= MAX_PROMPT_CHARACTERS,
  );
  return Object.fromEntries(usable.filter(([, text]) => text !== '').slice(0, MAX_PROMPTS));
}

/** Lengths that the settings list; sentence-transformers itself has no field for them. */
function matryoshkaOf(settings: JsonFields | null, hiddenSize: number): readonly number[] {
  const listed = settings?.array('matryoshka_dimensions') ?? settings?.array('matryoshka_dims') ?? [];
  const lengths = listed.filter(
    (length): length is number => Number.isInteger(length) && Number(length) >= 1 && Number(length) <= hiddenSize,
  );
  return [...new Set(lengths)].toSorted((a, b) => b - a);
}

function unsupported(why: string): EngineError {
  return new EngineError('unsupported_model', `This embedding model is not supported: ${why}.`);
}
