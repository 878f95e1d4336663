// Linux's files, laid out in a folder as the kernel's documentation has them.
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AmdCards } from '../../../engine/ledger/devices/amd.ts';
import { Hwmon } from '../../../engine/ledger/devices/hwmon.ts';
import { IntelCards } from '../../../engine/ledger/devices/intel.ts';
import { Rapl } from '../../../engine/ledger/devices/rapl.ts';

const never = new AbortController().signal;
const NO_TOOL = { file: 'millrace-test-no-such-tool', args: [] };

let folder = '';
let nowMs = 0;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-sysfs-'));
  nowMs = 1000;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function files(contents: Readonly<Record<string, string | number>>): Promise<void> {
  for (const [name, content] of Object.entries(contents)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), `${content}\n`);
  }
}

describe('RAPL', () => {
  const ZONES = {
    'intel-rapl:0/name': 'package-0',
    'intel-rapl:0/energy_uj': 900_000_000,
    'intel-rapl:0/max_energy_range_uj': 1_000_000_000,
    'intel-rapl:0:0/name': 'core',
    'intel-rapl:0:0/energy_uj': 500_000_000,
    'intel-rapl:0:1/name': 'dram',
    'intel-rapl:0:1/energy_uj': 1_000_000,
    'intel-rapl:1/name': 'psys',
    'intel-rapl:1/energy_uj': 7,
    'intel-rapl-mmio:0/name': 'package-0',
    'intel-rapl-mmio:0/energy_uj': 900_000_000,
  };

  test('sums packages and memory, once each, over a counter that wraps', async () => {
    await files(ZONES);
    const rapl = new Rapl(folder, () => nowMs);
    expect((await rapl.read())?.power?.value).toBeNull();
    await files({ 'intel-rapl:0/energy_uj': 20_000_000, 'intel-rapl:0:1/energy_uj': 11_000_000, 'intel-rapl:0:0/energy_uj': 1 });
    nowMs += 2000;
    const power = (await rapl.read())?.power;
    expect(power?.value).toBeCloseTo((120 + 10) / 2, 9);
    expect(power?.basis).toContain('RAPL');
  });

  test('is absent where the kernel has none', async () => {
    expect(await new Rapl(join(folder, 'none')).read()).toBeNull();
    await files({ 'intel-rapl:0/name': 'psys' });
    expect(await new Rapl(folder).read()).toBeNull();
  });

  test('says that root alone may read it', async () => {
    await files(ZONES);
    await rm(join(folder, 'intel-rapl:0:1/energy_uj'));
    // Root may read a file without permissions: a counter that is gone is refused in the same way.
    await chmod(join(folder, 'intel-rapl:0/energy_uj'), 0);
    expect((await new Rapl(folder).read())?.power).toEqual({ value: null, basis: expect.stringContaining('only root') });
  });
});

describe('hwmon', () => {
  test('gives the hottest sensor of a processor, not of a disk', async () => {
    await files({
      'hwmon0/name': 'nvme',
      'hwmon0/temp1_input': 80_000,
      'hwmon1/name': 'coretemp',
      'hwmon1/temp1_input': 61_000,
      'hwmon1/temp2_input': 67_500,
      'hwmon1/temp2_label': 'Core 0',
    });
    expect(await new Hwmon(folder).read()).toEqual({ temperature: { value: 67.5, basis: 'the hottest sensor of coretemp' } });
  });

  test('is absent without such a sensor', async () => {
    await files({ 'hwmon0/name': 'nvme', 'hwmon0/temp1_input': 80_000 });
    expect(await new Hwmon(folder).read()).toBeNull();
  });
});

describe('amdgpu', () => {
  test('gives each card by its files; outputs and other vendors are none', async () => {
    await files({
      'card0/device/vendor': '0x8086',
      'card1/device/vendor': '0x1002',
      'card1/device/device': '0x744c',
      'card1/device/gpu_busy_percent': 37,
      'card1/device/mem_info_vram_used': 4_000_000_000,
      'card1/device/mem_info_vram_total': 24_000_000_000,
      'card1/device/hwmon/hwmon5/power1_average': 214_000_000,
      'card1/device/hwmon/hwmon5/temp1_input': 58_000,
      'card1-DP-1/device/vendor': '0x1002',
      'card2/device/vendor': '0x1002',
      'card2/device/product_name': 'Instinct MI210',
      'card2/device/hwmon/hwmon6/power1_input': 90_500_000,
    });
    const cards = await new AmdCards(folder, NO_TOOL).read(never);
    expect(cards).toMatchObject([
      { name: 'AMD GPU 0x744c', utilisation: 0.37, memoryUsedBytes: 4e9, memoryTotalBytes: 24e9, powerWatts: 214, temperatureCelsius: 58 },
      { name: 'Instinct MI210', utilisation: null, memoryUsedBytes: null, powerWatts: 90.5, temperatureCelsius: null },
    ]);
  });

  test('asks rocm-smi where there are no such files', async () => {
    const script = `console.log(JSON.stringify({ card0: { 'Card Series': 'X', 'GPU use (%)': '5' } }))`;
    expect(await new AmdCards(folder, { file: process.execPath, args: ['-e', script] }).read(never)).toMatchObject([
      { name: 'X', utilisation: 0.05 },
    ]);
  });

  test('is absent where neither is', async () => {
    expect(await new AmdCards(folder, NO_TOOL).read(never)).toBeNull();
  });
});

describe('Intel cards', () => {
  test('give power from their energy, and are none without a monitor of their own', async () => {
    await files({ 'card0/device/vendor': '0x8086', 'card1/device/vendor': '0x8086', 'card1/device/device': '0x56a0' });
    expect(await new IntelCards(folder).read()).toBeNull();
    await files({ 'card1/device/hwmon/hwmon3/energy1_input': 5_000_000, 'card1/device/hwmon/hwmon3/temp2_input': 49_000 });
    const cards = new IntelCards(folder, () => nowMs);
    expect(await cards.read()).toMatchObject([{ name: 'Intel GPU 0x56a0', powerWatts: null, temperatureCelsius: 49 }]);
    await files({ 'card1/device/hwmon/hwmon3/energy1_input': 65_000_000 });
    nowMs += 1500;
    expect(await cards.read()).toMatchObject([{ powerWatts: 40, utilisation: null }]);
  });
});
