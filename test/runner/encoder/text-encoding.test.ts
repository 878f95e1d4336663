// Texts and pairs as tokens: special tokens in their places, the limit, where it is cut, and texts far beyond it.
import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { TextEncoding } from '../../../engine/runner/encoder/text-encoding.ts';
import type { EncodeInput } from '../../../engine/runner/protocol.ts';
import { CLS, SEP, WORDS, WORD_TOKENIZER } from './word-tokenizer.ts';

const [RIVER, STONE, MILL] = ['river', 'stone', 'mill'].map((word) => WORDS.indexOf(word)) as [number, number, number];
const MAX_TOKENS = 8;
const encoding = new TextEncoding({ tokenizer: new Tokenizer(WORD_TOKENIZER, {}), maxTokens: MAX_TOKENS, vocabSize: WORDS.length });

function encode(input: EncodeInput, truncate = false): [number[], number] {
  const { tokens, secondStart } = encoding.encode(input, { index: 4, truncate });
  return [[...tokens], secondStart];
}

const text = (words: string): EncodeInput => ({ kind: 'text', text: words });
const pair = (first: string, second: string): EncodeInput => ({ kind: 'pair', text: first, other: second });

describe('a text as tokens', () => {
  it('stands between special tokens, a pair with one between its parts', () => {
    expect(encode(text('river stone'))).toEqual([[CLS, RIVER, STONE, SEP], 4]);
    expect(encode(pair('river', 'stone mill'))).toEqual([[CLS, RIVER, SEP, STONE, MILL, SEP], 3]);
    expect(encode(text(' '))).toEqual([[CLS, SEP], 2]);
  });

  it('is taken as it is when it comes as token ids', () => {
    expect(encode({ kind: 'tokens', tokens: [MILL, RIVER] })).toEqual([[MILL, RIVER], 2]);
    const foreign = { kind: 'tokens', tokens: [1, WORDS.length] } as const;
    expect(() => encode(foreign)).toThrow(
      expect.objectContaining({ code: 'invalid_request', param: 'input[4]', message: expect.stringMatching(/holds 8/) }),
    );
    expect(() => encode({ kind: 'tokens', tokens: Array(9).fill(RIVER) })).toThrow(
      expect.objectContaining({ code: 'context_length_exceeded' }),
    );
    expect(encode({ kind: 'tokens', tokens: Array(9).fill(RIVER) }, true)).toEqual([Array(8).fill(RIVER), 8]);
  });

  it('is refused beyond the limit with both counts, or cut so that the last special token stays', () => {
    const six = 'river '.repeat(6);
    expect(encode(text(six))[0]).toHaveLength(MAX_TOKENS);
    expect(() => encode(text(`${six}mill`))).toThrow(
      expect.objectContaining({
        code: 'context_length_exceeded',
        param: 'input[4]',
        message: expect.stringMatching(/has 9 tokens.*at most 8/),
      }),
    );
    expect(encode(text(`${six}mill`), true)).toEqual([[CLS, ...Array<number>(6).fill(RIVER), SEP], 8]);
  });

  it('of a pair is cut in its second part; a first part that leaves no room is refused', () => {
    expect(encode(pair('river stone', 'mill mill mill mill mill'), true)).toEqual([[CLS, RIVER, STONE, SEP, MILL, MILL, MILL, SEP], 4]);
    expect(() => encode(pair('river stone', 'mill mill mill mill'))).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/has 9 tokens/) }),
    );
    expect(() => encode(pair('river river river river river', 'mill'), true)).toThrow(
      expect.objectContaining({ code: 'context_length_exceeded' }),
    );
  });

  it('of megabytes is cut to the same tokens as the beginning of it, without all of it being read', () => {
    const long = 'river stone mill '.repeat(300_000);
    expect(encode(text(long), true)).toEqual(encode(text('river stone mill river stone mill mill'), true));
    expect(() => encode(text(long))).toThrow(expect.objectContaining({ message: expect.stringMatching(/more than 8 tokens/) }));
    // What counts as one token only as a whole is read as a whole.
    expect(encode(text(`${'x'.repeat(100_000)} mill`))).toEqual([[CLS, WORDS.indexOf('[UNK]'), MILL, SEP], 4]);
  });
});
