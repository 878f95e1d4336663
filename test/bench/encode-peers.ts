// Owns the peers of the encoder beside llama-server: libraries that encode inside one process, padded, each in an environment of its own
// in the test cache. No HTTP and always a full batch: an upper bound of what a server around them would give.
import { execFile, spawn } from 'node:child_process';
import { copyFile, mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cachedFolder, findCachedFolder } from '../cache.ts';
import { testEncoder } from '../models.ts';

const run = promisify(execFile);
const SCRIPTS = fileURLToPath(new URL('encode-peers/', import.meta.url));
const ONNX = ['onnx==1.23.2', 'onnxruntime==1.32.0', 'tokenizers==0.23.3', 'safetensors==0.8.0', 'numpy==2.4.6'];
const SENTENCE_TRANSFORMERS = ['sentence-transformers==6.2.0'];
const TRANSFORMERS_JS = '@huggingface/transformers@4.3.1';

/** Texts that are encoded `batch` at a time. */
export interface PeerLoad {
  readonly batch: number;
  readonly texts: readonly string[];
}

export interface PeerAnswer {
  readonly version: string;
  /** One for each load. */
  readonly textsPerSecond: readonly number[];
  /** Vector of the first text of the first load. */
  readonly first: readonly number[];
}

export interface EncodePeer {
  readonly name: string;
  encode(threads: number, loads: readonly PeerLoad[]): Promise<PeerAnswer>;
}

interface Recipe {
  readonly name: string;
  /** Of the folder in the test cache. */
  readonly folder: string;
  readonly make: (folder: string) => Promise<void>;
  /** Command line in the made folder. */
  readonly command: (folder: string) => Promise<readonly [file: string, ...args: string[]]>;
}

const RECIPES: readonly Recipe[] = [
  {
    name: 'onnxruntime, padded',
    folder: 'peer-onnxruntime-1.32.0',
    make: async (folder) => {
      await makeVenv(folder, ONNX);
      await run(pythonOf(folder), [join(SCRIPTS, 'make_bert_onnx.py'), await testEncoder(), join(folder, 'model.onnx')]);
    },
    command: async (folder) => [
      pythonOf(folder),
      join(SCRIPTS, 'padded.py'),
      'onnxruntime',
      await testEncoder(),
      join(folder, 'model.onnx'),
    ],
  },
  {
    name: 'transformers.js',
    folder: 'peer-transformers.js-4.3.1',
    make: makeTransformersJs,
    command: async (folder) => [process.execPath, join(SCRIPTS, 'transformers-js.mjs'), join(folder, 'node_modules'), folder, 'model'],
  },
  {
    name: 'sentence-transformers',
    folder: 'peer-sentence-transformers-6.2.0',
    make: (folder) => makeVenv(folder, SENTENCE_TRANSFORMERS),
    command: async (folder) => [pythonOf(folder), join(SCRIPTS, 'padded.py'), 'sentence-transformers', await testEncoder(), ''],
  },
];

/** Those that are installed, or can be; what cannot is logged. `mayInstall`: the first time takes minutes and some gigabytes. */
export async function findEncodePeers(mayInstall: boolean, log: (line: string) => void): Promise<readonly EncodePeer[]> {
  const peers: EncodePeer[] = [];
  for (const recipe of RECIPES) {
    const folder = mayInstall ? await install(recipe, log) : await findCachedFolder(recipe.folder);
    if (folder !== null) peers.push({ name: recipe.name, encode: (threads, loads) => encode(recipe, folder, { threads, loads }) });
  }
  return peers;
}

async function install({ name, folder, make }: Recipe, log: (line: string) => void): Promise<string | null> {
  try {
    return await cachedFolder(folder, async (target) => {
      log(`Installing ${name} (once) …`);
      await make(target);
    });
  } catch (error) {
    log(`${name} cannot be installed, and is left out: ${error instanceof Error ? error.message.slice(0, 300) : String(error)}`);
    return null;
  }
}

async function makeVenv(folder: string, packages: readonly string[]): Promise<void> {
  await run('python3', ['-m', 'venv', folder]);
  await run(pythonOf(folder), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages], { maxBuffer: 1 << 26 });
}

function pythonOf(folder: string): string {
  return join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
}

/** Its model is the graph that plain ONNX Runtime has, beside the model's own files. */
async function makeTransformersJs(folder: string): Promise<void> {
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--silent', '--prefix', folder];
  await run('npm', ['install', ...flags, TRANSFORMERS_JS], { shell: process.platform === 'win32' });
  const [onnx, source] = [await findCachedFolder('peer-onnxruntime-1.32.0'), await testEncoder()];
  if (onnx === null) throw new Error('the graph of plain ONNX Runtime is missing');
  await mkdir(join(folder, 'model/onnx'), { recursive: true });
  const settings = (await readdir(source)).filter((name) => name.endsWith('.json'));
  await Promise.all(settings.map((name) => copyFile(join(source, name), join(folder, 'model', name))));
  await symlink(join(onnx, 'model.onnx'), join(folder, 'model/onnx/model.onnx'));
}

/** @throws with what the peer printed when it fails */
async function encode(
  { name, command }: Recipe,
  folder: string,
  work: { threads: number; loads: readonly PeerLoad[] },
): Promise<PeerAnswer> {
  const [file, ...args] = await command(folder);
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let [out, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-4000)));
  child.stdin.end(JSON.stringify(work));
  const code = await new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject));
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${errors}`);
  return JSON.parse(out) as PeerAnswer;
}
