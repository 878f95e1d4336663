import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { autostartEntry, loginItem } from '../../electron/login-item.ts';
import { FakeElectron } from './fake-electron.ts';

describe('open at login', () => {
  it('is the system’s own setting on macOS and Windows, without a window', async () => {
    const electron = new FakeElectron();
    const item = loginItem(electron.api.app, null);
    expect(item.isOn()).toBe(false);
    await item.set(true);
    expect(item.isOn()).toBe(true);
    expect(electron.app.loginItem).toEqual({ openAtLogin: true, args: ['--hidden'] });
    await item.set(false);
    expect(item.isOn()).toBe(false);
  });

  it('is a file in the autostart folder on Linux', async () => {
    const configDir = await mkdtemp(join(tmpdir(), 'config-'));
    const item = loginItem(new FakeElectron().api.app, { configDir, program: '/opt/Millrace/millrace' });
    await item.set(false);
    expect(item.isOn()).toBe(false);
    await item.set(true);
    expect(item.isOn()).toBe(true);
    expect(await readFile(join(configDir, 'autostart', 'millrace.desktop'), 'utf8')).toContain('Exec="/opt/Millrace/millrace" --hidden\n');
    await item.set(false);
    expect(item.isOn()).toBe(false);
    await rm(configDir, { recursive: true });
  });

  it.each(['/home/a b/Millrace.AppImage', '/home/$HOME/`id`/"x"', '/home/100%/m', '/home/back\\slash/m'])(
    'quotes %s as the specification says',
    (program) => {
      const exec = /^Exec=(.*) --hidden$/m.exec(autostartEntry(program))?.[1] ?? '';
      // The string rules of the file, then the field codes; what is left is quoted as in a shell.
      const command = exec.replaceAll('\\\\', '\\').replaceAll('%%', '%');
      const shell = spawnSync('/bin/sh', ['-c', `printf %s ${command}`], { encoding: 'utf8' });
      expect(shell.stdout).toBe(program);
    },
  );
});
