// Owns what is known of the memory of runner processes: read in the background when somebody asks, at most once a second.
// Knows nothing about models.
import { readFile } from 'node:fs/promises';

/** Bytes of a process that are in memory; null where the system does not tell. */
export type ReadMemory = (pid: number) => Promise<number | null>;

interface Reading {
  readonly bytes: number | null;
  readonly nextMs: number;
}

const PERIOD_MS = 1000;

export class ProcessMemory {
  readonly #read: ReadMemory;
  readonly #now: () => number;
  #readings = new Map<number, Reading>();
  readonly #underWay = new Set<number>();

  constructor(now: () => number, read: ReadMemory = readResident) {
    this.#now = now;
    this.#read = read;
  }

  /** The last reading; null before the first. */
  of(pid: number): number | null {
    return this.#readings.get(pid)?.bytes ?? null;
  }

  /** Reads those of these processes that are due, and forgets the others. Does not wait for them. */
  refresh(pids: readonly number[]): void {
    this.#readings = new Map([...this.#readings].filter(([pid]) => pids.includes(pid)));
    const due = pids.filter((pid) => !this.#underWay.has(pid) && (this.#readings.get(pid)?.nextMs ?? 0) <= this.#now());
    for (const pid of due) void this.#readOne(pid);
  }

  async #readOne(pid: number): Promise<void> {
    this.#underWay.add(pid);
    const bytes = await this.#read(pid);
    this.#readings.set(pid, { bytes, nextMs: this.#now() + PERIOD_MS });
    this.#underWay.delete(pid);
  }
}

/** Linux: the resident set of proc_pid_status(5), pages of mapped weights included. What several processes share (Node, ONNX Runtime, a few
 *  per cent) counts in each: smaps_rollup would tell them apart, but has the kernel walk all pages and hold up the process meanwhile. */
async function readResident(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  // The process may have ended, or be another user's.
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return parseResident(text);
}

/** Bytes of the `VmRSS:` line; null without one. */
export function parseResident(status: string): number | null {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}
