import { Tokenizer } from '@huggingface/tokenizers';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Metadata, type MetadataValue } from '../../../engine/models/readers/gguf/metadata.ts';
import { readGguf } from '../../../engine/models/readers/gguf/read-gguf.ts';
import { ggufTokenizer } from '../../../engine/models/readers/gguf/tokenizer.ts';
import type { SourceTokenizer } from '../../../engine/models/readers/source-model.ts';
import { tokenBytes } from '../../../engine/models/store/token-bytes.ts';
import { testModel } from '../../models.ts';

interface Recording {
  readonly cases: readonly string[];
  readonly model: readonly (readonly number[])[];
  readonly small: Readonly<
    Record<
      string,
      { readonly metadata: Readonly<Record<string, MetadataValue | readonly number[]>>; readonly ids: readonly (readonly number[])[] }
    >
  >;
}

const recording = JSON.parse(readFileSync(join(import.meta.dirname, '../../fixtures/readers/tokens.json'), 'utf8')) as Recording;
const cases = recording.cases.map((text, index) => ({ text, index, title: JSON.stringify(text.slice(0, 24)) }));

describe('the real model’s tokenizer, against Hugging Face’s tokenizers', () => {
  let source: SourceTokenizer;
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    const model = readGguf(await testModel());
    model.tensors.dispose();
    source = model.tokenizer;
    tokenizer = new Tokenizer(source.tokenizerJson, {});
  });

  it.each(cases)('$title', ({ text, index }) => {
    expect(encode(tokenizer, text)).toEqual(recording.model[index]);
  });

  it('gives every text back from its tokens’ bytes', () => {
    const entries = tokenBytes(source.tokenizerJson, 49_152);
    for (const { text } of cases)
      expect(bytesToText(encode(tokenizer, text).map((token) => entries[token]?.bytes ?? new Uint8Array(0)))).toBe(text);
  });

  it('knows the markers', () => {
    expect(source.bosToken).toBe(1);
    expect(source.eosTokens).toEqual([2, 0]);
    expect(source.addBos).toBe(false);
    expect(source.chatTemplate).toContain('<|im_start|>');
  });
});

describe.each(Object.entries(recording.small))(
  'a small vocabulary of the kind %s, against the library that trained it',
  (_, { metadata, ids }) => {
    const source = ggufTokenizer(new Metadata(new Map(Object.entries(metadata).map(([key, value]) => [key, typed(value)]))), 1_000);
    const tokenizer = new Tokenizer(source.tokenizerJson, {});

    it.each(cases)('$title', ({ text, index }) => {
      expect(encode(tokenizer, text)).toEqual(ids[index]);
    });
  },
);

describe('whether a text begins with BOS', () => {
  const addBos = (pre: string, flag: boolean | null): boolean => {
    const values: [string, MetadataValue][] = [
      ['tokenizer.ggml.model', 'gpt2'],
      ['tokenizer.ggml.pre', pre],
      ['tokenizer.ggml.tokens', ['<s>', 'a']],
      ['tokenizer.ggml.bos_token_id', 0],
    ];
    if (flag !== null) values.push(['tokenizer.ggml.add_bos_token', flag]);
    return ggufTokenizer(new Metadata(new Map(values)), 2).addBos;
  };

  it.each([
    ['llama-bpe', null, true],
    ['llama-bpe', false, false],
    ['qwen2', null, false],
    ['qwen2', true, true],
  ])('%s, flag %s: %s', (pre, flag, expected) => expect(addBos(pre, flag)).toBe(expected));
});

function encode(tokenizer: Tokenizer, text: string): readonly number[] {
  return tokenizer.encode(text, { add_special_tokens: false }).ids;
}

function bytesToText(parts: readonly Uint8Array[]): string {
  return Buffer.concat(parts).toString('utf8');
}

function typed(value: MetadataValue | readonly number[]): MetadataValue {
  return Array.isArray(value) && typeof value[0] === 'number' ? Float64Array.from(value as readonly number[]) : (value as MetadataValue);
}
