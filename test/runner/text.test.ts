import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerText, type TextPiece } from '../../engine/runner/answer-text.ts';
import { decodeUtf8, Detokenizer, wholeCharactersLength } from '../../engine/runner/detokenize.ts';
import { findStop, safeLength } from '../../engine/runner/stop-strings.ts';
import { byteVocab } from './scheduling.ts';

const bytesOf = (text: string): number[] => [...new TextEncoder().encode(text)];

/** Pieces of an answer made of these byte tokens. */
function speak(tokens: readonly number[], stops: readonly string[] = []): { pieces: TextPiece[]; stop: string | null } {
  const answer = new AnswerText(byteVocab, stops);
  const pieces: (TextPiece | null)[] = [];
  for (const token of tokens) {
    const match = answer.push(token, { token, logprob: -1, top: [] });
    if (match !== null) return { pieces: [...pieces, answer.finish(match)].filter((piece) => piece !== null), stop: match.stop };
    pieces.push(answer.take());
  }
  return { pieces: [...pieces, answer.finish(null)].filter((piece) => piece !== null), stop: null };
}

const textOf = (pieces: readonly TextPiece[]): string => pieces.map((piece) => piece.text).join('');

describe('detokenizing', () => {
  it('gives any bytes out as the whole would decode, however they are cut', () => {
    const bytes = fc.oneof(fc.array(fc.integer({ min: 0, max: 255 })), fc.string({ unit: 'binary' }).map(bytesOf));
    fc.assert(
      fc.property(bytes, (tokens) => {
        const detokenizer = new Detokenizer(byteVocab);
        const text = tokens.map((token) => detokenizer.push(token)).join('') + detokenizer.flush();
        expect(text).toBe(decodeUtf8(Uint8Array.from(tokens)));
      }),
      { numRuns: 500 },
    );
  });

  it('never gives out half a character', () => {
    fc.assert(
      // A text may hold the replacement character itself.
      fc.property(
        fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\ufffd')),
        (text) => {
          for (const piece of speak(bytesOf(text)).pieces) expect(piece.text.isWellFormed() && !piece.text.includes('\ufffd')).toBe(true);
        },
      ),
    );
  });

  it('knows how many bytes are whole characters', () => {
    expect(wholeCharactersLength(Uint8Array.from([0x61, 0xf0, 0x9f, 0x98]))).toBe(1);
    expect(wholeCharactersLength(Uint8Array.from([0xf0, 0x9f, 0x98, 0x80]))).toBe(4);
    expect(wholeCharactersLength(Uint8Array.from([0xe0, 0x80]))).toBe(2);
    expect(wholeCharactersLength(Uint8Array.from([0x80, 0x80]))).toBe(2);
  });

  it('keeps a byte order mark and marks what was never finished', () => {
    expect(textOf(speak(bytesOf('\ufeffa')).pieces)).toBe('\ufeffa');
    expect(textOf(speak([0x61, 0xe2, 0x82]).pieces)).toBe('a\ufffd');
  });
});

describe('stop strings', () => {
  it('cut the text where the first of them begins, and hold back nothing else', () => {
    const alphabet = fc.constantFrom('a', 'b', 'é', '😀');
    const word = (max: number) => fc.array(alphabet, { minLength: 1, maxLength: max }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(word(20), fc.array(word(4), { maxLength: 3 }), (text, stops) => {
        const { pieces, stop } = speak(bytesOf(text), stops);
        // The first stop string to be complete ends the answer.
        const ends = stops.map((entry) => text.indexOf(entry)).flatMap((at, i) => (at < 0 ? [] : [at + (stops[i]?.length ?? 0)]));
        const end = Math.min(...ends);
        const before = stops.filter((entry) => text.indexOf(entry) >= 0 && text.indexOf(entry) + entry.length === end);
        const longest = before.sort((a, b) => b.length - a.length)[0];
        expect(stop).toBe(longest ?? null);
        expect(textOf(pieces)).toBe(longest === undefined ? text : text.slice(0, end - longest.length));
        for (const piece of pieces) expect(piece.text.isWellFormed()).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('are found across token borders, and what was held back comes out at the end', () => {
    expect(speak(bytesOf('one STO two STOP three'), ['STOP'])).toMatchObject({ stop: 'STOP' });
    expect(textOf(speak(bytesOf('one STO two STOP three'), ['STOP']).pieces)).toBe('one STO two ');
    expect(textOf(speak(bytesOf('ends with STO'), ['STOP']).pieces)).toBe('ends with STO');
  });

  it('leave each token with the text it made', () => {
    const { pieces } = speak(bytesOf('a€b##c'), ['##!', 'c']);
    for (const piece of pieces) expect(decodeUtf8(Uint8Array.from(piece.tokens))).toBe(piece.text);
    expect(pieces.flatMap((piece) => piece.logprobs ?? []).map((entry) => entry.token)).toEqual(bytesOf('a€b##'));
  });

  it('are pure functions of the text', () => {
    expect(findStop('xxabc', ['bc', 'abc'], 2)).toEqual({ at: 2, stop: 'abc' });
    expect(findStop('abc', [''], 0)).toBe(null);
    expect(safeLength('hello S', ['STOP', 'o S!'])).toBe(4);
    expect(safeLength('a😀', ['😀x'])).toBe(1);
  });
});
