// `npm run desktop`: the page, the shell's two files as JavaScript, and Electron, where its binary can be had.
// `node build/desktop.mjs --build` builds alone, as packaging needs it.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap, continueWithNode, fail, ROOT, runNode } from './bootstrap.mjs';
import { buildPage } from './page.mjs';

/** Bundles the shell into `outDir`: main.mjs for the main process, preload.cjs for the page's sandbox, which takes one CommonJS file. */
export async function buildShell(outDir = join(ROOT, 'electron', 'dist')) {
  const { build } = await import('vite');
  const bundle = (entry, fileName, format) =>
    build({
      configFile: false,
      root: ROOT,
      logLevel: 'warn',
      ssr: { noExternal: true },
      build: {
        ssr: join(ROOT, 'electron', entry),
        outDir,
        emptyOutDir: false,
        minify: false,
        target: 'node22',
        rolldownOptions: { external: ['electron', /^node:/], output: { format, entryFileNames: fileName } },
      },
    });
  await bundle('main.ts', 'main.mjs', 'es');
  await bundle('preload.ts', 'preload.cjs', 'cjs');
}

/** Electron's program; ends the process with the way to get it where it is missing. */
function electronProgram() {
  const folder = join(ROOT, 'node_modules', 'electron');
  if (!existsSync(join(folder, 'path.txt')))
    fail(
      'Electron’s binary is not installed. To fetch it: node node_modules/electron/install.js (or use the console in a browser: npm start)',
    );
  return createRequire(import.meta.url)('electron');
}

async function main(args) {
  await continueWithNode(join(ROOT, 'build', 'desktop.mjs'), args);
  buildPage(bootstrap());
  await buildShell();
  if (!args.includes('--build')) process.exitCode = await runNode(electronProgram(), [ROOT, ...args]);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main(process.argv.slice(2));
