// Reads Intel's separate cards from the monitors of Linux's i915 and xe drivers. Those give no utilisation, and graphics inside a
// processor have no monitor: its power is in the processor's figure.
// https://www.kernel.org/doc/Documentation/ABI/testing/sysfs-driver-intel-i915-hwmon and sysfs-driver-intel-xe-hwmon
import { join } from 'node:path';
import { cardsOfVendor } from './amd.ts';
import { powerBetween, type EnergyReading } from './energy-counter.ts';
import type { DeviceSource, GpuFacts } from './facts.ts';
import { listFolder, readNumber, readText } from './files.ts';

const INTEL_VENDOR = '0x8086';

export class IntelCards implements DeviceSource<readonly GpuFacts[]> {
  readonly name = 'Intel';
  readonly periodMs = 1_000;
  readonly timeoutMs = 2_000;
  readonly #folder: string;
  readonly #nowMs: () => number;
  readonly #last = new Map<string, EnergyReading>();

  constructor(folder = '/sys/class/drm', nowMs: () => number = () => performance.now()) {
    this.#folder = folder;
    this.#nowMs = nowMs;
  }

  async read(): Promise<readonly GpuFacts[] | null> {
    const names = await cardsOfVendor(this.#folder, INTEL_VENDOR);
    const cards = await Promise.all(names.map((name) => this.#card(join(this.#folder, name, 'device'))));
    const separate = cards.filter((card) => card !== null);
    return separate.length === 0 ? null : separate;
  }

  async #card(path: string): Promise<GpuFacts | null> {
    const monitorName = (await listFolder(join(path, 'hwmon')))[0];
    if (monitorName === undefined) return null;
    const monitor = join(path, 'hwmon', monitorName);
    // 1 is the card, 2 its chip.
    const microjoules = (await readNumber(join(monitor, 'energy1_input'))) ?? (await readNumber(join(monitor, 'energy2_input')));
    const millidegrees = (await readNumber(join(monitor, 'temp1_input'))) ?? (await readNumber(join(monitor, 'temp2_input')));
    return {
      name: `Intel GPU ${(await readText(join(path, 'device'))) ?? ''}`.trim(),
      origin: 'the i915 or xe driver',
      utilisation: null,
      memoryUsedBytes: null,
      memoryTotalBytes: null,
      powerWatts: microjoules === null ? null : this.#power(path, microjoules),
      temperatureCelsius: millidegrees === null ? null : millidegrees / 1000,
      integrated: false,
    };
  }

  #power(path: string, microjoules: number): number | null {
    const now = { microjoules, atMs: this.#nowMs() };
    const before = this.#last.get(path);
    this.#last.set(path, now);
    return before === undefined ? null : powerBetween(before, now, null);
  }
}
