// Runs before the page, in its sandbox: gives it the few calls of ShellBridge and nothing else of Electron.
import { contextBridge, ipcRenderer, type IpcRendererEvent } from 'electron';
import type { ShellBridge, ShellCalls, ShellEvents } from './channels.ts';

function call<C extends keyof ShellCalls>(channel: C, ...args: ShellCalls[C]['args']): Promise<ShellCalls[C]['result']> {
  return ipcRenderer.invoke(channel, ...args);
}

function listen<E extends keyof ShellEvents>(channel: E, listener: (value: ShellEvents[E]) => void): () => void {
  const onEvent = (_event: IpcRendererEvent, value: ShellEvents[E]): void => listener(value);
  ipcRenderer.on(channel, onEvent);
  return () => ipcRenderer.removeListener(channel, onEvent);
}

const bridge: ShellBridge = {
  info: () => call('shell:info'),
  restartEngine: () => call('shell:restart-engine'),
  setOpenAtLogin: (on) => call('shell:open-at-login', on),
  onEngine: (listener) => listen('shell:engine', listener),
};

contextBridge.exposeInMainWorld('millraceShell', bridge);
