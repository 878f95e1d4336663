import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseNext, fairOrder, WEIGHTS, type FlowView } from '../../../engine/access/fairness/fair-order.ts';
import { chooseRefused } from '../../../engine/access/fairness/overflow.ts';

let nextId = 0;
const waiting = (count: number, sequences = 1) => Array.from({ length: count }, () => ({ id: ++nextId, sequences }));
const flow = (changes: Partial<FlowView> = {}): FlowView => ({
  name: 'a',
  weight: 1,
  served: 0,
  waiting: waiting(3),
  running: 0,
  starting: 0,
  recentPeak: 3,
  ...changes,
});

describe('fairOrder', () => {
  it('keeps every request once, and each flow’s in the order of arrival', () => {
    const flows = fc.array(fc.record({ served: fc.nat(1000), weight: fc.constantFrom(1, 2, 4), count: fc.nat(8) }), { maxLength: 5 });
    fc.assert(
      fc.property(flows, fc.nat(100), (drawn, meanRequestMs) => {
        const views = drawn.map(({ count, ...rest }, at) => flow({ ...rest, name: String(at), waiting: waiting(count) }));
        const order = fairOrder({ flows: views, meanRequestMs });
        expect(order.toSorted((a, b) => a - b)).toEqual(
          views.flatMap((view) => view.waiting.map(({ id }) => id)).toSorted((a, b) => a - b),
        );
        for (const view of views) {
          const own = view.waiting.map(({ id }) => id);
          expect(order.filter((id) => own.includes(id))).toEqual(own);
        }
      }),
    );
  });

  it('puts a newcomer before a flood, and shares by weight', () => {
    const flood = flow({ name: 'flood', served: 500, waiting: waiting(5) });
    const calm = flow({ name: 'calm', served: 500, weight: WEIGHTS.interactive, waiting: waiting(5) });
    const order = fairOrder({ flows: [flood, calm], meanRequestMs: 100 });
    const calmIds = calm.waiting.map(({ id }) => id);
    // Tags 500, 600, 700 … against 500, 525, 550, 575, 600.
    expect(order.slice(1, 5).filter((id) => calmIds.includes(id))).toHaveLength(4);
  });
});

describe('chooseNext', () => {
  const pick = (flows: readonly FlowView[], slots = 8) => chooseNext({ flows, slots, meanRequestMs: 10 })?.flow ?? null;

  it('takes the flow that was served least', () => {
    expect(pick([flow({ served: 5 }), flow({ name: 'b', served: 4 })])).toBe('b');
    expect(pick([flow({ waiting: [] }), flow({ name: 'b', served: 9 })])).toBe('b');
    expect(pick([flow({ waiting: [] })])).toBeNull();
  });

  it('gives a flow that is alone all slots, and a few places behind them', () => {
    expect(pick([flow({ running: 8, starting: 4 })])).toBe('a');
    expect(pick([flow({ running: 9, starting: 4 })])).toBeNull();
  });

  it('keeps slots free for those who needed them lately, up to their share', () => {
    const gone = flow({ name: 'b', waiting: [], recentPeak: 2 });
    expect(pick([flow({ running: 5 }), gone])).toBe('a');
    expect(pick([flow({ running: 6 }), gone])).toBeNull();
    const many = flow({ name: 'b', waiting: [], recentPeak: 100 });
    expect(pick([flow({ running: 3 }), many])).toBe('a');
    expect(pick([flow({ running: 4 }), many])).toBeNull();
    expect(pick([flow({ running: 4 }), { ...many, weight: 4 }])).toBeNull();
  });

  it('lets one prompt of a flow at a time into the model’s process while others are about', () => {
    const other = flow({ name: 'b', waiting: [], recentPeak: 1 });
    expect(pick([flow({ running: 1, starting: 1 }), other])).toBeNull();
    expect(pick([flow({ running: 1, starting: 0 }), other])).toBe('a');
  });

  it('runs a request that is larger than all slots once nothing else runs', () => {
    expect(pick([flow({ waiting: waiting(1, 20) })])).toBe('a');
    expect(pick([flow({ waiting: waiting(1, 20) }), flow({ name: 'b', waiting: [], running: 1 })])).toBeNull();
  });

  it('always finds somebody when nothing runs and somebody waits', () => {
    const flows = fc.array(fc.record({ served: fc.nat(50), weight: fc.constantFrom(1, 2, 4), count: fc.nat(3), recentPeak: fc.nat(30) }), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(flows, fc.integer({ min: 1, max: 16 }), (drawn, slots) => {
        const views = drawn.map(({ count, ...rest }, at) => flow({ ...rest, name: String(at), waiting: waiting(count) }));
        expect(pick(views, slots) === null).toBe(views.every((view) => view.waiting.length === 0));
      }),
    );
  });
});

describe('chooseRefused', () => {
  const share = (name: string, weight: number, count: number) => ({ name, weight, waiting: count });

  it.each([
    ['the newcomer, when it is alone', share('a', 2, 9), [share('a', 2, 9)], null],
    ['batch before others', share('a', 2, 0), [share('b', 4, 3), share('c', 1, 1)], 'c'],
    ['a newcomer that holds as much for its weight', share('a', 1, 0), [share('b', 2, 2)], null],
    ['whoever holds most of the queue', share('a', 2, 1), [share('a', 2, 1), share('b', 2, 8)], 'b'],
    ['a flood, whatever its priority', share('a', 1, 0), [share('b', 4, 500)], 'b'],
    ['the newcomer, when others hold one more', share('a', 2, 4), [share('a', 2, 4), share('b', 2, 5)], null],
  ])('%s', (_, newcomer, others, refused) => {
    expect(chooseRefused(newcomer, others)).toBe(refused);
  });
});
