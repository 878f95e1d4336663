// What the C library keeps of freed memory goes back to the machine.
import { expect, test } from 'vitest';
import { openLibrary } from '../../engine/ort/native_library.ts';
import { systemMemory } from '../../engine/ort/index.ts';

const BLOCK_BYTES = 4096;
const BLOCKS = 20_000;

test.runIf(process.platform === 'linux')('freed blocks under one that is in use are given back', () => {
  const library = openLibrary('libc.so.6');
  const malloc = library.func('malloc', 'intptr', ['size_t']) as (bytes: number) => number;
  const free = library.func('free', 'void', ['intptr']) as (address: number) => void;
  const memset = library.func('memset', 'intptr', ['intptr', 'int', 'size_t']) as (at: number, byte: number, bytes: number) => number;
  const blocks = Array.from({ length: BLOCKS }, () => malloc(BLOCK_BYTES));
  for (const block of blocks) memset(block, 1, BLOCK_BYTES);
  const last = blocks.pop() ?? 0;
  for (const block of blocks) free(block);
  const before = process.memoryUsage().rss;
  systemMemory().trim();
  const given = before - process.memoryUsage().rss;
  free(last);
  expect(given).toBeGreaterThan(0.8 * BLOCK_BYTES * BLOCKS);
});
