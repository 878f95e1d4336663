// Prepares what is compared: the GGUF as shipped, the peer's requantised forms of it, and our conversions of the same file.
import { rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { cachedFolder } from '../cache.ts';
import { testModel } from '../models.ts';
import { convertedData } from '../served.ts';
import type { ModelFiles } from './context.ts';
import type { Peer } from './peer.ts';
import { writeRandomModel } from './random-model.ts';

/** Instead of a file: the 1B-class shape with random weights. */
export const RANDOM_1B = 'random-1b';
const EXACT = 'bench-exact';
const INT8 = 'bench-int8';

/** Takes a minute the first time, nothing after that. */
export async function prepareFiles(model: string | null, peer: Peer | null, log: (line: string) => void): Promise<ModelFiles> {
  const source = await chooseSource(model, peer, log);
  const requantised = peer === null ? null : await requantise(peer, source, log);
  log('Converting our variants …');
  const dataDir = await convertedData([
    { file: source, name: EXACT, precision: 'int4' },
    { file: source, name: INT8, precision: 'int8' },
  ]);
  const form = (type: string): string | null => (requantised === null ? null : join(requantised, `${type}.gguf`));
  return { source, q8: form('Q8_0'), q4: form('Q4_0'), q4k: form('Q4_K_M'), dataDir, exactModel: EXACT, int8Model: INT8 };
}

async function chooseSource(model: string | null, peer: Peer | null, log: (line: string) => void): Promise<string> {
  if (model === null) return testModel();
  if (model !== RANDOM_1B) return resolve(model);
  if (peer === null) throw new Error(`--model ${RANDOM_1B} needs the peer's quantiser.`);
  const folder = await cachedFolder(RANDOM_1B, async (target) => {
    log('Making a 1B-class model of random weights …');
    const wide = join(target, 'wide.gguf');
    writeRandomModel(wide, await testModel());
    // The same block format as the file that the small model ships in.
    await peer.run('llama-quantize', ['--allow-requantize', wide, join(target, 'random-1b.gguf'), 'Q4_1']);
    await rm(wide);
  });
  return join(folder, 'random-1b.gguf');
}

async function requantise(peer: Peer, source: string, log: (line: string) => void): Promise<string> {
  const { size } = await stat(source);
  return cachedFolder(`gguf-k-${basename(source, '.gguf')}-${size}`, async (folder) => {
    for (const type of ['Q8_0', 'Q4_0', 'Q4_K_M']) {
      log(`Making the peer's ${type} form …`);
      await peer.run('llama-quantize', ['--allow-requantize', source, join(folder, `${type}.gguf`), type]);
    }
  });
}
