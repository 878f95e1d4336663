// A small Electron for tests: remembers what the shell asked for, and lets a test play the system's part.
import { EventEmitter } from 'node:events';
import type { MenuItemConstructorOptions } from 'electron';
import type { ElectronApi } from '../../electron/electron-api.ts';
import type { FromShell, ToShell } from '../../engine/desktop/protocol.ts';

export class FakePort extends EventEmitter {
  readonly sent: unknown[] = [];
  postMessage(message: unknown): void {
    this.sent.push(message);
  }
  start(): void {
    this.emit('started');
  }
  close(): void {
    this.emit('close');
  }
}

/** A utility process whose life a test plays. */
export class FakeProcess extends EventEmitter {
  readonly entry: string;
  readonly args: readonly string[];
  readonly options: object;
  readonly sent: { readonly message: FromShell; readonly ports: readonly FakePort[] }[] = [];
  readonly stdout = new EventEmitter();
  readonly stderr = new EventEmitter();
  readonly pid = 4711;
  isKilled = false;

  constructor(entry: string, args: readonly string[], options: object) {
    super();
    this.entry = entry;
    this.args = args;
    this.options = options;
  }
  postMessage(message: FromShell, ports: readonly FakePort[] = []): void {
    this.sent.push({ message, ports });
  }
  kill(): boolean {
    this.isKilled = true;
    return true;
  }
  /** Plays a message of the process. */
  say(message: ToShell): void {
    this.emit('message', message);
  }
}

class FakeContents extends EventEmitter {
  url = '';
  readonly sent: { readonly channel: string; readonly value: unknown }[] = [];
  reloads = 0;
  openHandler: ((details: { readonly url: string }) => { readonly action: string }) | null = null;
  getURL(): string {
    return this.url;
  }
  send(channel: string, value: unknown): void {
    this.sent.push({ channel, value });
  }
  reload(): void {
    this.reloads += 1;
  }
  setWindowOpenHandler(handler: (details: { readonly url: string }) => { readonly action: string }): void {
    this.openHandler = handler;
  }
}

export class FakeWindow extends EventEmitter {
  static all: FakeWindow[] = [];
  static getAllWindows(): FakeWindow[] {
    return FakeWindow.all;
  }
  readonly options: { readonly webPreferences?: Readonly<Record<string, unknown>> };
  readonly webContents = new FakeContents();
  isVisible = false;

  constructor(options: { readonly webPreferences?: Readonly<Record<string, unknown>> }) {
    super();
    this.options = options;
    FakeWindow.all.push(this);
  }
  async loadURL(url: string): Promise<void> {
    this.webContents.url = url;
  }
  isDestroyed(): boolean {
    return false;
  }
  isMinimized(): boolean {
    return false;
  }
  show(): void {
    this.isVisible = true;
  }
  hide(): void {
    this.isVisible = false;
  }
  focus(): void {
    this.emit('focus');
  }
  restore(): void {
    this.emit('restore');
  }
}

class FakeApp extends EventEmitter {
  isFirst = true;
  quits = 0;
  isSandboxed = false;
  modelId: string | null = null;
  loginItem: { readonly openAtLogin: boolean; readonly args?: readonly string[] } = { openAtLogin: false };
  requestSingleInstanceLock(): boolean {
    return this.isFirst;
  }
  setAppUserModelId(id: string): void {
    this.modelId = id;
  }
  enableSandbox(): void {
    this.isSandboxed = true;
  }
  getVersion(): string {
    return '1.2.3';
  }
  /** As Electron: asks, and quits unless a listener prevents it. */
  quit(): void {
    let isPrevented = false;
    this.emit('before-quit', { preventDefault: () => (isPrevented = true) });
    if (!isPrevented) this.quits += 1;
  }
  getLoginItemSettings(): { readonly openAtLogin: boolean } {
    return this.loginItem;
  }
  setLoginItemSettings(item: { readonly openAtLogin: boolean; readonly args?: readonly string[] }): void {
    this.loginItem = item;
  }
}

type Grant = (answer: boolean) => void;

export class FakeSession extends EventEmitter {
  request: ((contents: FakeContents, permission: string, answer: Grant) => void) | null = null;
  check: ((contents: null, permission: string, origin: string) => boolean) | null = null;
  device: (() => boolean) | null = null;
  handler: ((request: Request) => Promise<Response>) | null = null;
  readonly protocol = { handle: (_scheme: string, handler: (request: Request) => Promise<Response>) => void (this.handler = handler) };
  setPermissionRequestHandler(handler: FakeSession['request']): void {
    this.request = handler;
  }
  setPermissionCheckHandler(handler: FakeSession['check']): void {
    this.check = handler;
  }
  setDevicePermissionHandler(handler: FakeSession['device']): void {
    this.device = handler;
  }
  /** Whether the page of this address gets what it asks for. */
  asks(url: string, permission: string): boolean {
    const contents = new FakeContents();
    contents.url = url;
    let granted: boolean | null = null;
    this.request?.(contents, permission, (answer) => (granted = answer));
    if (granted === null) throw new Error('Nobody answered.');
    return granted;
  }
}

