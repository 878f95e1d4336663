// Reads the processor's temperature from Linux's hardware monitors. https://docs.kernel.org/hwmon/sysfs-interface.html
import { join } from 'node:path';
import type { CpuFacts, DeviceSource } from './facts.ts';
import { listFolder, readNumber, readText } from './files.ts';

/** Drivers of processors' own sensors: Intel, AMD (two), and boards with Arm processors. */
const DRIVERS = new Set(['coretemp', 'k10temp', 'zenpower', 'cpu_thermal', 'scpi_sensors']);

export class Hwmon implements DeviceSource<CpuFacts> {
  readonly name = 'hwmon';
  readonly periodMs = 2_000;
  readonly timeoutMs = 2_000;
  readonly #folder: string;

  constructor(folder = '/sys/class/hwmon') {
    this.#folder = folder;
  }

  /** The hottest of the processors' sensors. */
  async read(): Promise<CpuFacts | null> {
    const monitors = await Promise.all((await listFolder(this.#folder)).map((name) => this.#monitor(join(this.#folder, name))));
    const readings = monitors.flatMap(({ driver, millidegrees }) => millidegrees.map((value) => ({ driver, value })));
    const hottest = readings.toSorted((a, b) => b.value - a.value)[0];
    if (hottest === undefined) return null;
    return { temperature: { value: hottest.value / 1000, basis: `the hottest sensor of ${hottest.driver}` } };
  }

  async #monitor(path: string): Promise<{ readonly driver: string; readonly millidegrees: readonly number[] }> {
    const driver = (await readText(join(path, 'name'))) ?? '';
    if (!DRIVERS.has(driver)) return { driver, millidegrees: [] };
    const inputs = (await listFolder(path)).filter((name) => /^temp\d+_input$/.test(name));
    const values = await Promise.all(inputs.map((name) => readNumber(join(path, name))));
    return { driver, millidegrees: values.filter((value) => value !== null) };
  }
}
