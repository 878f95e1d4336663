// Owns the app's one window: made when it is first wanted, hidden when it is closed, since the engine goes on in the tray.
import type { BrowserWindow, BrowserWindowConstructorOptions } from 'electron';
import type { ElectronApi } from './electron-api.ts';
import { APP_ORIGIN } from './navigation.ts';

/** Everything that keeps a page in its sandbox, spelled out though most of it is Electron's default. */
export function windowOptions(preload: string): BrowserWindowConstructorOptions {
  return {
    width: 1280,
    height: 800,
    minWidth: 390,
    minHeight: 480,
    show: false,
    title: 'Millrace',
    autoHideMenuBar: true,
    webPreferences: {
      preload,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webviewTag: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      navigateOnDragDrop: false,
      spellcheck: false,
    },
  };
}

export class AppWindow {
  readonly #windows: ElectronApi['BrowserWindow'];
  readonly #preload: string;
  #window: BrowserWindow | null = null;
  #mayClose = false;

  constructor(windows: ElectronApi['BrowserWindow'], preload: string) {
    this.#windows = windows;
    this.#preload = preload;
  }

  /** Brings it to the front. */
  show(): void {
    const window = (this.#window ??= this.#open());
    if (window.isMinimized()) window.restore();
    window.show();
    window.focus();
  }

  /** From now on closing it really closes it. */
  allowClose(): void {
    this.#mayClose = true;
  }

  #open(): BrowserWindow {
    const window = new this.#windows(windowOptions(this.#preload));
    window.on('close', (event) => {
      if (this.#mayClose) return;
      event.preventDefault();
      window.hide();
    });
    window.on('closed', () => (this.#window = null));
    // A page whose process died starts afresh; what it shows is the engine's and is not lost.
    window.webContents.on('render-process-gone', (_event, { reason }) => reason !== 'clean-exit' && window.webContents.reload());
    void window.loadURL(`${APP_ORIGIN}/`);
    return window;
  }
}
