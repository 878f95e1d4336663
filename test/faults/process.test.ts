// The process as the system sees it: signals, a second instance on the same folder, and what is left when it has ended.
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { isAlive } from '../cache.ts';
import { type Served, millrace, serve } from '../served.ts';
import { runnerPid } from './status.ts';
import { openStream } from './stream.ts';

let served: Served | undefined;
afterEach(async () => {
  await served?.stop('SIGKILL');
  served = undefined;
});

describe('SIGTERM', () => {
  it('lets a running stream finish, takes nothing new, and ends with its runner', { timeout: 120_000 }, async () => {
    served = await serve();
    const runner = await runnerPid(served.url);
    const stream = openStream(served.url, { prompt: 'Tell me a story.', maxTokens: 200 });
    await stream.firstText;
    const textsBefore = stream.texts();
    const ended = served.stop('SIGTERM');
    await delay(50);
    const late = await openStream(served.url, { prompt: 'Too late.', maxTokens: 2 }).ended;
    expect(late).toBeOneOf([{ kind: 'error', code: 'draining', status: 503 }, { kind: 'cut' }]);
    expect(await stream.ended).toEqual({ kind: 'done' });
    expect(stream.texts()).toBeGreaterThan(textsBefore);
    expect((await ended).code).toBe(0);
    expect(isAlive(runner)).toBe(false);
  });

  it('given twice ends at once', { timeout: 120_000 }, async () => {
    served = await serve();
    const stream = openStream(served.url, { prompt: 'Tell me a story.', maxTokens: 1500 });
    await stream.firstText;
    const ended = served.stop('SIGTERM');
    // A second signal within half a second counts as the first one passed on twice.
    await delay(700);
    process.kill(served.pid, 'SIGTERM');
    expect((await ended).code).toBe(143);
    expect((await stream.ended).kind).toBe('cut');
  });
});

describe('SIGKILL of the engine', () => {
  it('leaves no runner behind, and the folder can be served again', { timeout: 120_000 }, async () => {
    served = await serve();
    const { dataDir } = served;
    const runner = await runnerPid(served.url);
    process.kill(served.pid, 'SIGKILL');
    await expect.poll(() => isAlive(runner), { timeout: 10_000, interval: 50 }).toBe(false);
    const again = await serve({ dataDir });
    expect((await fetch(`${again.url}/health`)).status).toBe(200);
    expect((await again.stop()).code).toBe(0);
  });
});

describe('a second instance on the same data folder', () => {
  it('ends and names the process of the first, which goes on', { timeout: 120_000 }, async () => {
    served = await serve();
    const second = await millrace(['serve', '--port', '0', '--data-dir', served.dataDir]);
    expect(second.code).toBeGreaterThan(0);
    expect(second.stderr).toContain(String(served.pid));
    expect((await fetch(`${served.url}/health`)).status).toBe(200);
  });
});
