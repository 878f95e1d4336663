// Owns the icon in the tray: one line that says how the engine is, and the few things one wants without opening the window.
import type { MenuItemConstructorOptions, Tray } from 'electron';
import type { ElectronApi } from './electron-api.ts';
import type { EngineState } from './engine-process.ts';
import type { LiveView } from './live.ts';
import type { Update } from './updates.ts';

export interface TrayView {
  readonly engine: EngineState;
  /** Null while nothing is heard of the engine. */
  readonly live: LiveView | null;
  readonly openAtLogin: boolean;
  readonly update: Update | null;
}

export interface TrayActions {
  open(): void;
  setPaused(paused: boolean): void;
  restartEngine(): void;
  setOpenAtLogin(on: boolean): void;
  openUpdate(update: Update): void;
  quit(): void;
}

/** How the engine is, in one line. */
export function statusLine({ engine, live }: Pick<TrayView, 'engine' | 'live'>): string {
  switch (engine.kind) {
    case 'starting':
      return 'Starting';
    case 'stopped':
      return 'Stopped';
    case 'waiting':
      return `Not running: ${engine.reason}`;
    case 'serving':
      return live === null ? `Serving at ${engine.url}` : liveLine(live);
  }
}

function liveLine({ state, queue, tokensPerSecond, alerts }: LiveView): string {
  const alarm = alerts.length === 0 ? '' : `, ${alerts.length} ${alerts.length === 1 ? 'alert' : 'alerts'}`;
  if (state === 'paused') return `Paused${alarm}`;
  if (state === 'draining') return `Finishing ${queue.running} requests${alarm}`;
  if (queue.running + queue.waiting === 0) return `Ready, nobody asks${alarm}`;
  return `${queue.running} running, ${queue.waiting} waiting, ${Math.round(tokensPerSecond)} tok/s${alarm}`;
}

/** The menu for this view. */
export function trayMenu(view: TrayView, actions: TrayActions): MenuItemConstructorOptions[] {
  const { engine, live, openAtLogin, update } = view;
  const isPaused = live?.state === 'paused';
  return [
    { label: statusLine(view), enabled: false },
    { label: 'Open Millrace', click: () => actions.open() },
    { type: 'separator' },
    engine.kind === 'waiting' || engine.kind === 'stopped'
      ? { label: 'Start the engine now', click: () => actions.restartEngine() }
      : { label: isPaused ? 'Resume' : 'Pause', enabled: live !== null, click: () => actions.setPaused(!isPaused) },
    { label: 'Open at login', type: 'checkbox', checked: openAtLogin, click: (item) => actions.setOpenAtLogin(item.checked) },
    ...(update === null ? [] : [{ label: `Version ${update.version} is available`, click: () => actions.openUpdate(update) }]),
    { type: 'separator' },
    { label: 'Quit', click: () => actions.quit() },
  ];
}

/** Shows the icon and keeps its menu as the view is. */
export class TrayIcon {
  readonly #menu: ElectronApi['Menu'];
  readonly #actions: TrayActions;
  readonly #tray: Tray;
  #shown = '';

  constructor(electron: Pick<ElectronApi, 'Menu' | 'nativeImage' | 'Tray'>, iconPath: string, actions: TrayActions) {
    this.#menu = electron.Menu;
    this.#actions = actions;
    this.#tray = new electron.Tray(electron.nativeImage.createFromPath(iconPath));
    this.#tray.on('click', () => actions.open());
  }

  /** Rebuilds the menu only when what it says has changed: an open menu would close. */
  show(view: TrayView): void {
    const items = trayMenu(view, this.#actions);
    const shown = JSON.stringify(items);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#tray.setToolTip(`Millrace: ${statusLine(view)}`);
    this.#tray.setContextMenu(this.#menu.buildFromTemplate(items));
  }

  destroy(): void {
    this.#tray.destroy();
  }
}
