// Wires the desktop shell: one instance, the engine's process, the app's scheme, the window, the tray and notifications.
// Knows no model. Electron, the clock and the machine are handed in.
import { appProtocol } from './app-protocol.ts';
import type { Clock } from './clock.ts';
import type { ElectronApi } from './electron-api.ts';
import { EngineProcess, type EngineState, type Notice } from './engine-process.ts';
import { answerCalls, tellPages } from './ipc.ts';
import { followLive, type LiveView } from './live.ts';
import { HIDDEN_FLAG, type LoginItem } from './login-item.ts';
import { APP_SCHEME, lockNavigation } from './navigation.ts';
import type { AppPaths } from './paths.ts';
import { denyPermissions } from './permissions.ts';
import { TrayIcon } from './tray.ts';
import { findUpdate, type Update } from './updates.ts';
import { AppWindow } from './window.ts';

export interface ShellOptions {
  readonly electron: ElectronApi;
  readonly paths: AppPaths;
  readonly clock: Clock;
  readonly loginItem: LoginItem;
  readonly args: readonly string[];
  readonly platform: NodeJS.Platform;
  /** Null: updates are not looked for. */
  readonly updateFeed: string | null;
  readonly onEngineOutput: (text: string) => void;
}

/** The builder's `appId`; Windows shows notifications only of programs that name it. */
const APP_ID = 'local.millrace.desktop';
/** Running requests may take this long when the app quits. */
const DRAIN_MS = 10_000;
const UPDATE_PERIOD_MS = 24 * 3_600_000;

/** Before Electron is ready: takes the lock of the only instance and registers the scheme. False when another instance runs; it comes to the front. */
export function claimInstance({ app, protocol }: Pick<ElectronApi, 'app' | 'protocol'>, platform: NodeJS.Platform): boolean {
  if (!app.requestSingleInstanceLock()) {
    app.quit();
    return false;
  }
  if (platform === 'win32') app.setAppUserModelId(APP_ID);
  app.enableSandbox();
  const privileges = { standard: true, secure: true, supportFetchAPI: true, stream: true };
  protocol.registerSchemesAsPrivileged([{ scheme: APP_SCHEME, privileges }]);
  return true;
}

/** Everything after Electron is ready. */
export class Shell {
  readonly #options: ShellOptions;
  readonly #engine: EngineProcess;
  readonly #window: AppWindow;
  /** Held for as long as the app runs: a collected icon disappears. */
  readonly #tray: TrayIcon;
  #live: LiveView | null = null;
  #following: { readonly url: string; readonly end: AbortController } | null = null;
  #update: Update | null = null;
  #quitting: 'no' | 'draining' | 'done' = 'no';

  constructor(options: ShellOptions) {
    const { electron, paths, clock, onEngineOutput } = options;
    this.#options = options;
    const onState = (state: EngineState): void => this.#engineChanged(state);
    const onNotice = (notice: Notice): void => this.#notify(notice);
    this.#engine = new EngineProcess({ electron, paths, clock, onOutput: onEngineOutput, onState, onNotice });
    this.#window = new AppWindow(electron.BrowserWindow, paths.preload);
    this.#tray = new TrayIcon(electron, paths.trayIcon, {
      open: () => this.#window.show(),
      setPaused: (paused) => void this.#setPaused(paused),
      restartEngine: () => this.#engine.start(),
      setOpenAtLogin: (on) => void this.#setOpenAtLogin(on),
      openUpdate: ({ url }) => void electron.shell.openExternal(url),
      quit: () => electron.app.quit(),
    });
  }

  start(): void {
    const { electron, args, paths } = this.#options;
    electron.session.defaultSession.protocol.handle(APP_SCHEME, appProtocol({ pageDir: paths.page, engineUrl: () => this.#engineUrl() }));
    denyPermissions(electron.session.defaultSession);
    this.#listen();
    this.#answer();
    this.#engine.start();
    if (!args.includes(HIDDEN_FLAG)) this.#window.show();
    this.#lookForUpdates();
  }

  #listen(): void {
    const { app, shell } = this.#options.electron;
    app.on('second-instance', () => this.#window.show());
    app.on('activate', () => this.#window.show());
    // The engine goes on in the tray.
    app.on('window-all-closed', () => undefined);
    app.on('web-contents-created', (_event, contents) => lockNavigation(contents, shell, () => this.#engineUrl()));
    app.on('before-quit', (event) => {
      if (this.#quitting === 'done') return;
      event.preventDefault();
      void this.#quit();
    });
  }

  #answer(): void {
    const { electron, loginItem, platform } = this.#options;
    answerCalls(electron.ipcMain, {
      'shell:info': () => ({
        version: electron.app.getVersion(),
        platform,
        engine: this.#engine.state,
        openAtLogin: loginItem.isOn(),
      }),
      'shell:restart-engine': () => {
        this.#engine.start();
        return null;
      },
      'shell:open-at-login': (on) => this.#setOpenAtLogin(on === true),
    });
  }

  async #quit(): Promise<void> {
    if (this.#quitting !== 'no') return;
    this.#quitting = 'draining';
    this.#follow(null);
    await this.#engine.stop(DRAIN_MS);
    this.#quitting = 'done';
    this.#window.allowClose();
    this.#tray.destroy();
    this.#options.electron.app.quit();
  }

  #engineChanged(state: EngineState): void {
    if (state.kind !== 'serving') this.#live = null;
    this.#follow(state.kind === 'serving' ? state.url : null);
    tellPages(this.#options.electron.BrowserWindow, 'shell:engine', state);
    this.#showTray();
  }

  #follow(engineUrl: string | null): void {
    if (this.#following?.url === engineUrl) return;
    this.#following?.end.abort();
    this.#following = null;
    if (engineUrl === null) return;
    const end = new AbortController();
    this.#following = { url: engineUrl, end };
    void followLive({ engineUrl, signal: end.signal, onView: (view) => this.#see(view), onLost: () => this.#lost() });
  }

  #see(view: LiveView): void {
    this.#live = view;
    this.#showTray();
  }

  #lost(): void {
    this.#live = null;
    this.#showTray();
    this.#engine.lost();
  }

  #showTray(): void {
    const openAtLogin = this.#options.loginItem.isOn();
    this.#tray.show({ engine: this.#engine.state, live: this.#live, openAtLogin, update: this.#update });
  }

  #notify({ title, body }: Notice): void {
    const { Notification } = this.#options.electron;
    if (!Notification.isSupported()) return;
    const notification = new Notification({ title, body });
    notification.on('click', () => this.#window.show());
    notification.show();
  }

  /** What came of it is seen in the next view. */
  async #setPaused(paused: boolean): Promise<void> {
    const url = this.#engineUrl();
    if (url === null) return;
    const address = new URL(paused ? '/api/pause' : '/api/resume', url);
    await fetch(address, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }).catch(() => this.#lost());
  }

  async #setOpenAtLogin(on: boolean): Promise<boolean> {
    const { loginItem } = this.#options;
    await loginItem.set(on);
    this.#showTray();
    return loginItem.isOn();
  }

  #lookForUpdates(): void {
    const { updateFeed, clock, electron } = this.#options;
    if (updateFeed === null) return;
    void findUpdate(updateFeed, electron.app.getVersion()).then((update) => {
      this.#update = update;
      this.#showTray();
      clock.after(UPDATE_PERIOD_MS, () => this.#lookForUpdates());
    });
  }

  #engineUrl(): string | null {
    const { state } = this.#engine;
    return state.kind === 'serving' ? state.url : null;
  }
}
