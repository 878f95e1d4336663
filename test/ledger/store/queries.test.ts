// What the store answers from rolled-up rows is what the in-memory ledger computes from the records themselves.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEVICE_SERIES, SERIES, type CostGroup, type RequestFilter, type SeriesName, type TimeRange } from '../../../engine/contract.ts';
import type { RequestQuery, RequestRecord, Sample } from '../../../engine/ledger/ledger.ts';
import { RELATIVE_ERROR } from '../../../engine/ledger/store/histogram.ts';
import { FakeLedger } from '../../fakes/ledger.ts';
import { StoreFixture } from './files.ts';
import { anyRequest, anySample, aRequest, aSample, SOME_MS } from './records.ts';

const HOUR_MS = 3_600_000;
const requests = fc.array(anyRequest, { maxLength: 30 });
const samples = fc.array(anySample, { maxLength: 30 });
const range: fc.Arbitrary<TimeRange> = fc
  .tuple(fc.integer({ min: -3 * HOUR_MS, max: 50 * HOUR_MS }), fc.integer({ min: 1, max: 40 * HOUR_MS }))
  .map(([from, length]) => ({ fromMs: SOME_MS + from, toMs: SOME_MS + from + length }));
const RUNS = { numRuns: 20 };

function filled(records: readonly RequestRecord[], sampled: readonly Sample[], batches: number) {
  const store = new StoreFixture();
  const fake = new FakeLedger();
  for (let at = 0; at < batches; at++) {
    const mine = <T>(list: readonly T[]): readonly T[] => list.filter((_, index) => index % batches === at);
    expect(store.write({ requests: mine(records), samples: mine(sampled) })).toMatchObject({ kind: 'done' });
  }
  for (const record of records) fake.record(record);
  for (const sample of sampled) fake.sample(sample);
  return { store, fake, [Symbol.dispose]: () => store[Symbol.dispose]() };
}

describe('series', () => {
  const names: readonly SeriesName[] = [...SERIES, ...DEVICE_SERIES];

  it.each(['all', 'smol', 'cpu'])('of %s are what the records give, at every step', (of) => {
    const steps = fc.constantFrom(60_000, 3_600_000, 86_400_000);
    fc.assert(
      fc.property(requests, samples, steps, fc.integer({ min: 1, max: 4 }), (records, sampled, stepMs, batches) => {
        using both = filled(records, sampled, batches);
        const { store, fake } = both;
        const around = { fromMs: SOME_MS + 12 * HOUR_MS, toMs: SOME_MS + 12 * HOUR_MS + Math.min(48 * HOUR_MS, 900 * stepMs) };
        const query = { range: around, stepMs, names, of } as const;
        const [answer, expected] = [store.read<'series'>({ kind: 'series', query }), fake.seriesNow(query)];
        expect(answer.atMs).toEqual(expected.atMs);
        for (const name of names) expectClose(name, answer.values[name] ?? [], expected.values[name] ?? []);
      }),
      RUNS,
    );
  });

  it('are there for the second that has just been written', () => {
    using store = new StoreFixture();
    store.write({ requests: [aRequest()], samples: [aSample()] });
    const query = {
      range: { fromMs: SOME_MS - 60_000, toMs: SOME_MS + 1_000 },
      stepMs: null,
      names: ['requests', 'tokensPerSecond'],
      of: 'all',
    } as const;
    const { stepMs, values } = store.read<'series'>({ kind: 'series', query });
    expect(stepMs).toBe(1_000);
    expect(values.requests?.at(-1)).toBe(1);
    expect(values.tokensPerSecond?.at(-1)).toBe(100);
    expect(values.requests?.at(-2)).toBeNull();
  });

  it.each([
    ['an empty range', { fromMs: 5, toMs: 5 }, null],
    ['a range of no numbers', { fromMs: Number.NaN, toMs: 5 }, null],
    ['more than 1,500 points', { fromMs: 0, toMs: 1_501_000 }, 1_000],
  ] as const)('are refused for %s', (_name, bad, stepMs) => {
    using store = new StoreFixture();
    expect(() => store.read<'series'>({ kind: 'series', query: { range: bad, stepMs, names: [], of: 'all' } })).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    );
  });
});

/** Percentiles within the error of a histogram, everything else but for rounding. */
function expectClose(name: SeriesName, answer: readonly (number | null)[], expected: readonly (number | null)[]): void {
  const tolerance = /P\d\dMs$/.test(name) ? RELATIVE_ERROR : 1e-9;
  answer.forEach((value, at) => {
    const other = expected[at] ?? null;
    if (value === null || other === null) expect(value, `${name} at ${at}`).toBe(other);
    else
      expect(Math.abs(value - other), `${name} at ${at}: ${value}, ${other}`).toBeLessThanOrEqual(
        Math.abs(other) * tolerance + 0.01 * Number(tolerance > 1e-3) + 1e-9,
      );
  });
}

