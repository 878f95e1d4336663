// Prepares the encoder that is compared: our conversions of it, and the same weights as the GGUF files that the peer reads.
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cachedFolder } from '../cache.ts';
import { testEncoder } from '../models.ts';
import { convertedEncoder } from '../served.ts';
import type { Peer } from './peer.ts';

const run = promisify(execFile);
const WRITER = fileURLToPath(new URL('make_bert_gguf.py', import.meta.url));
const GGUF_PACKAGE = 'gguf==0.19.0';

export interface EncoderFiles {
  /** Our data folder, with the encoder in 8 bits and in float32. */
  readonly dataDir: string;
  /** The peer's files; null without a peer. */
  readonly peer: { readonly f32: string; readonly q8: string } | null;
}

/** Takes half a minute the first time, nothing after that. */
export async function prepareEncoder(peer: Peer | null, log: (line: string) => void): Promise<EncoderFiles> {
  const dataDir = await convertedEncoder();
  if (peer === null) return { dataDir, peer: null };
  const folder = await cachedFolder('gguf-all-minilm-l6-v2', async (target) => {
    log('Writing the encoder in the peer’s format …');
    const venv = join(target, 'venv');
    await run('python3', ['-m', 'venv', venv]);
    await run(join(venv, 'bin/python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', GGUF_PACKAGE]);
    await run(join(venv, 'bin/python'), [WRITER, await testEncoder(), join(target, 'f32.gguf')]);
    await peer.run('llama-quantize', [join(target, 'f32.gguf'), join(target, 'q8.gguf'), 'Q8_0']);
    await rm(venv, { recursive: true });
  });
  return { dataDir, peer: { f32: join(folder, 'f32.gguf'), q8: join(folder, 'q8.gguf') } };
}
