// Owns the calls that come from the page: only the channels of the map exist, and only the app's own page may use them.
import type { WebFrameMain } from 'electron';
import type { ShellCalls, ShellEvents } from './channels.ts';
import type { ElectronApi } from './electron-api.ts';
import { isOwnPage } from './navigation.ts';

export type CallHandlers = {
  readonly [C in keyof ShellCalls]: (...args: ShellCalls[C]['args']) => ShellCalls[C]['result'] | Promise<ShellCalls[C]['result']>;
};

/** Answers every channel of the map. A call from another page or from a frame inside the page is refused. */
export function answerCalls(ipcMain: ElectronApi['ipcMain'], handlers: CallHandlers): void {
  for (const [channel, handler] of Object.entries(handlers) as [keyof ShellCalls, (...args: unknown[]) => unknown][]) {
    ipcMain.handle(channel, (event, ...args: unknown[]) => {
      if (!isOwnFrame(event.senderFrame)) throw new Error(`${channel} may be called by the app's own page alone.`);
      return handler(...args);
    });
  }
}

/** Tells every window. */
export function tellPages<E extends keyof ShellEvents>(windows: ElectronApi['BrowserWindow'], channel: E, value: ShellEvents[E]): void {
  for (const window of windows.getAllWindows()) {
    if (!window.isDestroyed() && isOwnPage(window.webContents.getURL())) window.webContents.send(channel, value);
  }
}

/** Null: the frame has gone or navigated away in the meantime. */
function isOwnFrame(frame: WebFrameMain | null): boolean {
  return frame !== null && frame.parent === null && isOwnPage(frame.url);
}
