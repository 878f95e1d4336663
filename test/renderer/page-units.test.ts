// The page's pure parts: keys, ranges, timelines, plots, a request's parts, rules in words, snippets.
import { describe, expect, it } from 'vitest';
import type { SeriesAnswer } from '../../engine/contract.ts';
import { ApiError, describeError } from '../../renderer/src/api/api-error.ts';
import { describeRule } from '../../renderer/src/alerts/rule-words.ts';
import { snippetsFor } from '../../renderer/src/connect/snippets.ts';
import { fromInputTime, rangeOf, readChoice, toInputTime } from '../../renderer/src/history/ranges.ts';
import { partsOf } from '../../renderer/src/history/request-parts.ts';
import { nextSpoken } from '../../renderer/src/now/state-sentence.tsx';
import { joinTail, SPANS, tailStart } from '../../renderer/src/now/timeline.ts';
import { bucketMeans, niceMax } from '../../renderer/src/plot/nice-scale.ts';
import { timeTicks } from '../../renderer/src/plot/time-ticks.ts';
import { decideKey, type KeyPress } from '../../renderer/src/shell/key-commands.ts';
import { DEFAULT_RULES } from '../../engine/ledger/alerts/default-rules.ts';
import { aRow } from './factories.ts';

describe('decideKey', () => {
  const press = (key: string, change: Partial<KeyPress> = {}): KeyPress => ({
    key,
    command: false,
    alt: false,
    typing: false,
    modal: false,
    ...change,
  });
  it.each([
    ['palette', press('k', { command: true, typing: true }), false],
    ['prefix', press('g'), false],
    ['go', press('m'), true],
    ['search', press('/'), false],
    ['leave', press('Escape', { typing: true }), false],
    ['none', press('m'), false],
    ['none', press('g', { typing: true }), false],
    ['none', press('n', { typing: true }), true],
    ['none', press('/', { modal: true }), false],
    ['none', press('Escape'), false],
    ['none', press('g', { alt: true }), false],
  ] as const)('%s', (kind, given, pending) => {
    expect(decideKey(given, pending).kind).toBe(kind);
  });
});

describe('ranges', () => {
  it('come from the query, or fall back', () => {
    const read = (query: string) => readChoice(new URLSearchParams(query), '24h');
    expect(read('range=7d')).toEqual({ kind: 'preset', name: '7d' });
    expect(read('range=toString')).toEqual({ kind: 'preset', name: '24h' });
    expect(read('from=5&to=9&range=7d')).toEqual({ kind: 'fixed', range: { fromMs: 5, toMs: 9 } });
    expect(read('from=9&to=5')).toEqual({ kind: 'preset', name: '24h' });
    expect(read('from=&to=x')).toEqual({ kind: 'preset', name: '24h' });
  });

  it('of presets are the same within a minute', () => {
    const choice = { kind: 'preset', name: '1h' } as const;
    expect(rangeOf(choice, 7_200_001)).toEqual({ fromMs: 3_660_000, toMs: 7_260_000 });
    expect(rangeOf(choice, 7_259_999)).toEqual(rangeOf(choice, 7_200_001));
  });

  it('survive a box of dates', () => {
    expect(fromInputTime(toInputTime(1_700_000_040_000))).toBe(1_700_000_040_000);
    expect(fromInputTime('')).toBeNull();
  });
});

describe('the timeline', () => {
  const span = SPANS['10m'];
  const answer = (fromMs: number, toMs: number, value: number): SeriesAnswer => {
    const atMs = Array.from({ length: (toMs - fromMs) / 1_000 }, (_, at) => fromMs + at * 1_000);
    return { range: { fromMs, toMs }, stepMs: 1_000, of: 'all', atMs, values: { running: atMs.map(() => value) } };
  };

  it('asks for all at first, then for little more than what is new', () => {
    expect(tailStart(null, span, 1_000_500)).toBe(400_000);
    expect(tailStart(answer(400_000, 1_000_000, 1), span, 1_000_500)).toBe(994_000);
    expect(tailStart(answer(400_000, 1_000_000, 1), span, 9_000_000)).toBe(8_400_000);
  });

  it('joins what is new, replaces what was written late, and forgets what is too old', () => {
    const joined = joinTail(answer(400_000, 1_000_000, 1), answer(994_000, 1_002_000, 2), span);
    expect(joined.atMs).toEqual(answer(402_000, 1_002_000, 0).atMs);
    expect(joined.values.running).toEqual([...Array.from({ length: 592 }, () => 1), ...Array.from({ length: 8 }, () => 2)]);
    expect(joined.range).toEqual({ fromMs: 402_000, toMs: 1_002_000 });
  });
});

