// Encode requests through the fleet: rows gathered in order, one retry when the process dies, cancellation, refusals.
import { afterEach, describe, expect, test } from 'vitest';
import type { EncodeRequest } from '../../engine/fleet/host.ts';
import { encodeJob } from '../../engine/fleet/encode-job.ts';
import { pidOf, startFleet, type TestFleet } from './fleet-setup.ts';

const running: TestFleet[] = [];
afterEach(async () => {
  for (const fleet of running.splice(0)) await fleet.end();
});

async function start(...ids: readonly string[]): Promise<TestFleet> {
  const started = await startFleet(ids, { maxRequests: 3 });
  running.push(started);
  return started;
}

const never = new AbortController().signal;

function encodeRequest(model: string, texts: readonly string[]): EncodeRequest {
  const inputs = texts.map((text) => ({ kind: 'text', text }) as const);
  return { model, inputs, params: { truncate: false, caller: 'test', deadlineMs: 10_000 } };
}

describe('an encode request', () => {
  test('gathers the rows of its batches in the order of its inputs', async () => {
    const { fleet } = await start('works');
    const encoding = await fleet.encode(encodeRequest('works', ['abc', 'a', 'ab']), never);
    expect(encoding.width).toBe(2);
    expect([...encoding.tokens]).toEqual([3, 1, 2]);
    expect([0, 2, 4].map((at) => encoding.values[at])).toEqual([3, 1, 2]);
  });

  test('is refused for a model that is not there', async () => {
    const { fleet } = await start('works');
    await expect(fleet.encode(encodeRequest('missing', ['a']), never)).rejects.toMatchObject({ code: 'model_not_found' });
  });

  test('runs once more when its process dies in the middle of a list, and ends with a typed error the second time', async () => {
    const { fleet } = await start('works');
    await fleet.preload('works');
    const before = pidOf(fleet, 'works');
    await expect(fleet.encode(encodeRequest('works', ['abc', 'die', 'ab']), never)).rejects.toMatchObject({ code: 'runner_died' });
    const after = await fleet.encode(encodeRequest('works', ['a']), never);
    // Two deaths: the request's first run and its second.
    expect(after.values[1]).not.toBe(before);
  });

  test('is completed by the new process when the old one died without a fault of its own', async () => {
    const { fleet } = await start('goes-silent', 'works');
    await fleet.preload('works');
    const pid = pidOf(fleet, 'works');
    const answer = fleet.encode(encodeRequest('works', ['abc']), never);
    process.kill(pid, 'SIGKILL');
    const { values, tokens } = await answer;
    expect([...tokens]).toEqual([3]);
    expect([pid, pidOf(fleet, 'works')]).toContain(values[1]);
  });

  test('ends at once when its caller leaves, and makes room for others', async () => {
    const { fleet } = await start('goes-silent');
    await fleet.preload('goes-silent');
    const leaving = new AbortController();
    const reason = new Error('gone');
    const asked = Array.from({ length: 3 }, () => fleet.encode(encodeRequest('goes-silent', ['a']), leaving.signal));
    const refused = fleet.encode(encodeRequest('goes-silent', ['a']), never);
    await expect(refused).rejects.toMatchObject({ code: 'queue_full', retryAfterSeconds: expect.any(Number) });
    leaving.abort(reason);
    for (const one of asked) await expect(one).rejects.toBe(reason);
    await expect(fleet.encode(encodeRequest('goes-silent', ['a']), leaving.signal)).rejects.toBe(reason);
    const last = new AbortController();
    const admitted = fleet.encode(encodeRequest('goes-silent', ['a']), last.signal);
    last.abort(reason);
    await expect(admitted).rejects.toBe(reason);
  });
});

describe('the job of an encode request', () => {
  test('takes a row that comes again after a restart for the same one', async () => {
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<TestFleet['fleet']['encode']>>>();
    const job = encodeJob(7, encodeRequest('any', ['a', 'b']), { resolve, reject });
    const row = (input: number, value: number) => job.takeRow?.({ id: 7, input, tokens: 5, deviceMs: 1 }, Float32Array.of(value));
    expect([row(1, 20), row(1, 20), row(0, 10)]).toEqual([false, false, true]);
    expect(await promise).toEqual({ values: Float32Array.of(10, 20), width: 1, tokens: Int32Array.of(5, 5) });
  });
});
