// `npm test`: set-up, what the tests need of the system, checks, tests. Ends with the line "N passed, N failed" and the exit code.
// Arguments are passed to vitest: `npm test -- fleet` runs the tests whose path has "fleet" in it, without the checks.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap, ROOT } from './bootstrap.mjs';
import { runChecks } from './check.mjs';
import { buildPage } from './page.mjs';
import { ensureSystem } from './system.mjs';
import { countTests } from './test-counts.mjs';

const filters = process.argv.slice(2);
const node = bootstrap();
ensureSystem(node);
buildPage(node);
const checks = filters.length === 0 ? runChecks(node) : { passed: 0, failed: 0 };
const tests = await runTests();
const passed = checks.passed + tests.passed;
const failed = checks.failed + tests.failed;
for (const reason of tests.reasons) console.log(reason);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

async function runTests() {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-results-'));
  const report = join(folder, 'vitest.json');
  const exitCode = await vitest(['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...filters]);
  const counts = countTests(readReport(report), exitCode);
  rmSync(folder, { recursive: true });
  return counts;
}

function vitest(args) {
  const child = spawn(node, [join(ROOT, 'node_modules/vitest/vitest.mjs'), ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
}

/** Null when vitest ended before it wrote one. */
function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    console.error(`vitest left no report: ${cause.message}`);
    return null;
  }
}
