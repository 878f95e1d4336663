// Runs of an ordinary ONNX model: whoever waits together runs together where that is allowed, each gets its own rows, and nothing is lost.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../engine/errors.ts';
import { valuesOf, type Tensor } from '../../../engine/models/infer/tensors.ts';
import type { FromRunner } from '../../../engine/runner/protocol.ts';
import { InferRunner } from '../../../engine/runner/infer/infer-runner.ts';
import { planInferRun, rowsOf } from '../../../engine/runner/infer/plan-run.ts';

function row(values: readonly number[], width = 1): Tensor {
  return { name: 'x', datatype: 'FP32', shape: [values.length / width, width], bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

/** Doubles; a negative value is a fault of the whole run. */
class DoublingSession {
  readonly runs: number[] = [];
  run(inputs: readonly Tensor[]): Promise<readonly Tensor[]> {
    const [input] = inputs;
    if (input === undefined) throw new Error('No input.');
    this.runs.push(input.shape[0] ?? 0);
    const values = Float32Array.from(Array.from(valuesOf(input), Number));
    if (values.some((value) => value < 0)) return Promise.reject(new EngineError('invalid_request', 'negative', { param: 'inputs' }));
    return Promise.resolve([{ ...input, name: 'y', bytes: new Uint8Array(values.map((value) => value * 2).buffer) }]);
  }
  dispose(): void {}
}

function started(limits = { maxRows: 8, canShare: true }) {
  const sent: FromRunner[] = [];
  const session = new DoublingSession();
  const clock = { nowMs: 0 };
  let drained = false;
  const port = { send: (message: FromRunner) => void sent.push(message), drained: () => void (drained = true) };
  const runner = new InferRunner({ session, limits, maxRequests: 50, now: () => clock.nowMs }, port);
  const ask = (id: number, values: readonly number[], extra: { caller?: string; deadlineMs?: number; width?: number } = {}): void =>
    runner.handle({
      kind: 'infer',
      id,
      inputs: [row(values, extra.width)],
      outputs: ['y'],
      params: { caller: extra.caller ?? 'a', deadlineMs: extra.deadlineMs ?? 1000 },
    });
  const answers = (): ReadonlyMap<number, readonly number[]> =>
    new Map(
      sent.flatMap((one) => (one.kind === 'inferred' ? [[one.id, one.outputs.flatMap((y) => Array.from(valuesOf(y), Number))]] : [])),
    );
  const errors = (): ReadonlyMap<number, string> =>
    new Map(
      sent.flatMap((one) => (one.kind === 'events' ? one.events.flatMap((e) => (e.kind === 'error' ? [[e.id, e.error.code]] : [])) : [])),
    );
  return { runner, session, clock, sent, ask, answers, errors, isDrained: () => drained };
}

const idle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('requests that wait together', () => {
  it('share a run, and each gets its own rows', async () => {
    const { ask, answers, session, runner } = started();
    for (let id = 0; id < 5; id++) ask(id, [id, id + 10]);
    await idle();
    expect(session.runs).toEqual([2, 8]);
    expect([...answers()]).toEqual([0, 1, 2, 3, 4].map((id) => [id, [id * 2, (id + 10) * 2]]));
    runner.dispose();
  });

  it('run alone where rows see each other, and where their sizes differ', async () => {
    const alone = started({ maxRows: 1, canShare: false });
    for (let id = 0; id < 3; id++) alone.ask(id, [1, 2]);
    await idle();
    expect(alone.session.runs).toEqual([2, 2, 2]);
    const mixed = started();
    mixed.ask(0, [1]);
    mixed.ask(1, [1, 2], { width: 2 });
    mixed.ask(2, [1]);
    mixed.ask(3, [1, 2], { width: 2 });
    await idle();
    expect(mixed.session.runs).toEqual([1, 2, 1]);
    expect(mixed.answers().size).toBe(4);
    alone.runner.dispose();
    mixed.runner.dispose();
  });

  it('do not fail with one among them', async () => {
    const { ask, answers, errors, runner } = started();
    ask(0, [1]);
    ask(1, [2]);
    ask(2, [-1]);
    ask(3, [3]);
    await idle();
    expect([...errors()]).toEqual([[2, 'invalid_request']]);
    expect([...answers().keys()].toSorted((a, b) => a - b)).toEqual([0, 1, 3]);
    runner.dispose();
  });

  it('are refused past their deadline, and forgotten when their client has gone', async () => {
    const { ask, answers, errors, sent, runner, clock } = started();
    ask(0, [1]);
    ask(1, [2], { deadlineMs: 5 });
    ask(2, [3]);
    runner.handle({ kind: 'cancel', id: 2 });
    clock.nowMs = 10;
    await idle();
    expect([...errors()]).toEqual([[1, 'deadline_exceeded']]);
    expect([...answers().keys()]).toEqual([0]);
    expect(sent).toContainEqual({ kind: 'charges', charges: [], settled: [2] });
    runner.dispose();
  });

  it('are all answered before the process ends', async () => {
    const { ask, answers, errors, runner, isDrained } = started();
    ask(0, [1]);
    ask(1, [2]);
    runner.handle({ kind: 'drain' });
    ask(2, [3]);
    expect(isDrained()).toBe(false);
    await idle();
    expect([...answers().keys()]).toEqual([0, 1]);
    expect([...errors()]).toEqual([[2, 'draining']]);
    expect(isDrained()).toBe(true);
    runner.dispose();
  });
});

describe('the plan of a run', () => {
  it('loses and repeats nobody, keeps the limit, and takes callers in turn', () => {
    const request = fc.record({
      caller: fc.constantFrom('a', 'b', 'c'),
      rows: fc.integer({ min: 1, max: 6 }),
      width: fc.constantFrom(1, 2),
    });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 20 }), fc.integer({ min: 1, max: 8 }), fc.boolean(), (asked, maxRows, canShare) => {
        let waiting = asked.map(({ caller, rows, width }, id) => {
          const inputs = [{ name: 'x', datatype: 'FP32' as const, shape: [rows, width] }];
          return { id, caller, deadlineAtMs: id % 7 === 6 ? 0 : 10, inputs, outputs: ['y'] };
        });
        const seen: number[] = [];
        while (waiting.length > 0) {
          const { expired, chosen } = planInferRun(waiting, 5, { maxRows, canShare });
          const first = chosen[0];
          expect(expired.length + chosen.length).toBeGreaterThan(0);
          if (chosen.length > 1) expect(chosen.reduce((sum, one) => sum + rowsOf(one), 0)).toBeLessThanOrEqual(maxRows);
          if (!canShare) expect(chosen.length).toBeLessThanOrEqual(1);
          expect(new Set(chosen.map(({ inputs }) => inputs[0]?.shape[1])).size).toBeLessThanOrEqual(1);
          // Whoever came first among all callers' first ones goes first.
          if (first !== undefined) expect(waiting.find(({ deadlineAtMs }) => deadlineAtMs > 5)).toBe(first);
          seen.push(...expired.map(({ id }) => id), ...chosen.map(({ id }) => id));
          waiting = waiting.filter((one) => !expired.includes(one) && !chosen.includes(one));
        }
        expect(seen.toSorted((a, b) => a - b)).toEqual(asked.map((_, id) => id));
      }),
    );
  });

  it('lets one caller of many requests not push out another of one', () => {
    const of = (id: number, caller: string) => ({
      id,
      caller,
      deadlineAtMs: 10,
      inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [1, 1] }],
      outputs: ['y'],
    });
    const { chosen } = planInferRun([of(0, 'a'), of(1, 'a'), of(2, 'a'), of(3, 'b')], 0, { maxRows: 2, canShare: true });
    expect(chosen.map(({ id }) => id)).toEqual([0, 3]);
  });
});
