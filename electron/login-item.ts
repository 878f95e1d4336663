// Owns whether the app starts when the person logs in: the system's own setting on macOS and Windows, a file on Linux.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ElectronApi } from './electron-api.ts';

/** Started at login, the app shows no window. */
export const HIDDEN_FLAG = '--hidden';

export interface LoginItem {
  isOn(): boolean;
  set(on: boolean): Promise<void>;
}

export interface LinuxLogin {
  /** `$XDG_CONFIG_HOME` or `~/.config`. */
  readonly configDir: string;
  /** The program: an AppImage's own file, not what it mounts. */
  readonly program: string;
}

/** `linux` is null on other systems. */
export function loginItem(app: ElectronApi['app'], linux: LinuxLogin | null): LoginItem {
  if (linux !== null) return linuxLoginItem(linux);
  return {
    isOn: () => app.getLoginItemSettings({ args: [HIDDEN_FLAG] }).openAtLogin,
    set: async (on) => app.setLoginItemSettings({ openAtLogin: on, args: [HIDDEN_FLAG] }),
  };
}

/** https://specifications.freedesktop.org/autostart-spec/latest/ */
function linuxLoginItem({ configDir, program }: LinuxLogin): LoginItem {
  const path = join(configDir, 'autostart', 'millrace.desktop');
  return {
    isOn: () => existsSync(path),
    set: async (on) => {
      if (!on) return rm(path, { force: true });
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, autostartEntry(program));
    },
  };
}

/** The desktop entry that starts this program hidden. */
export function autostartEntry(program: string): string {
  const lines = ['[Desktop Entry]', 'Type=Application', 'Name=Millrace', `Exec=${quoteExec(program)} ${HIDDEN_FLAG}`, 'Terminal=false'];
  return `${lines.join('\n')}\n`;
}

/** Quoted as the Desktop Entry Specification says for Exec: reserved signs within double quotes, then the rules of a string value. */
function quoteExec(program: string): string {
  const quoted = program.replaceAll(/[\\"`$]/g, '\\$&').replaceAll('%', '%%');
  return `"${quoted.replaceAll('\\', '\\\\')}"`;
}
