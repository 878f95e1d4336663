// `npm run check`: types, lint with layer rules, formatting, dead code. Each is one check; test.mjs counts them.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap, ROOT } from './bootstrap.mjs';

const CHECKS = [
  { name: 'types', file: 'typescript/bin/tsc', args: ['--noEmit', '-p', '.'] },
  { name: 'lint and layers', file: 'oxlint/bin/oxlint', args: ['--deny-warnings'] },
  { name: 'formatting', file: 'oxfmt/bin/oxfmt', args: ['--check', '.'], remedy: 'npx oxfmt .' },
  { name: 'dead code', file: 'knip/bin/knip.js', args: [] },
];

/** Runs every check, prints what each complains of, and returns `{ passed, failed }`. */
export function runChecks(node) {
  const failures = CHECKS.filter((check) => !passes(node, check));
  return { passed: CHECKS.length - failures.length, failed: failures.length };
}

function passes(node, { name, file, args, remedy }) {
  const startedAt = Date.now();
  const result = spawnSync(node, [join(ROOT, 'node_modules', file), ...args], { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 2 ** 20 });
  const ok = result.status === 0;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`);
  if (!ok)
    console.log(`${result.stdout}${result.stderr}${result.error?.message ?? ''}${remedy === undefined ? '' : `\nTo mend it: ${remedy}`}`);
  return ok;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { failed } = runChecks(bootstrap());
  process.exitCode = failed === 0 ? 0 : 1;
}
