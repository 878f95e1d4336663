import { join } from 'node:path';
import { appendFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agreementOf, cosine, wordOverlap } from '../../../engine/routing/quality/agreement.ts';
import type { Grade } from '../../../engine/routing/quality/grade-file.ts';
import { perQualityAdjusted, qualityOf } from '../../../engine/routing/quality/interval.ts';
import { QualityBook } from '../../../engine/routing/quality/quality-book.ts';
import { folder, log } from '../upstream/upstreams.ts';

const grade = (extra: Partial<Grade> = {}): Grade => ({
  requestId: `req_${Math.random()}`,
  target: 'small',
  source: 'shadow',
  score: 1,
  expectedLoss: 0.1,
  usd: 0.001,
  atMs: 1,
  ...extra,
});
const answered = { target: 'small', expectedLoss: 0.1, usd: 0.001, isStrongest: false };

function bookOf(extra: Partial<ConstructorParameters<typeof QualityBook>[0]> = {}): QualityBook {
  return new QualityBook({ path: null, log, qualityBar: () => 0.95, now: () => 1, ...extra });
}

describe('agreement of answers', () => {
  it.each([
    ['B', 'B. Paris', 1],
    ['The answer is C', '(D)', 0],
    ['3 + 4 = 7\n#### 7', 'So she has 7 apples.', 1],
    ['It costs $1,200.', '1300', 0],
    ['Hello, world!', 'hello world', 1],
    ['red', 'blue', 0],
  ])('of %j and %j is %d', (left, right, score) => expect(agreementOf(left, right)).toMatchObject({ kind: 'graded', score }));

  it('is unclear for long texts, and falls back on their words', () => {
    const [left, right] = ['The mill stood beside the river for many years.', 'For many years a mill had been standing near that river.'];
    expect(agreementOf(left, right).kind).toBe('unclear');
    expect(wordOverlap(left, left)).toBe(1);
    expect(wordOverlap(left, right)).toBeGreaterThan(wordOverlap(left, 'Nothing of that kind at all.'));
    expect(cosine([0.6, 0.8], [0.6, 0.8])).toBeCloseTo(1);
  });

  it('is symmetric and between 0 and 1, whatever the texts', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (left, right) => {
        expect(wordOverlap(left, right)).toBeCloseTo(wordOverlap(right, left));
        expect(agreementOf(left, right)).toEqual(agreementOf(right, left));
      }),
    );
  });
});

describe('qualityOf', () => {
  it('says nothing on few grades, and is never certain', () => {
    expect(qualityOf([1, 1])).toEqual({ kind: 'not_measured' });
    const all = qualityOf(Array.from({ length: 50 }, () => 1));
    expect(all).toMatchObject({ kind: 'measured', mean: 1, graded: 50 });
    expect(all.kind === 'measured' && all.plusMinus > 0.01).toBe(true);
  });

  it('divides cost by quality, the uncertainty of both in it', () => {
    const quality = { kind: 'measured', mean: 0.5, plusMinus: 0.1, graded: 40 } as const;
    const even = perQualityAdjusted([1, 1, 1, 1], quality);
    expect(even).toMatchObject({ usd: 2 });
    expect(even?.plusMinusUsd).toBeCloseTo(0.4);
    expect(perQualityAdjusted([0, 2, 0, 2], quality)?.plusMinusUsd).toBeGreaterThan(0.4);
    expect(perQualityAdjusted([1, 1], { kind: 'not_measured' })).toBeNull();
  });
});

describe('QualityBook', () => {
  it('takes feedback for answers it knows, the last word on each', () => {
    const book = bookOf();
    expect(book.feedback('unknown', 1)).toBe(false);
    for (let at = 0; at < 6; at += 1) book.answered(`req_${at}`, answered);
    for (let at = 0; at < 6; at += 1) expect(book.feedback(`req_${at}`, 1)).toBe(true);
    book.feedback('req_0', 0);
    expect(book.of('small').quality).toMatchObject({ graded: 6, mean: 5 / 6 });
  });

  it('takes out a target that loses more than the bar allows, and lets it in again later', () => {
    let nowMs = 1;
    const told: (string | null)[] = [];
    const book = bookOf({ now: () => nowMs, onBarred: (_target, reason) => told.push(reason) });
    for (let at = 0; at < 30; at += 1) {
      book.answered(`req_${at}`, answered);
      book.grade(grade({ score: at % 2 }));
    }
    expect(book.bars('small')).toContain('measured quality 0.5');
    expect(book.barred).toMatchObject([{ target: 'small', reason: book.bars('small') }]);
    const [{ loss, allowedLoss } = { loss: 0, allowedLoss: 1 }] = book.barred;
    expect(loss).toBeGreaterThan(allowedLoss);
    nowMs += 3_700_000;
    expect(book.barred).toEqual([]);
    expect(book.bars('small')).toBeNull();
    expect(told).toEqual([expect.stringContaining('0.5'), null]);
  });

  it('leaves in a target that answers so little that the bar holds over all', () => {
    const book = bookOf();
    for (let at = 0; at < 970; at += 1) book.answered(`strong_${at}`, { ...answered, target: 'large', isStrongest: true });
    for (let at = 0; at < 30; at += 1) {
      book.answered(`req_${at}`, answered);
      book.grade(grade({ score: at % 2 }));
    }
    expect(book.bars('small')).toBeNull();
    const overall = book.overall();
    expect(overall).toMatchObject({ kind: 'measured', graded: 30 });
    expect(overall.kind === 'measured' && overall.mean).toBeCloseTo((970 + 15) / 1_000);
  });

  it('learns from shadow grades how far expected losses are off', () => {
    const book = bookOf();
    expect(book.bias()).toBe(1);
    for (let at = 0; at < 200; at += 1) book.grade(grade({ score: at % 5 === 0 ? 0 : 1, expectedLoss: 0.1 }));
    expect(book.bias()).toBeGreaterThan(1.6);
    expect(book.bias()).toBeLessThanOrEqual(2);
  });

  it('knows its grades again after a restart, whatever a crash left of the last line', async () => {
    const path = join(folder(), 'quality.jsonl');
    const first = bookOf({ path });
    for (let at = 0; at < 8; at += 1) first.grade(grade({ score: 0.5 }));
    await first.close();
    appendFileSync(path, '{"requestId":"req');
    expect(bookOf({ path }).of('small').quality).toMatchObject({ kind: 'measured', mean: 0.5, graded: 8 });
  });
});
