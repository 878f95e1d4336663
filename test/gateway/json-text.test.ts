import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonParser } from '../../engine/gateway/json-parser.ts';
import { parseJson } from '../../engine/gateway/json-text.ts';
import { DEFAULT_LIMITS } from '../../engine/gateway/limits.ts';

const LIMITS = { jsonDepth: 8, jsonValues: 1000 };
const parse = (text: string, limits = LIMITS) => parseJson(Buffer.from(text), limits);

describe('parseJson', () => {
  it.each([
    ['malformed', '{"a":'],
    ['empty', '  '],
    ['a number beyond a double', '{"a":1e999}'],
    ['half a surrogate pair in a value', '{"a":"\\ud800"}'],
    ['half a surrogate pair in a key', '{"\\udc00":1}'],
    ['too deep', '['.repeat(10) + ']'.repeat(10)],
    ['too many values', `[${'0,'.repeat(1000)}0]`],
  ])('refuses %s', (_name, text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(() => parseJson(Buffer.from([0x22, 0xff, 0x22]), LIMITS)).toThrow(/UTF-8/);
  });

  it('survives a nesting of a million levels', () => {
    expect(() => parse('['.repeat(1_000_000))).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    expect(() => parse('['.repeat(1_000_000) + ']'.repeat(1_000_000))).toThrow(/nested/);
  });

  it('counts no bracket inside a string', () => {
    const text = JSON.stringify({ a: '[{"\\'.repeat(20), '[[[[[[[[[[': '\\"{' });
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  it('agrees with JSON.parse on every JSON value', () => {
    const limits = { jsonDepth: 100, jsonValues: 100_000 };
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parse(text, limits)).toEqual(JSON.parse(text));
      }),
    );
  });
});

describe('JsonParser', () => {
  it('gives the same answers from its thread as on the spot', async () => {
    const parser = new JsonParser({ ...DEFAULT_LIMITS, inlineParseBytes: 4 });
    const bodies = ['{"long":[1,2,{"three":null}]}', '{"long":"\u00e9\u{1f600}"}'];
    expect(await Promise.all(bodies.map(async (text) => parser.parse(Buffer.from(text))))).toEqual(bodies.map((text) => JSON.parse(text)));
    await expect(async () => parser.parse(Buffer.from('{"a":1e999}'))).rejects.toMatchObject({ code: 'invalid_request' });
    await parser.close();
  });
});