describe('costs', () => {
  it('add up to what the records cost, over any range and by any group', () => {
    fc.assert(
      fc.property(
        requests,
        samples,
        range,
        fc.constantFrom<CostGroup[]>('model', 'key', 'endpoint', 'day'),
        (records, sampled, over, by) => {
          using both = filled(records, sampled, 3);
          const { store, fake } = both;
          const totals = store.read<'costs'>({ kind: 'costs', range: over, by });
          const expected = fake.costsNow({ fromMs: over.fromMs, toMs: over.toMs }, by);
          const sortedRows = <T extends { readonly group: string }>(rows: readonly T[]) =>
            rows.toSorted((a, b) => (a.group < b.group ? -1 : 1));
          expect(sortedRows(totals.rows).map(({ group, requests: count }) => [group, count])).toEqual(
            sortedRows(expected.rows).map(({ group, requests: count }) => [group, count]),
          );
          const sum = (
            name: 'energyUsd' | 'hardwareUsd' | 'upstreamUsd' | 'premiumUsd' | 'promptTokens' | 'completionTokens' | 'deviceSeconds',
          ) => totals.rows.reduce((total, row) => total + row[name], 0);
          for (const name of [
            'energyUsd',
            'hardwareUsd',
            'upstreamUsd',
            'premiumUsd',
            'promptTokens',
            'completionTokens',
            'deviceSeconds',
          ] as const)
            expect(sum(name), name).toBeCloseTo(expected.total[name], 8);
        },
      ),
      RUNS,
    );
  });

  it('have the idle cost of whole seconds', () => {
    fc.assert(
      fc.property(samples, range, (sampled, over) => {
        using both = filled([], sampled, 2);
        const { store, fake } = both;
        const seconds = { fromMs: Math.floor(over.fromMs / 1000) * 1000, toMs: Math.ceil(over.toMs / 1000) * 1000 };
        expect(store.read<'costs'>({ kind: 'costs', range: seconds, by: 'model' }).idleUsd).toBeCloseTo(
          fake.costsNow(seconds, 'model').total.idleUsd,
          8,
        );
      }),
      RUNS,
    );
  });
});

