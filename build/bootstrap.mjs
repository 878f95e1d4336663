// Makes a checkout runnable with any Node from 18 on: installs what package-lock.json says, then hands over to the Node it brought.
// Plain JavaScript without dependencies, as it runs before there are any.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** The oldest Node that runs TypeScript as it is and that all dependencies accept. */
const NODE_MAJOR = 24;
const MODULES = join(ROOT, 'node_modules');
const MARKER = join(MODULES, '.millrace-installed');

/**
 * Installs dependencies when they are missing or package-lock.json has changed, and returns the Node to run the product with.
 * Ends the process with one sentence when the machine cannot run it.
 */
export function bootstrap() {
  refuseUnsupported({ platform: process.platform, arch: process.arch, isMusl: isMusl() });
  const wanted = installedState();
  if (readMarker() !== wanted || !existsSync(bundledNode())) install(wanted);
  return bundledNode();
}

/** Ends this process and goes on in `script` with the right Node, unless this is the right one: then it returns. */
export async function continueWithNode(script, args) {
  const node = bootstrap();
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR) return;
  process.exit(await runNode(node, [script, ...args]));
}

/** Runs Node with these arguments on this terminal; resolves with its exit code, 128 + signal when a signal ended it. */
export function runNode(node, args) {
  const child = spawn(node, args, { stdio: 'inherit', cwd: process.cwd() });
  const forward = (signal) => child.kill(signal);
  process.on('SIGTERM', forward);
  // A terminal sends Ctrl-C to both processes; this one only has to outlive the other.
  process.on('SIGINT', () => undefined);
  return new Promise((resolve) => {
    child.on('error', (cause) => resolve(fail(`${node} cannot be started: ${cause.message}`)));
    child.on('exit', (code, signal) => resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : 15)));
  });
}

/** Prints one sentence and ends with exit code 1. */
export function fail(message) {
  process.stderr.write(`millrace: ${message}\n`);
  process.exit(1);
}

/** The sentence for machines that ONNX Runtime has no library for; null where it has one. */
export function whyUnsupported({ platform, arch, isMusl }) {
  if (platform === 'darwin' && arch !== 'arm64')
    return 'Macs with an Intel processor are not supported: ONNX Runtime has no library for them. Use Apple silicon, Linux or Windows.';
  if (platform === 'linux' && isMusl)
    return 'This Linux uses musl (Alpine): ONNX Runtime needs glibc. Use a Debian, Ubuntu or Fedora based system or container image.';
  if (!['darwin', 'linux', 'win32'].includes(platform)) return `There is no ONNX Runtime for ${platform}. Use Linux, macOS or Windows.`;
  if (!['x64', 'arm64'].includes(arch)) return `There is no ONNX Runtime for ${arch} processors. Use x64 or arm64.`;
  return null;
}

function refuseUnsupported(machine) {
  const reason = whyUnsupported(machine);
  if (reason !== null) fail(reason);
}

/** The header of the process report names the C library: musl has no such field. */
function isMusl() {
  if (process.platform !== 'linux') return false;
  return process.report.getReport().header.glibcVersionRuntime === undefined;
}

/** What the marker says when this lock file is installed on this kind of machine. */
function installedState() {
  const lock = readFileSync(join(ROOT, 'package-lock.json'));
  return `${createHash('sha256').update(lock).digest('hex')} ${process.platform} ${process.arch}\n`;
}

function readMarker() {
  return existsSync(MARKER) ? readFileSync(MARKER, 'utf8') : null;
}

function install(wanted) {
  process.stderr.write('Installing dependencies (once, and after updates) ...\n');
  // `ci` removes the folder first, which on Windows fails for the Node that runs this; an update in place gives the same.
  const command = existsSync(MODULES) ? ['install', '--no-save'] : ['ci'];
  npm([...command, '--no-audit', '--no-fund', '--loglevel=error']);
  if (!existsSync(bundledNode())) npm(['rebuild', 'node', 'koffi', '--loglevel=error']);
  if (!existsSync(bundledNode()))
    fail(
      'npm has installed no Node: its install scripts are switched off. Run: npm config delete ignore-scripts && npm rebuild node koffi',
    );
  requireUsableNode();
  writeFileSync(MARKER, wanted);
}

function npm(args) {
  const cli = process.env.npm_execpath;
  const isScript = cli !== undefined && /\.c?js$/.test(cli) && existsSync(cli);
  const result = isScript
    ? spawnSync(process.execPath, [cli, ...args], { cwd: ROOT, stdio: ['ignore', 2, 2] })
    : spawnSync(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, {
        cwd: ROOT,
        stdio: ['ignore', 2, 2],
        shell: process.platform === 'win32',
      });
  if (result.error) fail('npm was not found. It comes with Node: https://nodejs.org (any version from 18 on).');
  if (result.status !== 0) fail(`npm ${args[0]} failed (above). It needs the package registry that npm is configured for: ${registry()}`);
}

function registry() {
  return process.env.npm_config_registry ?? 'npm config get registry';
}

function bundledNode() {
  return join(MODULES, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

function requireUsableNode() {
  const result = spawnSync(bundledNode(), ['--version'], { encoding: 'utf8' });
  const major = Number(/^v(\d+)\./.exec(result.stdout ?? '')?.[1]);
  if (major >= NODE_MAJOR) return;
  fail(
    `${bundledNode()} does not run (${result.error?.message ?? result.stderr?.trim() ?? result.stdout}). Remove node_modules and start again.`,
  );
}