type Frame = { readonly url: string; readonly parent: object | null } | null;

/** Everything the shell uses, with what it did. */
export class FakeElectron {
  readonly app = new FakeApp();
  readonly session = { defaultSession: new FakeSession() };
  readonly processes: FakeProcess[] = [];
  readonly utilityProcess = {
    fork: (entry: string, args: readonly string[], options: object): FakeProcess => {
      const child = new FakeProcess(entry, args, options);
      this.processes.push(child);
      return child;
    },
  };
  readonly schemes: { readonly scheme: string; readonly privileges: object }[] = [];
  readonly protocol = { registerSchemesAsPrivileged: (schemes: FakeElectron['schemes']) => void this.schemes.push(...schemes) };
  readonly opened: string[] = [];
  readonly shell = { openExternal: async (url: string) => void this.opened.push(url) };
  readonly notices: { readonly title: string; readonly body: string }[] = [];
  menu: MenuItemConstructorOptions[] = [];
  toolTip = '';
  readonly handlers = new Map<string, (event: { readonly senderFrame: Frame }, ...args: unknown[]) => unknown>();
  readonly ipcMain = {
    handle: (channel: string, handler: (event: { readonly senderFrame: Frame }, ...args: unknown[]) => unknown) =>
      void this.handlers.set(channel, handler),
  };
  readonly BrowserWindow = FakeWindow;
  readonly Menu = { buildFromTemplate: (items: MenuItemConstructorOptions[]) => items };
  readonly MessageChannelMain = class {
    readonly port1 = new FakePort();
    readonly port2 = new FakePort();
  };
  readonly nativeImage = { createFromPath: (path: string) => ({ path }) };
  readonly Notification: unknown;
  readonly Tray: unknown;

  constructor() {
    FakeWindow.all = [];
    const { notices } = this;
    this.Notification = class extends EventEmitter {
      static isSupported = (): boolean => true;
      readonly #notice: { readonly title: string; readonly body: string };
      constructor(notice: { readonly title: string; readonly body: string }) {
        super();
        this.#notice = notice;
      }
      show(): void {
        notices.push(this.#notice);
      }
    };
    const setMenu = (items: MenuItemConstructorOptions[]): void => void (this.menu = items);
    const setToolTip = (text: string): void => void (this.toolTip = text);
    this.Tray = class extends EventEmitter {
      setContextMenu = setMenu;
      setToolTip = setToolTip;
      destroy(): void {
        setMenu([]);
      }
    };
  }

  /** As the shell sees it. */
  get api(): ElectronApi {
    return this as unknown as ElectronApi;
  }

  /** The latest process that was started. */
  get latest(): FakeProcess {
    const child = this.processes.at(-1);
    if (child === undefined) throw new Error('No process was started.');
    return child;
  }

  /** Plays a call of the page. */
  call(channel: string, frame: Frame, ...args: unknown[]): unknown {
    const handler = this.handlers.get(channel);
    if (handler === undefined) throw new Error(`Nobody answers ${channel}.`);
    return handler({ senderFrame: frame }, ...args);
  }

  /** Clicks an item of the tray's menu. */
  click(label: string): void {
    const item = this.menu.find((entry) => entry.label === label) as
      | { readonly click?: (item: { checked: boolean }) => void; checked?: boolean }
      | undefined;
    if (item?.click === undefined) throw new Error(`There is no ${label} in the menu.`);
    item.click({ checked: item.checked !== true });
  }
}

/** Time that a test moves. */
export class FakeClock {
  nowMs = 1_700_000_000_000;
  readonly timers: { readonly atMs: number; readonly call: () => void }[] = [];
  now = (): number => this.nowMs;
  after = (ms: number, call: () => void): (() => void) => {
    const timer = { atMs: this.nowMs + ms, call };
    this.timers.push(timer);
    return () => {
      const at = this.timers.indexOf(timer);
      if (at !== -1) this.timers.splice(at, 1);
    };
  };
  advance(ms: number): void {
    this.nowMs += ms;
    for (const timer of this.timers.filter(({ atMs }) => atMs <= this.nowMs)) {
      this.timers.splice(this.timers.indexOf(timer), 1);
      timer.call();
    }
  }
}
