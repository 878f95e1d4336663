// Model files that are cut or lie: `millrace pull` refuses them with the reason and installs nothing.
import { mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testModel } from '../models.ts';
import { millrace } from '../served.ts';

let folder: string;
let head: Buffer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-hostile-'));
  const file = await open(await testModel());
  head = (await file.read(Buffer.alloc(8 << 20), 0, 8 << 20, 0)).buffer;
  await file.close();
}, 600_000);
afterAll(() => rm(folder, { recursive: true }));

/** Counts of the header (GGUF specification): magic, version, then tensor count and metadata count as uint64. */
function withCount(offset: number, count: bigint): Buffer {
  const bytes = Buffer.from(head);
  bytes.writeBigUInt64LE(count, offset);
  return bytes;
}

const files: readonly (readonly [name: string, make: () => Buffer])[] = [
  ['cut in the header', () => head.subarray(0, 16)],
  ['cut in the metadata', () => head.subarray(0, 4096)],
  ['cut in the weights', () => head],
  ['an absurd tensor count', () => withCount(8, 1n << 62n)],
  ['an absurd metadata count', () => withCount(16, 1n << 62n)],
  ['a tensor count that is one too many', () => withCount(8, head.readBigUInt64LE(8) + 1n)],
  ['no GGUF at all', () => Buffer.from('<!doctype html>'.repeat(1000))],
  ['nothing', () => Buffer.alloc(0)],
];

describe('millrace pull', () => {
  it.each(files)('refuses a file with %s', async (name, make) => {
    const path = join(folder, `${name.replaceAll(' ', '-')}.gguf`);
    await writeFile(path, make());
    const pulled = await millrace(['pull', path, '--name', 'hostile', '--data-dir', folder]);
    expect(pulled.code).toBeGreaterThan(0);
    // A reason for a person, not a stack.
    expect(pulled.stderr.trim()).not.toBe('');
    expect(pulled.stderr).not.toMatch(/^\s+at /m);
    expect((await millrace(['list', '--json', '--data-dir', folder])).stdout).not.toContain('hostile');
  });

  it('refuses a sparse file that claims the size of its weights but holds zeros for a header', async () => {
    const path = join(folder, 'sparse.gguf');
    await writeFile(path, '');
    await truncate(path, 2 ** 28);
    const pulled = await millrace(['pull', path, '--name', 'hostile', '--data-dir', folder]);
    expect(pulled.code).toBeGreaterThan(0);
    expect(pulled.stderr.trim()).not.toBe('');
  });
});
