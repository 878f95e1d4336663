// Reads the processor's utilisation and the system memory: /proc/stat on Linux, Node's own counters elsewhere.
import { cpus, totalmem } from 'node:os';
import type { CpuFacts, DeviceSource } from './facts.ts';
import { readText } from './files.ts';

/** Time since the start in any unit, of all cores together. */
export interface CpuTimes {
  readonly busy: number;
  readonly total: number;
}

/** The first line of /proc/stat: `cpu user nice system idle iowait irq softirq steal guest guest_nice`, the guests within user and nice (man proc_stat). */
export function parseProcStat(text: string): CpuTimes | null {
  const fields = /^cpu\s+(.+)$/m.exec(text)?.[1]?.trim().split(/\s+/).slice(0, 8).map(Number);
  if (fields === undefined || fields.length < 4 || !fields.every(Number.isFinite)) return null;
  const total = fields.reduce((sum, field) => sum + field, 0);
  const waiting = (fields[3] ?? 0) + (fields[4] ?? 0);
  return { busy: total - waiting, total };
}

/** 0 to 1; null when no time has passed. The kernel's idle counter can step back a little. */
export function utilisationBetween(before: CpuTimes, now: CpuTimes): number | null {
  const total = now.total - before.total;
  return total > 0 ? Math.min(1, Math.max(0, (now.busy - before.busy) / total)) : null;
}

export class Processor implements DeviceSource<CpuFacts> {
  readonly name = 'processor';
  readonly periodMs = 1_000;
  readonly timeoutMs = 2_000;
  #last: CpuTimes | null = null;

  async read(): Promise<CpuFacts> {
    const before = this.#last;
    const now = await cpuTimes();
    this.#last = now;
    const utilisation = before === null || now === null ? null : utilisationBetween(before, now);
    // Other systems count memory that they can take back at once as used.
    return process.platform === 'darwin' ? { utilisation } : { utilisation, ...memory() };
  }
}

/** Used is what could not be had without swapping, within this process's limits (containers included). */
function memory(): Pick<CpuFacts, 'memoryUsedBytes' | 'memoryTotalBytes'> {
  const limit = process.constrainedMemory();
  const total = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return { memoryUsedBytes: Math.max(0, total - process.availableMemory()), memoryTotalBytes: total };
}

/** Linux is read by file: `os.cpus()` there opens a file for each core. */
async function cpuTimes(): Promise<CpuTimes | null> {
  if (process.platform === 'linux') return parseProcStat((await readText('/proc/stat')) ?? '');
  return cpus().reduce(
    (sum, { times }) => {
      const busy = times.user + times.nice + times.sys + times.irq;
      return { busy: sum.busy + busy, total: sum.total + busy + times.idle };
    },
    { busy: 0, total: 0 },
  );
}
