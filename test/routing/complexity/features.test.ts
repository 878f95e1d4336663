import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseExpert } from '../../../engine/routing/complexity/experts.ts';
import { FEATURES, readSurface, type Surface } from '../../../engine/routing/complexity/features.ts';
import { splitOptions } from '../../../engine/routing/complexity/options.ts';

function surfaceOf(text: string): Surface {
  return readSurface({ text, turns: 0, tools: 0, schema: false });
}

describe('splitOptions', () => {
  it.each([
    ['A. ', 'B. '],
    ['(A) ', '(B) '],
    ['a line\nA: ', 'B: '],
  ])('tells options lettered %j', (first, second) => {
    expect(splitOptions(`Which?\n${first}one\n${second}two\nAnswer:`).options).toEqual(['one', 'two']);
  });

  it('takes the last question of several', () => {
    const { stem, options } = splitOptions('First?\nA. x\nB. y\nAnswer: A\n\nSecond?\nA. p\nB. q\nC. r');
    expect(options).toEqual(['p', 'q', 'r']);
    expect(stem).toContain('Second?');
  });

  it.each(['No options here.', 'One alone:\nA. x', 'Not from A:\nB. x\nC. y', ''])('leaves %j whole', (text) => {
    expect(splitOptions(text)).toEqual({ stem: text, options: [] });
  });
});

describe('readSurface', () => {
  it('counts what a sentence holds', () => {
    const { values } = surfaceOf('If Ann buys 3 pens and 12 caps, how much more than $1,500.50 does she pay? She pays half.');
    const counts = Object.fromEntries(
      (['numbers', 'condition', 'comparison', 'sentences', 'currency', 'fractions', 'quantity', 'decimals'] as const).map((feature) => [
        feature,
        Math.round(Math.expm1(values[feature])),
      ]),
    );
    expect(counts).toEqual({ numbers: 3, condition: 1, comparison: 2, sentences: 2, currency: 1, fractions: 1, quantity: 1, decimals: 1 });
    expect(Math.expm1(values.largestNumber)).toBeCloseTo(1500.5);
  });

  it('sees that options combine few parts', () => {
    expect(surfaceOf('Both?\nA. True, True\nB. True, False\nC. False, True\nD. False, False').values.combined).toBe(0.75);
    expect(surfaceOf('Who?\nA. Vermeer\nB. Monet\nC. Klimt\nD. Goya').values).toMatchObject({ combined: 0, oneWord: 1 });
  });

  it('takes the facts of the chat', () => {
    const { values } = readSurface({ text: 'Go on.', turns: 4, tools: 2, schema: true });
    expect(values).toMatchObject({ turns: Math.log(5), tools: Math.log(3), schema: 1 });
  });

  it('gives finite numbers for any text', () => {
    const parts = fc.constantFrom('\nA. ', '\nB) ', '“', '9'.repeat(400), '...', 'if ', '\u{1f600}', ' '.repeat(50));
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string({ unit: 'binary' }), parts), { maxLength: 30 }), (pieces) => {
        const { values } = surfaceOf(pieces.join(''));
        expect(FEATURES.filter((feature) => !Number.isFinite(values[feature]))).toEqual([]);
      }),
    );
  });

  it('reads head and tail of a long text, and knows its whole length', () => {
    const { values, words } = surfaceOf(`first ${'middle '.repeat(100_000)}last`);
    expect(words.length).toBeLessThan(1300);
    expect([words[0], words.at(-1)]).toEqual(['first', 'last']);
    expect(Math.expm1(values.length)).toBeCloseTo(700_010, 3);
  });
});

describe('chooseExpert', () => {
  it.each([
    ['Tom has 3 apples and buys 4. How many has he?', 'problem'],
    ['Tom has three apples. How many are left?', 'problem'],
    ['Write a poem about the sea.', 'choice'],
    ['What is 3 + 4?\nA. 7\nB. 8', 'choice'],
  ])('%j', (text, expert) => {
    expect(chooseExpert(surfaceOf(text))).toBe(expert);
  });
});
