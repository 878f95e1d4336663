// Reads Apple's chips: the GPU from the I/O registry, power from powermetrics, which only root may run.
import { totalmem } from 'node:os';
import type { CpuFacts, DeviceSource, GpuFacts } from './facts.ts';
import { toNumber } from './files.ts';
import { runProgram, type Command } from './program.ts';

export const IOREG: Command = { file: 'ioreg', args: ['-r', '-d', '1', '-w', '0', '-c', 'IOAccelerator'] };
/** One sample over a second. */
export const POWERMETRICS: Command = { file: 'powermetrics', args: ['--samplers', 'cpu_power,gpu_power', '-i', '1000', '-n', '1'] };

export class AppleGpu implements DeviceSource<readonly GpuFacts[]> {
  readonly name = 'ioreg';
  readonly periodMs = 2_000;
  readonly timeoutMs = 5_000;

  async read(signal: AbortSignal): Promise<readonly GpuFacts[] | null> {
    const text = await runProgram(IOREG, signal);
    return text === null ? null : parseIoreg(text, totalmem());
  }
}

/** The accelerators of a listing by `ioreg -r -c IOAccelerator`; null when it holds none. Their memory is the machine's. */
export function parseIoreg(text: string, memoryTotalBytes: number): readonly GpuFacts[] | null {
  const entries = text.split(/^\+-o /m).filter((entry) => entry.includes('"PerformanceStatistics"'));
  const gpus = entries.map((entry) => {
    const busy = toNumber(/"Device Utilization %"=(\d+)/.exec(entry)?.[1]);
    return {
      name: /"model" = "([^"]+)"/.exec(entry)?.[1] ?? 'Apple GPU',
      origin: 'ioreg',
      utilisation: busy === null ? null : busy / 100,
      memoryUsedBytes: toNumber(/"In use system memory"=(\d+)/.exec(entry)?.[1]),
      memoryTotalBytes,
      powerWatts: null,
      temperatureCelsius: null,
      integrated: true,
    };
  });
  return gpus.length === 0 ? null : gpus;
}

export class PowerMetrics implements DeviceSource<CpuFacts> {
  readonly name = 'powermetrics';
  readonly periodMs = 2_000;
  readonly timeoutMs = 10_000;

  async read(signal: AbortSignal): Promise<CpuFacts | null> {
    if (process.getuid?.() !== 0) return { power: { value: null, basis: 'only root may run powermetrics' } };
    const text = await runProgram(POWERMETRICS, signal);
    return text === null ? null : { power: { value: parsePowerMetrics(text), basis: 'powermetrics: CPU, GPU and neural engine together' } };
  }
}

/** Watts of the whole chip; null when the text does not say. */
export function parsePowerMetrics(text: string): number | null {
  const milliwatts = toNumber(/^Combined Power \(CPU \+ GPU \+ ANE\): (\d+(?:\.\d+)?) ?mW/m.exec(text)?.[1]);
  return milliwatts === null ? null : milliwatts / 1000;
}
