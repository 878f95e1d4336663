// Reads the processor's own energy counters (RAPL) through Linux's powercap files; AMD processors have them under the same name.
// https://docs.kernel.org/power/powercap/powercap.html
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { powerBetween, type EnergyReading } from './energy-counter.ts';
import type { CpuFacts, DeviceSource } from './facts.ts';
import { listFolder, readNumber, readText } from './files.ts';

interface Zone {
  readonly path: string;
  /** The counter starts again at 0 there. */
  readonly wrapsAt: number | null;
}

const MEASURED = 'RAPL counters of the processor and, where it has one, its memory; disks, fans and power supply are not in it';

export class Rapl implements DeviceSource<CpuFacts> {
  readonly name = 'RAPL';
  readonly periodMs = 1_000;
  readonly timeoutMs = 2_000;
  readonly #folder: string;
  readonly #nowMs: () => number;
  readonly #last = new Map<string, EnergyReading>();

  constructor(folder = '/sys/class/powercap', nowMs: () => number = () => performance.now()) {
    this.#folder = folder;
    this.#nowMs = nowMs;
  }

  async read(): Promise<CpuFacts | null> {
    const zones = await this.#zones();
    if (zones.length === 0) return null;
    if (!(await allReadable(zones))) return { power: { value: null, basis: 'only root may read the RAPL counters (energy_uj)' } };
    const powers = await Promise.all(zones.map((zone) => this.#power(zone)));
    const known = powers.filter((power) => power !== null);
    if (known.length < zones.length) return { power: { value: null, basis: 'RAPL gives power from its second reading on' } };
    return { power: { value: known.reduce((sum, power) => sum + power, 0), basis: MEASURED } };
  }

  /** Packages and their memory. `core` and `uncore` are parts of a package, `psys` holds packages; mmio zones repeat them. */
  async #zones(): Promise<readonly Zone[]> {
    const names = (await listFolder(this.#folder)).filter((name) => /^intel-rapl:\d+(:\d+)?$/.test(name));
    const zones = await Promise.all(
      names.map(async (name) => {
        const path = join(this.#folder, name);
        const label = (await readText(join(path, 'name'))) ?? '';
        return { path, counts: /^package-|^dram$/.test(label), wrapsAt: await readNumber(join(path, 'max_energy_range_uj')) };
      }),
    );
    return zones.filter((zone) => zone.counts);
  }

  async #power({ path, wrapsAt }: Zone): Promise<number | null> {
    const microjoules = await readNumber(join(path, 'energy_uj'));
    if (microjoules === null) return null;
    const now = { microjoules, atMs: this.#nowMs() };
    const before = this.#last.get(path);
    this.#last.set(path, now);
    return before === undefined ? null : powerBetween(before, now, wrapsAt);
  }
}

async function allReadable(zones: readonly Zone[]): Promise<boolean> {
  const answers = await Promise.allSettled(zones.map(({ path }) => access(join(path, 'energy_uj'), constants.R_OK)));
  return answers.every((answer) => answer.status === 'fulfilled');
}
