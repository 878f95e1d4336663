import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { acquireLock, lockOwner, LockHeldError } from '../../engine/instance-lock.ts';

const LOCK_MODULE = join(import.meta.dirname, '../../engine/instance-lock.ts');
let folder: string;
let path: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-lock-'));
  path = join(folder, 'engine.lock');
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
  rmSync(folder, { recursive: true });
});

/** Another process that takes the lock, says `taken` or the name of its failure, and stays. */
async function otherProcess(): Promise<{ child: ChildProcess; said: string }> {
  const source = `
    import { acquireLock } from ${JSON.stringify(LOCK_MODULE)};
    try { acquireLock(${JSON.stringify(path)}); console.log('taken'); setInterval(() => {}, 1000); } catch (e) { console.log(e.name); }`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [chunk] = (await once(child.stdout ?? expect.unreachable(), 'data')) as [Buffer];
  return { child, said: chunk.toString().trim() };
}

describe('the lock of a data folder', () => {
  test('names the process that holds it and where it answers', async () => {
    const { child } = await otherProcess();
    expect(() => acquireLock(path)).toThrow(LockHeldError);
    expect(() => acquireLock(path)).toThrow(`The process ${child.pid} uses ${folder} already`);
  });

  test('is free again after a release', () => {
    const lock = acquireLock(path);
    lock.announce('http://127.0.0.1:1');
    expect(lockOwner(path)).toMatchObject({ pid: process.pid, address: 'http://127.0.0.1:1' });
    expect(() => acquireLock(path)).toThrow(/answers on http:\/\/127.0.0.1:1/);
    lock.release();
    expect(lockOwner(path)).toBeNull();
    acquireLock(path).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('of a process that was killed is taken over', async () => {
    const { child } = await otherProcess();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(lockOwner(path)).toBeNull();
    acquireLock(path);
    expect(lockOwner(path)?.pid).toBe(process.pid);
  });

  test.runIf(process.platform !== 'win32')('is taken over when its process id belongs to a later process', () => {
    acquireLock(path);
    const owner = JSON.parse(readFileSync(path, 'utf8')) as { startedAt: string };
    writeFileSync(path, JSON.stringify({ ...owner, startedAt: `${owner.startedAt}0` }));
    expect(lockOwner(path)).toBeNull();
    acquireLock(path);
    expect(readFileSync(path, 'utf8')).toContain(`"${owner.startedAt}"`);
  });

  test.each(['', '{', 'null', '[]', '{"pid":"x"}'])('that holds %j is taken over', (content) => {
    writeFileSync(path, content);
    acquireLock(path);
    expect(lockOwner(path)?.pid).toBe(process.pid);
  });

  test('goes to one of several processes that find a stale one at the same time', async () => {
    writeFileSync(path, JSON.stringify({ pid: 2 ** 22 + 1, startedAt: 'x', address: null }));
    const results = await Promise.all(Array.from({ length: 4 }, () => otherProcess()));
    expect(results.map(({ said }) => said).sort()).toEqual(['LockHeldError', 'LockHeldError', 'LockHeldError', 'taken']);
  });
});
