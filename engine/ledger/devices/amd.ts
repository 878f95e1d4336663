// Reads AMD's cards: the amdgpu driver's files on Linux, else rocm-smi where it is installed.
// https://docs.kernel.org/gpu/amdgpu/thermal.html and driver-misc.html; rocm-smi's JSON names its fields with units.
import { join } from 'node:path';
import type { DeviceSource, GpuFacts } from './facts.ts';
import { listFolder, readNumber, readText, toNumber } from './files.ts';
import { runProgram, type Command } from './program.ts';

const AMD_VENDOR = '0x1002';
export const ROCM_SMI: Command = {
  file: 'rocm-smi',
  args: ['--showproductname', '--showuse', '--showmeminfo', 'vram', '--showpower', '--showtemp', '--json'],
};

export class AmdCards implements DeviceSource<readonly GpuFacts[]> {
  readonly name = 'AMD';
  readonly periodMs = 1_000;
  readonly timeoutMs = 5_000;
  readonly #folder: string;
  readonly #rocmSmi: Command;

  constructor(folder = '/sys/class/drm', rocmSmi: Command = ROCM_SMI) {
    this.#folder = folder;
    this.#rocmSmi = rocmSmi;
  }

  async read(signal: AbortSignal): Promise<readonly GpuFacts[] | null> {
    const names = await cardsOfVendor(this.#folder, AMD_VENDOR);
    if (names.length > 0) return Promise.all(names.map((name) => readAmdCard(join(this.#folder, name, 'device'))));
    const text = await runProgram(this.#rocmSmi, signal);
    return text === null ? null : parseRocmSmi(text);
  }
}

/** Names of the cards (`card0`, not its outputs `card0-DP-1`) whose PCI vendor this is. */
export async function cardsOfVendor(folder: string, vendor: string): Promise<readonly string[]> {
  const names = (await listFolder(folder)).filter((name) => /^card\d+$/.test(name));
  const vendors = await Promise.all(names.map((name) => readText(join(folder, name, 'device/vendor'))));
  return names.filter((_, index) => vendors[index] === vendor);
}

async function readAmdCard(path: string): Promise<GpuFacts> {
  const monitor = join(path, 'hwmon', (await listFolder(join(path, 'hwmon')))[0] ?? '');
  const busy = await readNumber(join(path, 'gpu_busy_percent'));
  const microwatts = (await readNumber(join(monitor, 'power1_average'))) ?? (await readNumber(join(monitor, 'power1_input')));
  const millidegrees = await readNumber(join(monitor, 'temp1_input'));
  return {
    name: (await readText(join(path, 'product_name'))) || `AMD GPU ${(await readText(join(path, 'device'))) ?? ''}`.trim(),
    origin: 'the amdgpu driver',
    utilisation: busy === null ? null : busy / 100,
    memoryUsedBytes: await readNumber(join(path, 'mem_info_vram_used')),
    memoryTotalBytes: await readNumber(join(path, 'mem_info_vram_total')),
    powerWatts: microwatts === null ? null : microwatts / 1e6,
    temperatureCelsius: millidegrees === null ? null : millidegrees / 1000,
    integrated: false,
  };
}

/** One entry for each `card…`, in the order of their numbers. Warnings may come before the JSON. @throws SyntaxError without JSON */
export function parseRocmSmi(text: string): readonly GpuFacts[] {
  const parsed: unknown = JSON.parse(text.slice(Math.max(0, text.search(/^\s*\{/m))));
  if (!isRecord(parsed)) return [];
  const names = Object.keys(parsed).filter((name) => /^card\d+$/.test(name));
  return names
    .toSorted((a, b) => Number(a.slice(4)) - Number(b.slice(4)))
    .flatMap((name) => {
      const card = parsed[name];
      return isRecord(card) ? [rocmFacts(card)] : [];
    });
}

/** Fields were renamed between ROCm releases; the older name comes last. */
function rocmFacts(card: Readonly<Record<string, unknown>>): GpuFacts {
  const first = (...names: readonly string[]): string | null => {
    const found = names.map((name) => card[name]).find((value) => typeof value === 'string' || typeof value === 'number');
    return found === undefined ? null : String(found);
  };
  const use = toNumber(first('GPU use (%)'));
  return {
    name: first('Card Series', 'Card series', 'Device Name', 'Card Model', 'Card model') ?? 'AMD GPU',
    origin: 'rocm-smi',
    utilisation: use === null ? null : use / 100,
    memoryUsedBytes: toNumber(first('VRAM Total Used Memory (B)')),
    memoryTotalBytes: toNumber(first('VRAM Total Memory (B)')),
    powerWatts: toNumber(first('Current Socket Graphics Package Power (W)', 'Average Graphics Package Power (W)')),
    temperatureCelsius: toNumber(first('Temperature (Sensor edge) (C)', 'Temperature (Sensor junction) (C)')),
    integrated: false,
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