describe('requests', () => {
  const filter: fc.Arbitrary<RequestFilter> = fc.record(
    {
      model: fc.constantFrom('smol', 'large', 'unheard-of'),
      tenant: fc.constantFrom('ops', 'lab'),
      endpoint: fc.constant('/v1/embeddings'),
      outcome: fc.constantFrom('ok', 'error'),
      minTotalMs: fc.integer({ min: 0, max: 60_000 }),
      search: fc.constantFrom('a', '0', '-', 'req_', 'smo', 'queue'),
    },
    { requiredKeys: [] },
  );

  it('come in pages that list every match exactly once, in order, and count them all', () => {
    const limit = fc.integer({ min: 1, max: 7 });
    const order = fc.constantFrom('newest', 'slowest', 'costliest');
    fc.assert(
      fc.property(requests, range, filter, fc.record({ order, limit }), (records, over, wanted, page) => {
        using both = filled(records, [], 2);
        const { store, fake } = both;
        const expected = fake.requestsNow({ range: over, filter: wanted, order: page.order, limit: 500, cursor: null });
        const ids: string[] = [];
        let cursor: string | null = null;
        do {
          const query: RequestQuery = { range: over, filter: wanted, cursor, ...page };
          const answer = store.read<'requests'>({ kind: 'requests', query });
          expect(answer.total).toBe(expected.total);
          expect(answer.rows.length).toBeLessThanOrEqual(page.limit);
          ids.push(...answer.rows.map(({ requestId }) => requestId));
          ({ cursor } = answer);
        } while (cursor !== null);
        expect(ids.toSorted()).toEqual(expected.rows.map(({ requestId }) => requestId).toSorted());
        expect(new Set(ids).size).toBe(new Set(expected.rows.map(({ requestId }) => requestId)).size);
      }),
      RUNS,
    );
  });

  it('are found by any part of their id, our own and those that clients brought, in any range', () => {
    const own = fc.uuid().map((uuid) => `req_${uuid}`);
    const brought = fc.stringMatching(/^(req_)?[0-9a-fA-F]{1,12}$/);
    const placed = fc.record({ requestId: fc.oneof({ weight: 3, arbitrary: own }, brought), hours: fc.nat(48) });
    const part = fc.record({ of: fc.nat(), from: fc.nat(40), length: fc.integer({ min: 1, max: 40 }) });
    const hours = fc.tuple(fc.nat(48), fc.nat(48));
    const plain = (text: string): string => text.toLowerCase().replaceAll('-', '');
    fc.assert(
      fc.property(fc.array(placed, { minLength: 1, maxLength: 40 }), part, hours, (all, { of, from, length }, ends) => {
        using store = new StoreFixture();
        store.write({ requests: all.map(({ requestId, hours: at }) => aRequest({ requestId, atMs: SOME_MS + at * HOUR_MS, totalMs: 1 })) });
        const id = all[of % all.length]?.requestId ?? '';
        const search = id.slice(from % id.length, (from % id.length) + length);
        // A dash alone, or the name of the model and of errors, means something else.
        fc.pre(/[0-9a-f]/i.test(search));
        const [first, last] = [Math.min(...ends), Math.max(...ends)];
        const over = { fromMs: SOME_MS + first * HOUR_MS, toMs: SOME_MS + last * HOUR_MS + 1_000 };
        const matches = all.filter(
          ({ requestId, hours: at }) =>
            at >= first &&
            at <= last &&
            (/^req_[0-9a-f]{8}-/.test(requestId)
              ? plain(requestId).includes(plain(search))
              : requestId.toLowerCase().includes(search.toLowerCase())),
        );
        const query: RequestQuery = { range: over, filter: { search }, order: 'newest', limit: 100, cursor: null };
        const answer = store.read<'requests'>({ kind: 'requests', query });
        expect(answer.rows.map(({ requestId }) => requestId).toSorted()).toEqual(matches.map(({ requestId }) => requestId).toSorted());
        expect(answer.total).toBe(matches.length);
      }),
      { numRuns: 60 },
    );
  });

  it('are sorted by what was asked', () => {
    using store = new StoreFixture();
    const cheapAndSlow = aRequest({ requestId: 'slow', totalMs: 9_000, energyUsd: 1e-6 });
    const dearAndFast = aRequest({ requestId: 'dear', totalMs: 90, energyUsd: 1 });
    store.write({ requests: [dearAndFast, cheapAndSlow] });
    const first = (order: 'newest' | 'slowest' | 'costliest') =>
      store.read<'requests'>({
        kind: 'requests',
        query: { range: { fromMs: SOME_MS, toMs: SOME_MS + HOUR_MS }, filter: {}, order, limit: 1, cursor: null },
      }).rows[0]?.requestId;
    expect([first('newest'), first('slowest'), first('costliest')]).toEqual(['slow', 'slow', 'dear']);
  });

  it('read back as they were recorded', () => {
    fc.assert(
      fc.property(anyRequest, (record) => {
        using store = new StoreFixture();
        store.write({ requests: [record] });
        const query = {
          range: { fromMs: SOME_MS, toMs: SOME_MS + 100 * HOUR_MS },
          filter: {},
          order: 'newest',
          limit: 10,
          cursor: null,
        } as const;
        const [row] = store.read<'requests'>({ kind: 'requests', query }).rows;
        expect(row).toEqual({ ...record, rowId: row?.rowId });
        expect(store.read<'request'>({ kind: 'request', rowId: row?.rowId ?? 0 })).toEqual(row);
      }),
      RUNS,
    );
  });

  it('that end in the same ms are all kept', () => {
    using store = new StoreFixture();
    store.write({ requests: Array.from({ length: 600 }, (_, at) => aRequest({ requestId: `r${at}` })) });
    const query = { range: { fromMs: SOME_MS, toMs: SOME_MS + HOUR_MS }, filter: {}, order: 'newest', limit: 500, cursor: null } as const;
    const first = store.read<'requests'>({ kind: 'requests', query });
    const second = store.read<'requests'>({ kind: 'requests', query: { ...query, cursor: first.cursor } });
    expect(first.total).toBe(600);
    expect(new Set([...first.rows, ...second.rows].map(({ requestId }) => requestId)).size).toBe(600);
  });

  it.each([
    ['limit', { limit: 0, cursor: null }],
    ['limit', { limit: 501, cursor: null }],
    ['cursor', { limit: 5, cursor: "1:1' OR 1" }],
  ])('are refused for a %s outside its limits', (param, part) => {
    using store = new StoreFixture();
    const query = { range: { fromMs: 0, toMs: 5 }, filter: {}, order: 'newest', ...part } as const;
    expect(() => store.read<'requests'>({ kind: 'requests', query })).toThrow(expect.objectContaining({ code: 'invalid_request', param }));
  });

  it('with figures that are no numbers do not stop the others', () => {
    using store = new StoreFixture();
    const odd = aRequest({ deviceMs: Number.NaN, ttftMs: Number.POSITIVE_INFINITY, promptTokens: Number.NaN });
    expect(store.write({ requests: [odd, aRequest()] })).toMatchObject({ kind: 'done' });
  });

  it('with ever new names leave room for those that matter', () => {
    using store = new StoreFixture();
    const flood = (from: number) => Array.from({ length: 3_000 }, (_, at) => aRequest({ modelAsked: `made-up-${from + at}`, model: null }));
    for (const from of [0, 3_000]) store.write({ requests: flood(from) });
    store.write({ requests: [aRequest({ tenant: 'newcomer', modelAsked: 'made-up-last', atMs: SOME_MS + HOUR_MS })] });
    const query = { range: { fromMs: SOME_MS, toMs: SOME_MS + 3 * HOUR_MS }, filter: {}, order: 'newest', limit: 1, cursor: null } as const;
    expect(store.read<'requests'>({ kind: 'requests', query }).rows[0]).toMatchObject({ tenant: 'newcomer', modelAsked: 'made-up-last' });
    expect(store.db.prepare('SELECT count(*) FROM words').pluck().get()).toBeLessThan(5_100);
  });
});
