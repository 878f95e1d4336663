// Starts the real `millrace` command as a user would: its own process, its own data folder, a free port.
// Knows nothing about what is then asked of it.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { link, mkdir, mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cachedFolder } from './cache.ts';
import { testCacheDir, testEncoder, testModel } from './models.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const CLI = join(ROOT, 'engine/cli.ts');
/** The name under which the test model is installed. */
export const MODEL = 'smollm2-135m-instruct';

export interface CommandResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Served {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly pid: number;
  readonly dataDir: string;
  /** Milliseconds from the spawn to the first 200 of `/ready`. */
  readonly readyMs: number;
  /** Everything the process has printed so far. */
  output(): string;
  /** Sends a signal and waits for the end; SIGKILL follows when that takes longer than 20 s. */
  stop(signal?: NodeJS.Signals): Promise<CommandResult>;
}

/** Runs one command to its end. */
export function millrace(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
  return watch(start(args, env)).ended;
}

/** A model file to install, under which name, and in which precision; null: the default one. */
export interface Install {
  readonly file: string;
  readonly name: string;
  readonly precision: string | null;
  /** INT4 beside it, rounded anew whatever the file holds. */
  readonly int4Anew?: true;
}

/** A data folder with the test model in its default precision. */
export async function convertedModel(): Promise<string> {
  return convertedData([{ file: await testModel(), name: MODEL, precision: null }]);
}

/** The name under which the test encoder is installed. */
export const ENCODER = 'all-minilm-l6-v2';

/** A data folder with the test encoder, in 8 bits and in float32. */
export async function convertedEncoder(): Promise<string> {
  return convertedData([{ file: await testEncoder(), name: ENCODER, precision: 'int8,fp32' }]);
}

async function succeed(args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await millrace(args);
  if (code !== 0) throw new Error(`millrace ${args[0] ?? ''} ended with ${code}: ${stderr}${stdout}`);
}

/** A data folder in the test cache with these models, converted once per state of the converter's sources. */
export async function convertedData(installs: readonly Install[]): Promise<string> {
  const wanted = `data-${shortHash(JSON.stringify(installs))}-`;
  const folder = await cachedFolder(`${wanted}${shortHash(await sourcesOf('engine/models'))}`, async (target) => {
    for (const { file, name, precision, int4Anew } of installs) {
      const flags = precision === null ? [] : ['--precision', precision];
      await succeed(['pull', file, '--name', name, '--data-dir', target, ...flags]);
      if (int4Anew === true) await succeed(['quantise', name, '--precision', 'int4', '--anew', '--data-dir', target]);
    }
  });
  await removeOld(wanted, folder);
  return folder;
}

const KEEP_MS = 3_600_000;

/** Removes what earlier sources converted, unless a run beside this one may still read it. */
async function removeOld(prefix: string, except: string): Promise<void> {
  for (const name of (await readdir(testCacheDir())).filter((entry) => entry.startsWith(prefix))) {
    const path = join(testCacheDir(), name);
    if (path !== except && Date.now() - (await stat(path)).mtimeMs > KEEP_MS) await rm(path, { recursive: true, force: true });
  }
}

/** A data folder of one's own whose models are hard links to those of `from`; the caller removes it. */
export async function ownDataDir(from: string): Promise<string> {
  const folder = await mkdtemp(join(testCacheDir(), 'run-'));
  await linkTree(join(from, 'models'), join(folder, 'models'));
  return folder;
}

export interface ServeOptions {
  /** Default: an own one with the test model. */
  readonly dataDir?: string;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Leave response caches on. Default: off, so that every request is computed. */
  readonly caches?: boolean;
  /** No file of the server may grow past this, until `unlimitFiles`; Linux alone. */
  readonly fileLimitBytes?: number;
}

/** `millrace serve` on a free port, after `/ready` has said yes. @throws when the process ends before that */
export async function serve(options: ServeOptions = {}): Promise<Served> {
  const dataDir = options.dataDir ?? (await ownDataDir(await convertedModel()));
  const startedAt = performance.now();
  const args = ['serve', '--port', '0', '--data-dir', dataDir, ...(options.args ?? [])];
  const child = start(args, options.env ?? {}, options.fileLimitBytes);
  const { output, ended, hasEnded } = watch(child);
  const fail = async (): Promise<never> => {
    const { code, signal } = await ended;
    throw new Error(`millrace serve ended with ${code ?? signal}: ${output()}`);
  };
  const url = await poll(() => /http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):\d+/.exec(output())?.[0], hasEnded, fail);
  await poll(() => isReady(url), hasEnded, fail);
  const readyMs = performance.now() - startedAt;
  await setCaches(url, options.caches ?? false);
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<CommandResult> => {
    if (!hasEnded()) child.kill(signal);
    const killer = setTimeout(() => child.kill('SIGKILL'), 20_000);
    const result = await ended;
    clearTimeout(killer);
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    return result;
  };
  return { url, pid: child.pid ?? -1, dataDir, readyMs, output, stop };
}

async function setCaches(url: string, enabled: boolean): Promise<void> {
  const body = JSON.stringify({ cache: { enabled } });
  const response = await fetch(`${url}/api/settings`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body });
  if (!response.ok) throw new Error(`The caches cannot be set: ${await response.text()}`);
  await response.body?.cancel();
}

/** Lets the files of a running server grow again, as when somebody has made room on a full disk. */
export async function unlimitFiles(pid: number): Promise<void> {
  await promisify(execFile)('prlimit', ['--pid', String(pid), '--fsize=unlimited:unlimited']);
}

/** `prlimit` becomes the command, so that the process is the same. */
function start(args: readonly string[], env: NodeJS.ProcessEnv, fileLimitBytes?: number): ChildProcess {
  const options = { cwd: ROOT, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] } as const;
  const command = [process.execPath, CLI, ...args];
  return fileLimitBytes === undefined
    ? spawn(process.execPath, command.slice(1), { ...options, stdio: [...options.stdio] })
    : spawn('prlimit', [`--fsize=${fileLimitBytes}:unlimited`, ...command], { ...options, stdio: [...options.stdio] });
}

function watch(child: ChildProcess) {
  let stdout = '';
  let stderr = '';
  let over = false;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<CommandResult>((resolve) => {
    child.once('close', (code, signal) => {
      over = true;
      resolve({ code, signal, stdout, stderr });
    });
  });
  return { ended, output: () => stdout + stderr, hasEnded: () => over };
}

/** Asks every few milliseconds until there is a value. */
async function poll<T>(probe: () => T | undefined | Promise<T | undefined>, gaveUp: () => boolean, fail: () => Promise<never>): Promise<T> {
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (gaveUp()) return fail();
    await delay(4);
  }
}

async function isReady(url: string): Promise<true | undefined> {
  const response = await fetch(`${url}/ready`).catch(() => null);
  await response?.body?.cancel();
  return response?.ok === true ? true : undefined;
}

async function linkTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    await (entry.isDirectory() ? linkTree(source, target) : link(source, target));
  }
}

/** Names and contents of the sources of a folder of the repository: files made by them are stale when it changes. */
async function sourcesOf(folder: string): Promise<string> {
  const names = (await readdir(join(ROOT, folder), { recursive: true })).filter((name) => /\.(ts|txt)$/.test(name)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(ROOT, folder, name), 'utf8')));
  return names.map((name, i) => `${name}\n${texts[i]}`).join('\n');
}

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);
