// Owns what the tests need of the machine beside npm packages: a browser, HAProxy, and Python for the official clients.
// Installs what it may; otherwise ends at once with the one line to run.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fail, ROOT } from './bootstrap.mjs';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Also tells the tests where the browser is, by MILLRACE_TEST_CHROMIUM. */
export function ensureSystem(node) {
  ensurePython();
  ensureBalancer();
  process.env.MILLRACE_TEST_CHROMIUM = ensureBrowser(node);
}

function ensurePython() {
  const isThere = () => run('python3', ['-c', 'import venv, ensurepip']).status === 0;
  if (isThere()) return;
  if (aptInstall(['python3', 'python3-venv', 'python3-pip']) && isThere()) return;
  fail('The tests of the Python clients need Python 3 with venv. Run: sudo apt-get install -y python3 python3-venv python3-pip');
}

function ensureBalancer() {
  const isThere = () => run('haproxy', ['-v']).status === 0;
  if (isThere() || (aptInstall(['haproxy']) && isThere())) return;
  fail('The tests of the load balancer need HAProxy. Run: sudo apt-get install -y haproxy');
}

function ensureBrowser(node) {
  const found = findBrowser(node);
  if (found !== null) return found;
  if (!aptInstall(['chromium'])) run(node, [join(ROOT, 'node_modules/playwright-core/cli.js'), 'install', 'chromium'], 'inherit');
  return (
    findBrowser(node) ??
    fail('The tests of the page need Chromium. Run: sudo apt-get install -y chromium   (or: npx playwright-core install chromium)')
  );
}

function findBrowser(node) {
  const named = process.env.MILLRACE_TEST_CHROMIUM;
  if (named !== undefined && existsSync(named)) return named;
  const folders = (process.env.PATH ?? '').split(delimiter);
  const onPath = BROWSERS.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
  return onPath ?? playwrightBrowser(node);
}

/** The browser that playwright's own download left; null when there is none. */
function playwrightBrowser(node) {
  const script = "console.log(require('playwright-core').chromium.executablePath())";
  const path = run(node, ['-e', script]).stdout?.trim() ?? '';
  return path !== '' && existsSync(path) ? path : null;
}

/** True when apt has installed them: as root on Debian and its kin. */
function aptInstall(packages) {
  const isRoot = process.getuid?.() === 0;
  const isDebian = existsSync('/etc/debian_version') && readFileSync('/etc/debian_version', 'utf8') !== '';
  if (!isRoot || !isDebian) return false;
  console.log(`Installing ${packages.join(', ')} with apt ...`);
  process.env.DEBIAN_FRONTEND = 'noninteractive';
  run('apt-get', ['update', '-qq'], 'inherit');
  return run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], 'inherit').status === 0;
}

function run(command, args, stdio = 'pipe') {
  return spawnSync(command, args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', stdio, stdio] });
}
