// The thread that asks systeminformation; Linux answers too, so that the path is real here.
import { afterEach, expect, test } from 'vitest';
import { systemSources, SystemThread } from '../../../engine/ledger/devices/system.ts';

const never = new AbortController().signal;
const open: SystemThread[] = [];
afterEach(() => open.splice(0).forEach((thread) => thread.close()));

function start(): SystemThread {
  const thread = new SystemThread();
  open.push(thread);
  return thread;
}

test('memory and temperature come in the shape of facts, one question after the other', async () => {
  const { memory, temperature } = systemSources(start());
  const [used, heat] = await Promise.all([memory.read(never), temperature.read(never)]);
  expect(used?.memoryUsedBytes).toBeGreaterThan(0);
  expect(used?.memoryUsedBytes).toBeLessThan(used?.memoryTotalBytes ?? 0);
  expect(heat?.temperature).toMatchObject({ basis: 'the system’s thermal sensor' });
});

test('a question that is given up ends the thread, and the next one has a new thread', async () => {
  const thread = start();
  const abort = new AbortController();
  const asked = thread.ask('memory', abort.signal);
  const refused = expect(asked).rejects.toThrow();
  setImmediate(() => abort.abort());
  await refused;
  await expect(thread.ask('memory', never)).resolves.toHaveProperty('memoryTotalBytes');
});
