// Owns what is known about this machine's processors and memory.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Cores that this process may use; hardware threads of one core count once where the system tells (Linux). */
export function physicalCores(): number {
  const logical = availableParallelism();
  if (process.platform !== 'linux') return logical;
  const cores = new Set<string>();
  for (let cpu = 0; cpu < logical; cpu++) {
    const siblings = readTopology(cpu);
    if (siblings === null) return logical;
    cores.add(siblings);
  }
  return Math.max(1, cores.size);
}

/** Bytes that can still be used without swapping, within this process's limits (containers included). */
export function availableMemoryBytes(): number {
  return process.availableMemory();
}

/** Null where /sys does not say: containers may hide it. */
function readTopology(cpu: number): string | null {
  try {
    return readFileSync(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`, 'utf8').trim();
  } catch {
    return null;
  }
}
