import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { forkRunnerAhead, type RunnerProcess, type RunnerSource } from '../../engine/fleet/runner-process.ts';
import type { FromRunner } from '../../engine/runner/protocol.ts';
import { FAKE_RUNNER } from './fleet-setup.ts';

interface Adopted {
  readonly process: RunnerProcess;
  readonly ready: Promise<FromRunner>;
  readonly ended: Promise<string>;
}

/** Takes a process from the source and loads a model in it. */
function adopt(source: RunnerSource): Adopted {
  const ready = Promise.withResolvers<FromRunner>();
  const ended = Promise.withResolvers<string>();
  const process = source.spawn({ onMessage: ready.resolve, onExit: ended.resolve, onOutput: () => undefined });
  const options = {
    modelDir: '/works',
    variant: 'int8',
    threads: 1,
    contextLength: null,
    slots: null,
    kvBudgetBytes: 1,
    maxWaiting: 1,
    speculation: false,
  };
  process.send({ kind: 'load', options });
  return { process, ready: ready.promise, ended: ended.promise };
}

describe('a runner process that is started ahead', () => {
  test('is the first to be used; the next is a new one', async () => {
    const source = forkRunnerAhead(FAKE_RUNNER);
    const [first, second] = [adopt(source), adopt(source)];
    expect(await first.ready).toMatchObject({ kind: 'ready', info: { pid: first.process.pid } });
    expect(await second.ready).toMatchObject({ kind: 'ready', info: { pid: second.process.pid } });
    expect(first.process.pid).not.toBe(second.process.pid);
    for (const { process } of [first, second]) process.kill();
    expect(await Promise.all([first.ended, second.ended])).toEqual(['signal SIGKILL', 'signal SIGKILL']);
  });

  test('is not ended by a discard once it is in use', async () => {
    const source = forkRunnerAhead(FAKE_RUNNER);
    const used = adopt(source);
    source.discard();
    expect(await used.ready).toMatchObject({ kind: 'ready' });
    used.process.kill();
    expect(await used.ended).toBe('signal SIGKILL');
  });

  test('is replaced when it was discarded', async () => {
    const source = forkRunnerAhead(FAKE_RUNNER);
    source.discard();
    const used = adopt(source);
    expect(await used.ready).toMatchObject({ kind: 'ready' });
    used.process.kill();
    await used.ended;
  });

  test('does not keep the process that started it alive, and ends with it', async () => {
    const source = `
      import { forkRunnerAhead } from ${JSON.stringify(new URL('../../engine/fleet/runner-process.ts', import.meta.url).href)};
      forkRunnerAhead(${JSON.stringify(FAKE_RUNNER)});`;
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', source], { stdio: ['ignore', 'ignore', 'inherit'] });
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