describe('plots', () => {
  it('end on round numbers', () => {
    expect([0, 0.3, 1, 1.01, 38, 412, 50_000].map((value) => niceMax(value))).toEqual([1, 1, 1, 2, 50, 500, 50_000]);
    expect(niceMax(3, 10)).toBe(10);
  });

  it('keep gaps when they draw means', () => {
    const range = { fromMs: 0, toMs: 40, count: 4 };
    expect(bucketMeans([0, 5, 10, 30, 40], [1, 3, null, 7, 9], range)).toEqual([2, null, null, 7]);
  });

  it('name moments by the length of their axis', () => {
    const noon = new Date(2026, 10, 24, 12).getTime();
    const ticks = (gapMs: number, lengthMs: number) => timeTicks([noon, noon + gapMs], { min: noon, max: noon + lengthMs });
    expect(ticks(60_000, 600_000)).toEqual(['12:00', '12:01']);
    expect(ticks(15_000, 60_000)).toEqual(['12:00:00', '12:00:15']);
    expect(ticks(86_400_000, 604_800_000)).toEqual(['24 Nov', '25 Nov']);
  });
});

describe('a request’s parts', () => {
  const lengths = (change: Parameters<typeof aRow>[0]) => partsOf(aRow(change)).map(({ kind, lengthMs }) => [kind, lengthMs]);
  it('add up to its whole time, whatever is unknown', () => {
    expect(lengths({})).toEqual([
      ['queue', 40],
      ['prefill', 60],
      ['first', 20],
      ['decode', 1_340],
    ]);
    expect(lengths({ loadMs: 30 }).slice(0, 2)).toEqual([
      ['load', 30],
      ['queue', 10],
    ]);
    // Rows have no slot and no first token.
    expect(lengths({ loadMs: 400, queueMs: null, ttftMs: null, prefillMs: null })).toEqual([
      ['load', 400],
      ['compute', 1_060],
    ]);
    expect(lengths({ ttftMs: null, prefillMs: null })).toEqual([
      ['queue', 40],
      ['compute', 1_420],
    ]);
    expect(lengths({ queueMs: 9_000, totalMs: 500 })).toEqual([['queue', 500]]);
    expect(lengths({ queueMs: null, prefillMs: null, ttftMs: null, totalMs: 0 })).toEqual([]);
  });
});

describe('nextSpoken', () => {
  const busy = (text: string) => ({ tone: 'busy', word: 'serving', text }) as const;
  const spoken = { sentence: busy('at 40 tok/s'), atMs: 0 };
  it('speaks of a new state at once, of new figures now and then', () => {
    expect(nextSpoken(spoken, busy('at 41 tok/s'), 5_000)).toBe(spoken);
    expect(nextSpoken(spoken, busy('at 41 tok/s'), 15_000).sentence.text).toBe('at 41 tok/s');
    expect(nextSpoken(spoken, busy('at 40 tok/s'), 15_000)).toBe(spoken);
    expect(nextSpoken(spoken, { tone: 'ok', word: 'serving', text: 'Ready.' }, 1).sentence.text).toBe('Ready.');
  });
});

describe('words', () => {
  it('say every default rule', () => {
    expect(DEFAULT_RULES.map(describeRule)).toContain('Queue depth above 100 for 60 s, until below 80');
    for (const rule of DEFAULT_RULES) expect(describeRule(rule)).not.toMatch(/NaN|undefined/);
  });

  it('say of an error what it means and what to do', () => {
    const body = { error: { message: 'Too many.', type: 'x', param: null, code: 'queue_full' } };
    const refused = describeError(new ApiError(body, { status: 429, requestId: 'r1' }));
    expect(refused).toMatchObject({ message: 'Too many.', detail: expect.stringContaining('request: r1') });
    expect(refused.advice).toContain('busy');
    expect(describeError(new ApiError({}, { status: 500, requestId: null })).message).toContain('500');
    expect(describeError(new TypeError('Failed to fetch')).message).toBe('The engine does not answer.');
    expect(describeError('odd').message).toBe('odd');
  });

  it('give snippets that hold any name of a model', () => {
    const name = `it's "odd" \\ model`;
    const [curl, python] = snippetsFor('http://127.0.0.1:1/v1', name);
    expect(curl?.text).toContain("it'\\''s");
    expect(python?.text).toContain(JSON.stringify(name));
  });
});
