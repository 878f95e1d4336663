// What makes two requests the same, and what may be kept: pure decisions.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, modelIdentity, rowKey } from '../../../engine/routing/cache/keys.ts';
import { isWorthKeeping } from '../../../engine/routing/cache/policy.ts';
import {
  answerToBytes,
  bytesToAnswer,
  bytesToQuestion,
  bytesToRow,
  questionToBytes,
  rowToBytes,
} from '../../../engine/routing/cache/values.ts';
import type { EncodeInput, GenerateEvent } from '../../../engine/runner/protocol.ts';
import { FakeHost } from '../../fakes/host.ts';
import { chat } from './caching.ts';

/** The same value with the keys of its objects put in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, inner]) => [key, shuffled(inner)]),
  );
}

describe('keys', () => {
  it('do not depend on the order of an object’s keys, and on everything else', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(shuffled(value))).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    expect(canonicalJson({ 2: 'a', 10: 'b', x: [1, { b: 1, a: undefined }] })).toBe('{"2":"a","10":"b","x":[1,{"b":1}]}');
  });

  it('differ for different inputs, however their parts are cut', () => {
    const input = fc.oneof(
      fc.record({ kind: fc.constant('text' as const), text: fc.string({ maxLength: 4 }) }),
      fc.record({
        kind: fc.constant('pair' as const),
        text: fc.stringMatching(/^[\n1a]{0,3}$/),
        other: fc.stringMatching(/^[\n1a]{0,3}$/),
      }),
      fc.record({ kind: fc.constant('tokens' as const), tokens: fc.array(fc.nat(20), { maxLength: 3 }) }),
    );
    fc.assert(
      fc.property(input, input, (a: EncodeInput, b: EncodeInput) => {
        expect(rowKey('p\n', a) === rowKey('p\n', b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });

  it('change with another installation, variant or conversion of a model', () => {
    const model = new FakeHost().get('fake');
    if (model === undefined) throw new Error('The fake model is missing.');
    const { manifest, variant } = model;
    const changed = [
      { manifest: { ...manifest, createdAt: '2026-02-02T00:00:00.000Z' }, variant },
      { manifest: { ...manifest, variants: { int8: { ...manifest.variants['int8'], graphVersion: 2 } } }, variant },
      { manifest, variant: 'fp32' },
    ] as readonly Parameters<typeof modelIdentity>[0][];
    const identities = [model, ...changed].map(modelIdentity);
    expect(new Set(identities).size).toBe(identities.length);
    expect(modelIdentity({ manifest: { ...manifest }, variant })).toBe(identities[0]);
  });
});

it('an answer that the end of the context cut is not worth keeping', () => {
  const finish = (reason: 'stop' | 'length'): GenerateEvent => ({ kind: 'finish', id: 1, choice: 0, reason, stopString: null });
  expect(isWorthKeeping(chat('a'), [finish('stop')])).toBe(true);
  expect(isWorthKeeping(chat('a'), [finish('length')])).toBe(false);
  expect(isWorthKeeping(chat('a', { maxTokens: 9 }), [finish('length')])).toBe(true);
});

describe('values', () => {
  it('come back as they were, wherever their bytes lie', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31), fc.float32Array({ noNaN: true }), fc.nat(7), (tokens, values, shift) => {
        const bytes = rowToBytes({ tokens, values });
        const moved = new Uint8Array(new ArrayBuffer(bytes.length + shift), shift);
        moved.set(bytes);
        for (const copy of [bytes, moved]) expect(bytesToRow(copy)).toEqual({ tokens, values });
      }),
    );
    const question = { context: 'c'.repeat(43), answer: 'a'.repeat(43), vector: Float32Array.of(0.5, -0.25) };
    expect(bytesToQuestion(questionToBytes(question))).toEqual(question);
    const event: GenerateEvent = { kind: 'text', id: 0, choice: 0, text: 'añ☂', tokens: [1, 2], logprobs: null };
    const told = { ...event, logprobs: [{ token: 1, text: 'a', bytes: [97], logprob: -0.5, top: [] }] };
    const finish: GenerateEvent = { kind: 'finish', id: 0, choice: 0, reason: 'stop', stopString: null };
    expect(bytesToAnswer(answerToBytes([event, told, finish]))).toEqual([event, told, finish]);
  });
});
