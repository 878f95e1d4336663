// nvidia-smi as a program that goes on, played by Node itself.
import { afterEach, describe, expect, test } from 'vitest';
import { NvidiaSmi } from '../../../engine/ledger/devices/nvidia.ts';

const never = new AbortController().signal;
const open: NvidiaSmi[] = [];
afterEach(() => open.splice(0).forEach((source) => source.close()));

function played(script: string, nowMs?: () => number): NvidiaSmi {
  const source = new NvidiaSmi({ file: process.execPath, args: ['-e', script] }, nowMs);
  open.push(source);
  return source;
}

/** Prints two cards, the second first, and goes on. */
const TWO_CARDS = `
  console.log('1, Card B, 20, 200, 2000, 120.5, 60');
  console.log('0, Card A, 10, 100, 1000, [N/A], 50');
  setInterval(() => undefined, 1000);`;

async function untilCards(source: NvidiaSmi, count: number): Promise<readonly { readonly name: string }[]> {
  for (;;) {
    const cards = (await source.read(never)) ?? [];
    if (cards.length >= count) return cards;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('nvidia-smi', () => {
  test('gives the newest line of each card, in their order', async () => {
    expect(await untilCards(played(TWO_CARDS), 2)).toMatchObject([
      { name: 'Card A', utilisation: 0.1, powerWatts: null },
      { name: 'Card B', utilisation: 0.2, powerWatts: 120.5 },
    ]);
  });

  test('is absent where it is not installed', async () => {
    expect(await new NvidiaSmi({ file: 'millrace-test-no-such-tool', args: [] }).read(never)).toBeNull();
  });

  test('fails with its last words when it ends, and is started again', async () => {
    const source = played(`console.log('NVIDIA-SMI has failed'); process.exitCode = 9`);
    await expect(source.read(never)).rejects.toThrow('ended with code 9. NVIDIA-SMI has failed');
    await expect(source.read(never)).rejects.toThrow('ended with code 9');
  });

  test('says nothing new of cards whose lines have stopped, and ends the program with the read', async () => {
    let nowMs = 0;
    const source = played(TWO_CARDS, () => nowMs);
    await untilCards(source, 2);
    nowMs = 6000;
    const abort = new AbortController();
    const reading = source.read(abort.signal);
    abort.abort();
    expect(await reading).toMatchObject([
      { name: 'Card A', utilisation: null, powerWatts: null },
      { name: 'Card B', utilisation: null, powerWatts: null },
    ]);
  });
});
