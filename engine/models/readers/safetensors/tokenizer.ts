// Owns what a folder says about its tokenizer: tokenizer.json, tokenizer_config.json, generation_config.json, chat template files.
// Knows nothing about weights.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../../errors.ts';
import { isJsonObject, readJsonFile, type JsonFields } from '../json-fields.ts';
import { invalidFile } from '../random-file.ts';
import type { SourceTokenizer, TokenizerJson } from '../source-model.ts';
import { withUnicodeDigits } from './unicode-digits.ts';

const MAX_TOKENIZER_BYTES = 64 << 20;
const MAX_CONFIG_BYTES = 8 << 20;
const MAX_TEMPLATE_BYTES = 1 << 20;

/** Throws `unsupported_model` without a tokenizer.json, `model_file_invalid` when a file is malformed. */
export function folderTokenizer(folder: string, config: JsonFields): SourceTokenizer {
  const tokenizerJson = readTokenizerJson(folder);
  const settings = readJsonFile(join(folder, 'tokenizer_config.json'), MAX_CONFIG_BYTES);
  const generation = readJsonFile(join(folder, 'generation_config.json'), MAX_CONFIG_BYTES);
  const bosToken = tokenOf(tokenizerJson, settings?.value('bos_token')) ?? tokenIds(config.value('bos_token_id'))[0] ?? null;
  const eosOfTokenizer = tokenOf(tokenizerJson, settings?.value('eos_token'));
  const eos = [
    ...tokenIds(generation?.value('eos_token_id')),
    ...tokenIds(config.value('eos_token_id')),
    ...(eosOfTokenizer === null ? [] : [eosOfTokenizer]),
  ];
  return {
    tokenizerJson,
    bosToken,
    eosTokens: [...new Set(eos)],
    addBos: bosToken !== null && addsBos(tokenizerJson, settings),
    chatTemplate: chatTemplate(folder, settings),
  };
}

/** The folder's tokenizer.json. Throws `unsupported_model` without one, `model_file_invalid` when it is malformed. */
export function readTokenizerJson(folder: string): TokenizerJson {
  const fields = readJsonFile(join(folder, 'tokenizer.json'), MAX_TOKENIZER_BYTES);
  if (fields === null) throw new EngineError('unsupported_model', 'The folder has no tokenizer.json.');
  const vocab = fields.object('model')?.value('vocab');
  const added = fields.array('added_tokens') ?? [];
  if (!isVocab(vocab) || !added.every(isAddedToken)) throw invalidFile('tokenizer.json', 'its vocabulary is malformed');
  return withUnicodeDigits(fields.raw as unknown as TokenizerJson);
}

function isVocab(vocab: unknown): boolean {
  if (Array.isArray(vocab)) return vocab.every((entry) => Array.isArray(entry) && typeof entry[0] === 'string');
  return isJsonObject(vocab) && Object.values(vocab).every((token) => Number.isInteger(token));
}

function isAddedToken(token: unknown): boolean {
  return isJsonObject(token) && Number.isInteger(token['id']) && typeof token['content'] === 'string';
}

/** A token given as text or as an object with `content`. */
function tokenOf(tokenizer: TokenizerJson, named: unknown): number | null {
  const content = isJsonObject(named) ? named['content'] : named;
  if (typeof content !== 'string') return null;
  const added = (tokenizer.added_tokens ?? []).find((token) => token.content === content);
  if (added !== undefined) return added.id;
  const vocab = tokenizer.model.vocab;
  if (Array.isArray(vocab)) return vocab.findIndex(([piece]) => piece === content);
  return Object.hasOwn(vocab, content) ? ((vocab as Readonly<Record<string, number>>)[content] ?? null) : null;
}

function tokenIds(value: unknown): readonly number[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((token): token is number => typeof token === 'number' && Number.isInteger(token) && token >= 0);
}

/** The post-processor is what really runs; the setting counts only where there is none. */
function addsBos(tokenizer: TokenizerJson, settings: JsonFields | null): boolean {
  const text = JSON.stringify(tokenizer.post_processor ?? null);
  if (text.includes('"TemplateProcessing"')) return /"single":\[\{"SpecialToken"/.test(text);
  return settings?.boolean('add_bos_token') ?? false;
}

/** A file of its own wins over the settings; of several named templates the one called `default`. */
function chatTemplate(folder: string, settings: JsonFields | null): string | null {
  const path = join(folder, 'chat_template.jinja');
  if (existsSync(path)) return readTemplate(path);
  const older = readJsonFile(join(folder, 'chat_template.json'), MAX_TEMPLATE_BYTES)?.string('chat_template');
  const value = older ?? settings?.value('chat_template') ?? null;
  if (typeof value === 'string') return value;
  const named = Array.isArray(value) ? value.find((entry) => isJsonObject(entry) && entry['name'] === 'default') : null;
  return isJsonObject(named) && typeof named['template'] === 'string' ? named['template'] : null;
}

function readTemplate(path: string): string {
  if (statSync(path).size > MAX_TEMPLATE_BYTES) throw invalidFile(path, 'it is too long for a template');
  return readFileSync(path, 'utf8');
}
