// When a source is read, and for how long its word holds. Time is the test's own.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DeviceSource } from '../../../engine/ledger/devices/facts.ts';
import { nextReadMs, Poll } from '../../../engine/ledger/devices/poll.ts';
import { createLog } from '../../../engine/log.ts';

const log = createLog('silent');

/** A source whose reads the test ends itself. */
class Scripted implements DeviceSource<number> {
  readonly name = 'scripted';
  readonly periodMs = 1_000;
  readonly timeoutMs = 3_000;
  readonly reads: {
    readonly signal: AbortSignal;
    readonly resolve: (value: number | null) => void;
    readonly reject: (error: Error) => void;
  }[] = [];

  read(signal: AbortSignal): Promise<number | null> {
    return new Promise((resolve, reject) => this.reads.push({ signal, resolve, reject }));
  }
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

async function answered(value: number | null): Promise<{ source: Scripted; poll: Poll<number> }> {
  const source = new Scripted();
  const poll = new Poll(source, log);
  poll.poke(0);
  source.reads[0]?.resolve(value);
  await turn();
  return { source, poll };
}

describe('a poll', () => {
  test('reads at the first poke and then once a period, ticks being a little early', async () => {
    const { source, poll } = await answered(7);
    expect(poll.latest(0)).toBe(7);
    poll.poke(500);
    expect(source.reads).toHaveLength(1);
    poll.poke(990);
    expect(source.reads).toHaveLength(2);
  });

  test('keeps the last word while a read is under way, and gives it up when it is old', async () => {
    const { poll } = await answered(7);
    poll.poke(1000);
    expect(poll.latest(4_900)).toBe(7);
    expect(poll.latest(5_100)).toBeNull();
  });

  test('gives up a read that hangs, and starts no second one beside it', async () => {
    const { source, poll } = await answered(7);
    poll.poke(1000);
    poll.poke(4100);
    expect(source.reads[1]?.signal.aborted).toBe(true);
    await poll.settled();
    poll.poke(60_000);
    expect(source.reads).toHaveLength(2);
    source.reads[1]?.resolve(8);
    await turn();
    expect(poll.latest(60_000)).toBeNull();
    poll.poke(61_000);
    expect(source.reads).toHaveLength(3);
  });

  test('asks a failing source ever less often, and as before once it answers', async () => {
    const { source, poll } = await answered(7);
    const readAt: number[] = [];
    for (let nowMs = 1000; readAt.length < 4; nowMs += 1000) {
      const before = source.reads.length;
      poll.poke(nowMs);
      if (source.reads.length === before) continue;
      readAt.push(nowMs);
      source.reads.at(-1)?.reject(new Error('no driver'));
      await turn();
    }
    expect(readAt).toEqual([1000, 3000, 7000, 15_000]);
    poll.poke(31_000);
    source.reads.at(-1)?.resolve(9);
    await turn();
    poll.poke(32_000);
    expect(source.reads).toHaveLength(7);
    expect(poll.latest(32_000)).toBe(9);
  });

  test('asks for an absent thing again after ten minutes', async () => {
    const { source, poll } = await answered(null);
    poll.poke(500_000);
    expect(source.reads).toHaveLength(1);
    poll.poke(600_000);
    expect(source.reads).toHaveLength(2);
  });

  test('never waits longer after more failures than five minutes or its period', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.nat(2_000), (periodMs, failures) => {
        const wait = nextReadMs(periodMs, failures);
        expect(wait).toBeGreaterThanOrEqual(periodMs);
        expect(wait).toBeLessThanOrEqual(Math.max(periodMs, 300_000));
      }),
    );
  });
});
