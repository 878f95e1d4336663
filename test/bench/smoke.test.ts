// The benchmark runs: every part gives figures that are numbers, on the real model. Against the peer too where it is built.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import type { Figure } from './figure.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const PARTS = [
  'same weights (as shipped)',
  'speculation',
  'server',
  'shared prefix',
  'start',
  'gateway',
  'quality',
  'encode',
  'history',
  'cache',
  'router',
  'replay',
];
// Only Linux tells the proportional set size.
const EXPECTED = process.platform === 'linux' ? [...PARTS, 'memory'] : PARTS;

it('npm run bench -- --smoke', { timeout: 900_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const file = join(folder, 'bench.json');
  const { stdout, stderr } = await run(process.execPath, [MAIN, '--smoke', '--json', file], { maxBuffer: 1 << 24 });
  const { figures } = JSON.parse(await readFile(file, 'utf8')) as { figures: readonly Figure[] };
  await rm(folder, { recursive: true });
  for (const part of EXPECTED)
    expect(
      figures.some((figure) => figure.part.startsWith(part)),
      part,
    ).toBe(true);
  for (const figure of figures) {
    expect(figure.ours.length, figure.name).toBeGreaterThan(0);
    expect(figure.ours.every(Number.isFinite), `${figure.name}: ${figure.ours.join(' ')}`).toBe(true);
    expect(stdout).toContain(figure.name);
  }
  const failed = figures.filter((figure) => figure.name.endsWith('failed requests'));
  expect(failed.every((figure) => figure.ours.every((count) => count === 0))).toBe(true);
  const compared = figures.some((figure) => figure.peer.length > 0);
  expect(compared || stderr.includes('ours alone')).toBe(true);
});
