// Electron's main process: hands Electron and the machine to the shell. Everything that decides something is elsewhere.
import * as electron from 'electron';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from './clock.ts';
import { openEngineLog } from './engine-log.ts';
import { loginItem } from './login-item.ts';
import { appPaths } from './paths.ts';
import { claimInstance, Shell } from './shell.ts';
import { updateFeed } from './updates.ts';

const clock: Clock = {
  now: Date.now,
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

if (claimInstance(electron, process.platform)) {
  void electron.app.whenReady().then(() => {
    const { app } = electron;
    const { platform, env } = process;
    const configDir = env.XDG_CONFIG_HOME ?? join(homedir(), '.config');
    const linux = platform === 'linux' ? { configDir, program: env.APPIMAGE ?? process.execPath } : null;
    new Shell({
      electron,
      paths: appPaths(app.getAppPath()),
      clock,
      loginItem: loginItem(app, linux),
      args: process.argv.slice(1),
      platform,
      updateFeed: updateFeed(env),
      onEngineOutput: openEngineLog(app.getPath('logs')),
    }).start();
  });
}
