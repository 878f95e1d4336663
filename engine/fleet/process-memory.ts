// Owns what is known of the memory of runner processes: read in the background when somebody asks, at most once a second.
// Knows nothing about models.
import { readFile } from 'node:fs/promises';

/** Bytes of a process, what it shares counted in part; null where the system does not tell. */
export type ReadMemory = (pid: number) => Promise<number | null>;

interface Reading {
  readonly bytes: number | null;
  readonly nextMs: number;
}

const LEAST_PERIOD_MS = 1000;
/** The kernel walks the pages of a process to answer: no more than this share of a core goes into it. */
const MOST_SHARE = 0.01;

export class ProcessMemory {
  readonly #read: ReadMemory;
  readonly #now: () => number;
  #readings = new Map<number, Reading>();
  readonly #underWay = new Set<number>();

  constructor(now: () => number, read: ReadMemory = readPss) {
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
    const startedMs = this.#now();
    const bytes = await this.#read(pid);
    const endedMs = this.#now();
    this.#readings.set(pid, { bytes, nextMs: endedMs + Math.max(LEAST_PERIOD_MS, (endedMs - startedMs) / MOST_SHARE) });
    this.#underWay.delete(pid);
  }
}

/** Linux: the proportional set size of proc_pid_smaps_rollup(5), in which a shared page counts by the number of its users. */
async function readPss(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  // The process may have ended, or be another user's.
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return parsePss(text);
}

/** Bytes of the `Pss:` line; null without one. */
export function parsePss(smapsRollup: string): number | null {
  const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(smapsRollup)?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}
