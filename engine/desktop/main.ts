// The engine as the desktop app starts it, in a utility process: tells the shell where it listens, and ends when the shell says so.
import { readConfig } from '../config.ts';
import { LockHeldError } from '../instance-lock.ts';
import { createLog } from '../log.ts';
import { startEngine, type Engine } from '../main.ts';
import { Programs } from './programs.ts';
import { remotePulls } from './remote-pulls.ts';
import { remoteRunners } from './remote-runners.ts';
import { openShellPort, type ParentPort } from './shell-port.ts';

const shell = openShellPort();
const engine = start(shell);
shell.on('message', ({ data }) => {
  if (data.kind === 'close') void close(data.drainMs);
});

async function start(port: ParentPort): Promise<Engine | null> {
  try {
    const config = readConfig({}, process.env);
    const programs = new Programs(port);
    const runners = { spawn: remoteRunners(programs), discard: () => undefined };
    const started = await startEngine(config, {
      log: createLog(config.logLevel),
      runners,
      spawnPull: remotePulls(programs, config.dataDir),
      notify: ({ kind, alert: { name, sentence, remedy } }) => {
        if (kind !== 'ended') port.postMessage({ kind: 'notice', title: name, body: `${sentence} ${remedy}` });
      },
    });
    port.postMessage({ kind: 'listening', url: started.url });
    return started;
  } catch (cause) {
    if (cause instanceof LockHeldError) port.postMessage({ kind: 'elsewhere', url: cause.owner.address });
    else port.postMessage({ kind: 'failed', reason: cause instanceof Error ? cause.message : String(cause) });
    return null;
  }
}

async function close(drainMs: number): Promise<void> {
  const running = await engine;
  await running?.close(drainMs);
  process.exit(0);
}
