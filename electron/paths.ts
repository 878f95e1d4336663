// Owns where the program's files are: in a checkout, and in a packaged app, whose archive holds the shell and its page.
// What the engine's processes read lies beside the archive: worker threads and the system's loader do not see into it.
import { join, sep } from 'node:path';

export interface AppPaths {
  /** Entry of the engine's utility process. */
  readonly engine: string;
  /** Entry of a runner. */
  readonly runner: string;
  /** Entry of the process that pulls a model. */
  readonly pull: string;
  /** Folder of the built page. */
  readonly page: string;
  readonly preload: string;
  readonly trayIcon: string;
}

/** `appRoot`: the folder of package.json, which is `…/app.asar` in a packaged app. */
export function appPaths(appRoot: string): AppPaths {
  const outside = unpackedRoot(appRoot);
  return {
    engine: join(outside, 'engine', 'desktop', 'main.ts'),
    runner: join(outside, 'engine', 'runner', 'main.ts'),
    pull: join(outside, 'engine', 'desktop', 'pull.ts'),
    page: join(appRoot, 'renderer', 'dist'),
    preload: join(appRoot, 'electron', 'dist', 'preload.cjs'),
    trayIcon: join(appRoot, 'electron', 'icons', 'tray.png'),
  };
}

/** The same folder where it lies beside the archive; itself where there is no archive. */
function unpackedRoot(appRoot: string): string {
  return appRoot.endsWith(`${sep}app.asar`) ? `${appRoot}.unpacked` : appRoot;
}
