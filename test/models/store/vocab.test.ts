import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../engine/errors.ts';
import type { TokenizerJson } from '../../../engine/models/readers/source-model.ts';
import { byteLevelAlphabet, tokenBytes } from '../../../engine/models/store/token-bytes.ts';
import { encodeVocab, FLAG_BYTE, FLAG_SPECIAL, Vocab, type VocabEntry } from '../../../engine/models/store/vocab.ts';

const entryOf = fc.record({ bytes: fc.uint8Array({ maxLength: 12 }), flags: fc.nat(3) });

describe('the vocabulary file', () => {
  it('gives back what was written', () => {
    fc.assert(
      fc.property(fc.array(entryOf, { maxLength: 60 }), (entries) => {
        const vocab = Vocab.parse(encodeVocab(entries));
        expect(vocab.size).toBe(entries.length);
        entries.forEach(({ bytes, flags }, token) => {
          expect([...vocab.bytesOf(token)]).toEqual([...bytes]);
          expect(vocab.isSpecial(token)).toBe((flags & FLAG_SPECIAL) !== 0);
          expect(vocab.isByte(token)).toBe((flags & FLAG_BYTE) !== 0);
        });
        expect(vocab.bytesOf(entries.length).length).toBe(0);
      }),
    );
  });

  it('cut or changed is read or refused, never a crash', () => {
    const whole = encodeVocab([
      { bytes: Uint8Array.of(1, 2), flags: 0 },
      { bytes: Uint8Array.of(3), flags: 1 },
    ]);
    for (let length = 0; length < whole.length; length++) expect(() => Vocab.parse(whole.subarray(0, length))).toThrow(EngineError);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
        const changed = Uint8Array.from(whole);
        changed[at] = value;
        try {
          Vocab.parse(changed);
        } catch (cause) {
          expect(cause).toBeInstanceOf(EngineError);
        }
      }),
    );
  });
});

describe('bytes of tokens', () => {
  const tokenizer = (
    decoder: unknown,
    vocab: TokenizerJson['model']['vocab'],
    added: TokenizerJson['added_tokens'] = [],
  ): TokenizerJson => ({ decoder, model: { vocab }, added_tokens: added });
  const textOf = ({ bytes }: VocabEntry): string => Buffer.from(bytes).toString('utf8');

  it('byte-level: each of the 256 bytes has one character', () => {
    const alphabet = byteLevelAlphabet();
    expect(new Set(alphabet.values()).size).toBe(256);
    expect(alphabet.get('Ġ')).toBe(0x20);
    expect(alphabet.get('Ċ')).toBe(0x0a);
  });

  it('byte-level: pieces, halves of characters, markers and padding', () => {
    const entries = tokenBytes(
      tokenizer({ type: 'ByteLevel' }, { ĠHello: 0, Ã: 1, 'Ã©': 2 }, [
        { id: 3, content: '<|end|>', special: true },
        { id: 4, content: 'é ', special: false },
      ]),
      6,
    );
    expect(entries.map(textOf)).toEqual([' Hello', '\ufffd', 'é', '<|end|>', 'é ', '']);
    expect(entries.map(({ flags }) => flags)).toEqual([0, FLAG_BYTE, 0, FLAG_SPECIAL, 0, FLAG_SPECIAL]);
  });

  it('SentencePiece: marks are spaces, <0xNN> are bytes', () => {
    const decoder = { type: 'Sequence', decoders: [{ type: 'Replace' }, { type: 'ByteFallback' }, { type: 'Fuse' }] };
    const entries = tokenBytes(
      tokenizer(
        decoder,
        [
          ['<unk>', 0],
          ['▁Hi▁', -1],
          ['<0xE2>', -2],
          ['日', -3],
        ],
        [{ id: 0, content: '<unk>', special: true }],
      ),
      4,
    );
    expect(entries.map(({ bytes }) => [...bytes])).toEqual([
      [...Buffer.from('<unk>')],
      [...Buffer.from(' Hi ')],
      [0xe2],
      [...Buffer.from('日')],
    ]);
    expect(entries.map(({ flags }) => flags)).toEqual([FLAG_SPECIAL, 0, FLAG_BYTE, 0]);
  });

  it('another decoder is refused', () => {
    expect(() => tokenBytes(tokenizer({ type: 'WordPiece' }, {}), 1)).toThrow(/WordPiece/);
  });
});
