// Builds the page when it is missing or older than what it is made of. Runs with the Node that bootstrap.mjs brought.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, ROOT } from './bootstrap.mjs';

const PAGE = join(ROOT, 'renderer');
const MARKER = join(PAGE, 'dist', '.source');

/** Leaves a built page in renderer/dist; ends the process when the build fails. */
export function buildPage(node) {
  const wanted = sourceHash();
  if (existsSync(MARKER) && readFileSync(MARKER, 'utf8') === wanted) return;
  const result = spawnSync(node, [join(ROOT, 'node_modules/vite/bin/vite.js'), 'build', 'renderer', '--logLevel', 'warn'], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
  });
  if (result.status !== 0) fail('The page could not be built (above).');
  writeFileSync(MARKER, wanted);
}

/** Over the page's own files, what it shares with the engine, and the versions of its dependencies. */
function sourceHash() {
  const hash = createHash('sha256');
  const folders = [PAGE, join(ROOT, 'engine/contract')];
  const files = folders
    .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile());
  const paths = files
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => !path.startsWith(join(PAGE, 'dist')));
  for (const path of [...paths.sort(), join(ROOT, 'engine/contract.ts'), join(ROOT, 'package-lock.json')]) hash.update(readFileSync(path));
  return hash.digest('hex');
}
