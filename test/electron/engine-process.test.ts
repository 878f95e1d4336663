import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { EngineProcess, type EngineState } from '../../electron/engine-process.ts';
import { appPaths } from '../../electron/paths.ts';
import { restartDelayMs } from '../../electron/restart-delay.ts';
import { FakeClock, FakeElectron } from './fake-electron.ts';

describe('restartDelayMs', () => {
  it('starts again at once, then waits longer, and forgets after ten minutes', () => {
    const now = 10_000_000;
    expect(restartDelayMs([now], now)).toBe(0);
    expect(restartDelayMs([now - 1_000, now], now)).toBe(500);
    expect(restartDelayMs([now - 2_000, now - 1_000, now], now)).toBe(1_000);
    expect(
      restartDelayMs(
        Array.from({ length: 30 }, () => now),
        now,
      ),
    ).toBe(30_000);
    expect(restartDelayMs([now - 600_000, now], now)).toBe(0);
  });

  it('stays within its bounds for any past, also after a clock that was set back', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2_000_000 })), fc.integer({ min: 0, max: 2_000_000 }), (ends, now) => {
        const delayMs = restartDelayMs(ends, now);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(30_000);
      }),
    );
  });
});

describe('EngineProcess', () => {
  let electron: FakeElectron;
  let clock: FakeClock;
  let states: EngineState[];
  let output: string;
  let notices: string[];
  let engine: EngineProcess;

  beforeEach(() => {
    electron = new FakeElectron();
    clock = new FakeClock();
    states = [];
    output = '';
    notices = [];
    engine = new EngineProcess({
      electron: electron.api,
      paths: appPaths('/app'),
      clock,
      onOutput: (text) => (output += text),
      onState: (state) => states.push(state),
      onNotice: ({ title }) => notices.push(title),
    });
  });

  it('starts the engine once, and tells where it listens', () => {
    engine.start();
    engine.start();
    expect(electron.processes).toHaveLength(1);
    expect(electron.latest.entry).toBe('/app/engine/desktop/main.ts');
    electron.latest.stderr.emit('data', Buffer.from('a line\n'));
    expect(output).toBe('a line\n');
    electron.latest.say({ kind: 'notice', title: 'Too hot', body: '' });
    expect(notices).toEqual(['Too hot']);
    electron.latest.say({ kind: 'listening', url: 'http://127.0.0.1:11711' });
    expect(states).toEqual([{ kind: 'starting' }, { kind: 'serving', url: 'http://127.0.0.1:11711', isOurs: true }]);
  });

  it('starts it again when it dies: at once, then later and later', () => {
    engine.start();
    const delays: number[] = [];
    for (let death = 0; death < 5; death += 1) {
      electron.latest.emit('exit', 139);
      const { state } = engine;
      if (state.kind !== 'waiting') throw new Error(`It is ${state.kind}.`);
      expect(state.reason).toBe('The engine ended unexpectedly with exit code 139.');
      delays.push(state.retryAtMs - clock.nowMs);
      clock.advance(state.retryAtMs - clock.nowMs);
      expect(engine.state.kind).toBe('starting');
    }
    expect(delays).toEqual([0, 500, 1_000, 2_000, 4_000]);
    expect(electron.processes).toHaveLength(6);
  });

  it('can be started by hand while it waits, once', () => {
    engine.start();
    electron.latest.emit('exit', 1);
    clock.advance(0);
    electron.latest.emit('exit', 1);
    engine.start();
    clock.advance(60_000);
    expect(electron.processes).toHaveLength(3);
  });

  it('says why an engine could not start', () => {
    engine.start();
    electron.latest.say({ kind: 'failed', reason: 'Port 11711 is taken.' });
    expect(electron.latest.isKilled).toBe(true);
    electron.latest.emit('exit', 0);
    expect(engine.state).toMatchObject({ kind: 'waiting', reason: 'Port 11711 is taken.' });
  });

  it('uses an engine that another process runs, and starts its own when that has gone', () => {
    engine.start();
    electron.latest.say({ kind: 'elsewhere', url: 'http://127.0.0.1:9' });
    electron.latest.emit('exit', 0);
    expect(engine.state).toEqual({ kind: 'serving', url: 'http://127.0.0.1:9', isOurs: false });
    engine.lost();
    clock.advance(0);
    expect(electron.processes).toHaveLength(2);
    electron.latest.say({ kind: 'listening', url: 'http://127.0.0.1:10' });
    engine.lost();
    expect(engine.state).toEqual({ kind: 'serving', url: 'http://127.0.0.1:10', isOurs: true });
    expect(electron.processes).toHaveLength(2);
  });

  it('starts runners and pulls for the engine, each with a port to it', () => {
    engine.start();
    const core = electron.latest;
    core.say({ kind: 'start', id: 1, program: 'runner', args: [] });
    const runner = electron.latest;
    expect(runner.entry).toBe('/app/engine/runner/main.ts');
    expect(runner.options).toMatchObject({ allowLoadingUnsignedLibraries: true, stdio: 'pipe' });
    runner.emit('spawn');
    const [toRunner] = runner.sent;
    const [toEngine] = core.sent;
    expect(toRunner?.message).toEqual({ kind: 'port' });
    expect(toRunner?.ports).toHaveLength(1);
    expect(toEngine?.message).toEqual({ kind: 'started', id: 1, pid: 4711 });
    expect(toEngine?.ports).toHaveLength(1);
    expect(toEngine?.ports[0]).not.toBe(toRunner?.ports[0]);
    runner.stderr.emit('data', Buffer.from('oh'));
    runner.emit('exit', 7);
    expect(core.sent).toHaveLength(2);
    clock.advance(200);
    expect(core.sent.slice(1).map(({ message }) => message)).toEqual([
      { kind: 'output', id: 1, stream: 'stderr', text: 'oh' },
      { kind: 'exited', id: 1, code: 7 },
    ]);
    core.say({ kind: 'start', id: 2, program: 'pull', args: ['--json', '--', 'a model'] });
    expect(electron.latest).toMatchObject({ entry: '/app/engine/desktop/pull.ts', args: ['--json', '--', 'a model'] });
    core.say({ kind: 'kill', id: 2 });
    core.say({ kind: 'kill', id: 99 });
    expect(electron.latest.isKilled).toBe(true);
  });

  it('ends the runners of an engine that has died', () => {
    engine.start();
    const core = electron.latest;
    core.say({ kind: 'start', id: 1, program: 'runner', args: [] });
    const runner = electron.latest;
    core.emit('exit', 1);
    expect(runner.isKilled).toBe(true);
  });

  it('drains on stop, kills what does not end, and starts nothing after that', async () => {
    engine.start();
    const stopped = engine.stop(10_000);
    expect(electron.latest.sent.map(({ message }) => message)).toEqual([{ kind: 'close', drainMs: 10_000 }]);
    clock.advance(14_999);
    expect(electron.latest.isKilled).toBe(false);
    clock.advance(1);
    expect(electron.latest.isKilled).toBe(true);
    electron.latest.emit('exit', 0);
    await stopped;
    expect(engine.state).toEqual({ kind: 'stopped' });
    expect(clock.timers).toEqual([]);
    engine.start();
    expect(electron.processes).toHaveLength(1);
  });

  it('stops while it waits for a new try', async () => {
    engine.start();
    electron.latest.emit('exit', 1);
    await engine.stop(0);
    clock.advance(60_000);
    expect(electron.processes).toHaveLength(1);
    expect(engine.state).toEqual({ kind: 'stopped' });
  });
});
