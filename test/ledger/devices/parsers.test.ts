// What the vendors' tools print, as their documentation and manuals show it; no such hardware is asked here.
import { describe, expect, test } from 'vitest';
import { parseRocmSmi } from '../../../engine/ledger/devices/amd.ts';
import { parseIoreg, parsePowerMetrics } from '../../../engine/ledger/devices/apple.ts';
import { powerBetween } from '../../../engine/ledger/devices/energy-counter.ts';
import { parseNvidiaLine } from '../../../engine/ledger/devices/nvidia.ts';
import { parseProcStat, utilisationBetween } from '../../../engine/ledger/devices/processor.ts';
import { adapterFacts } from '../../../engine/ledger/devices/system.ts';

const MIB = 2 ** 20;

describe('nvidia-smi', () => {
  test('gives a card a line: percent, MiB, watts, degrees', () => {
    expect(parseNvidiaLine('1, NVIDIA GeForce RTX 4090, 71, 9216, 24564, 312.45, 66')).toEqual({
      index: 1,
      facts: {
        name: 'NVIDIA GeForce RTX 4090',
        origin: 'nvidia-smi',
        utilisation: 0.71,
        memoryUsedBytes: 9216 * MIB,
        memoryTotalBytes: 24_564 * MIB,
        powerWatts: 312.45,
        temperatureCelsius: 66,
        integrated: false,
      },
    });
  });

  test('leaves unknown what a card does not tell, in the words of old and new drivers', () => {
    const facts = parseNvidiaLine('0, NVIDIA GB10, [N/A], [N/A], [Not Supported], [Unknown Error], 41')?.facts;
    expect(facts).toMatchObject({ utilisation: null, memoryUsedBytes: null, memoryTotalBytes: null, powerWatts: null });
    expect(facts?.temperatureCelsius).toBe(41);
  });

  test.each([
    '',
    'No devices were found',
    'NVIDIA-SMI has failed because it could not communicate with the driver.',
    'a, b, c, d, e, f, g',
  ])('takes no other line for a card: %s', (line) => {
    expect(parseNvidiaLine(line)).toBeNull();
  });
});

describe('rocm-smi', () => {
  const older = { 'Card series': 'Radeon Pro', 'GPU use (%)': '45', 'Average Graphics Package Power (W)': '36.5' };
  const newer = {
    'Card Series': 'Instinct',
    'GPU use (%)': '100',
    'VRAM Total Memory (B)': '34208743424',
    'VRAM Total Used Memory (B)': '31675207680',
    'Current Socket Graphics Package Power (W)': '314.0',
    'Temperature (Sensor edge) (C)': 'N/A',
    'Temperature (Sensor junction) (C)': '62.0',
  };

  test('gives cards in the order of their numbers, in the names of old and new releases', () => {
    const text = `WARNING: something\n${JSON.stringify({ card10: older, card2: newer, system: { 'Driver version': '6.8' } })}`;
    expect(parseRocmSmi(text)).toMatchObject([
      { name: 'Instinct', utilisation: 1, memoryUsedBytes: 31_675_207_680, memoryTotalBytes: 34_208_743_424, powerWatts: 314 },
      { name: 'Radeon Pro', utilisation: 0.45, memoryUsedBytes: null, powerWatts: 36.5, temperatureCelsius: null },
    ]);
  });

  test('says when it is no JSON', () => {
    expect(() => parseRocmSmi('ERROR: no GPU')).toThrow(SyntaxError);
    expect(parseRocmSmi('{}')).toEqual([]);
  });
});

describe('Apple', () => {
  const entry = (name: string, stats: string): string =>
    `+-o ${name}  <class ${name}, id 0x10000073f, registered, matched, active, busy 0 (12 ms), retain 55>\n    {\n` +
    `      "model" = "Apple M2 Max"\n      "IOReportLegend" = ({"IOReportChannels"=((1,2,"In use system memory"))})\n${stats}    }\n`;

  test('tells use and memory in the I/O registry', () => {
    const stats =
      '      "PerformanceStatistics" = {"In use system memory (driver)"=0,"Device Utilization %"=16,"In use system memory"=2363801600}\n';
    expect(parseIoreg(`${entry('AGXAccelerator', stats)}\n${entry('Other', '')}`, 64 * 2 ** 30)).toEqual([
      {
        name: 'Apple M2 Max',
        origin: 'ioreg',
        utilisation: 0.16,
        memoryUsedBytes: 2_363_801_600,
        memoryTotalBytes: 64 * 2 ** 30,
        powerWatts: null,
        temperatureCelsius: null,
        integrated: true,
      },
    ]);
    expect(parseIoreg('', 1)).toBeNull();
  });

  test('tells the power of the whole chip by powermetrics', () => {
    expect(parsePowerMetrics('CPU Power: 823 mW\nGPU Power: 26 mW\nANE Power: 323 mW\nCombined Power (CPU + GPU + ANE): 1172 mW\n')).toBe(
      1.172,
    );
    expect(parsePowerMetrics('CPU Power: 823 mW\n')).toBeNull();
  });
});

describe('Windows', () => {
  test('lists adapters that could run a model', () => {
    const adapters = [
      { vendor: 'NVIDIA', model: 'NVIDIA GeForce RTX 4060', vramMiB: 8188 },
      { vendor: 'Microsoft', model: 'Microsoft Basic Render Driver', vramMiB: 0 },
      { vendor: 'Intel Corporation', model: 'Intel(R) Arc(TM) A770', vramMiB: 16_384 },
      { vendor: 'AMD', model: 'AMD Radeon(TM) Graphics', vramMiB: null },
    ];
    expect(adapterFacts(adapters)).toMatchObject([
      { name: 'Intel(R) Arc(TM) A770', memoryTotalBytes: 16_384 * MIB },
      { name: 'AMD Radeon(TM) Graphics', memoryTotalBytes: null },
    ]);
    expect(adapterFacts(adapters.slice(0, 2))).toBeNull();
  });
});

describe('/proc/stat', () => {
  test('is busy in all but idle and iowait, and does not count guests twice', () => {
    expect(parseProcStat('cpu  100 10 50 800 20 5 5 10 40 2\ncpu0 1 2 3 4 5 6 7 8 9 0\n')).toEqual({ busy: 180, total: 1000 });
    expect(parseProcStat('intr 1 2 3')).toBeNull();
    expect(parseProcStat('cpu  a b c d')).toBeNull();
  });

  test('gives utilisation between two readings, 0 to 1', () => {
    expect(utilisationBetween({ busy: 100, total: 1000 }, { busy: 150, total: 1200 })).toBe(0.25);
    expect(utilisationBetween({ busy: 100, total: 1000 }, { busy: 90, total: 1100 })).toBe(0);
    expect(utilisationBetween({ busy: 100, total: 1000 }, { busy: 100, total: 1000 })).toBeNull();
  });
});

describe('an energy counter', () => {
  const before = { microjoules: 9_000_000, atMs: 1000 };

  test('gives the mean power between two readings', () => {
    expect(powerBetween(before, { microjoules: 24_000_000, atMs: 1500 }, null)).toBe(30);
  });

  test('wraps where its range ends, and is unknown after a reset', () => {
    expect(powerBetween(before, { microjoules: 1_000_000, atMs: 2000 }, 10_000_000)).toBe(2);
    expect(powerBetween(before, { microjoules: 1_000_000, atMs: 2000 }, null)).toBeNull();
  });

  test('gives nothing without time between', () => {
    expect(powerBetween(before, { microjoules: 10_000_000, atMs: 1000 }, null)).toBeNull();
  });
});
