// What the benchmark says about the machine, and the memory of process trees. Linux tells both; elsewhere less is known.
import { readFile, readdir } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Those instruction sets that the kernels of either side choose by. */
  readonly instructionSets: readonly string[];
}

const TELLING = [
  'avx',
  'avx2',
  'avx_vnni',
  'fma',
  'f16c',
  'avx512f',
  'avx512bw',
  'avx512_vnni',
  'avx512_bf16',
  'amx_int8',
  'asimddp',
  'i8mm',
  'sve',
];

export async function describeMachine(): Promise<Machine> {
  const info = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const flags = new Set((/^(?:flags|Features)\s*:\s*(.*)$/m.exec(info)?.[1] ?? '').split(' '));
  return {
    cpu: cpus()[0]?.model.trim() ?? process.arch,
    cores: availableParallelism(),
    instructionSets: TELLING.filter((flag) => flags.has(flag)),
  };
}

/** Processor seconds that a process, all its threads together, has used; null where the system does not tell. Its clock ticks 100 times a
 *  second. */
export async function cpuSeconds(pid: number): Promise<number | null> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (line === null) return null;
  // The name in parentheses may hold anything; user and system time are the 14th and 15th field of the line.
  const fields = line.slice(line.lastIndexOf(') ') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Proportional set size of a process and all its descendants, in bytes; null where the system does not tell. */
export async function treePssBytes(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  const [own, below] = await Promise.all([pssBytes(pid), childrenPssBytes(pid)]);
  return own + (below ?? 0);
}

/** The same without the process itself: of a server, what its models' processes take. */
export async function childrenPssBytes(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  const sizes = await Promise.all((await descendants(pid)).map(pssBytes));
  return sizes.reduce((total, size) => total + size, 0);
}

/** Zero for a process that has just ended. */
async function pssBytes(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0) * 1024;
}

/** Of the same processes, what holds weights: the mapped files named so, and the C heap with the copies packed for the kernels. */
export async function childrenWeightBytes(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  const maps = await Promise.all((await descendants(pid)).map((child) => readFile(`/proc/${child}/smaps`, 'utf8').catch(() => '')));
  return maps.reduce((total, map) => total + weightBytes(map), 0);
}

/** Resident bytes of the mappings of one `smaps` that hold weights. */
export function weightBytes(smaps: string): number {
  const mappings = smaps
    .split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
    .filter((text) => /^[^\n]*(\[heap\]|weights\.bin)$/m.test(text.split('\n', 1)[0] ?? ''));
  return mappings.reduce((total, text) => total + Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024, 0);
}

/** Ids of the children of a process, and of theirs. Linux only. */
export async function descendants(pid: number): Promise<readonly number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')));
  const children = lists.join(' ').split(/\s+/).filter(Boolean).map(Number);
  const deeper = await Promise.all(children.map(descendants));
  return [...children, ...deeper.flat()];
}

/** Cores that are busy now, over a short look; null where the system does not tell. Meaningful while the caller itself waits. */
export async function busyCores(): Promise<number | null> {
  const [before, startedMs] = [await busySeconds(), performance.now()];
  await delay(500);
  const after = await busySeconds();
  return before === null || after === null ? null : ((after - before) / (performance.now() - startedMs)) * 1000;
}

/** Processor seconds, all cores together, that the machine has been busy since it started. Its clock ticks 100 times a second. */
async function busySeconds(): Promise<number | null> {
  const line = (await readFile('/proc/stat', 'utf8').catch(() => '')).split('\n')[0] ?? '';
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(/\s+/).slice(1).map(Number);
  return line === '' ? null : (user + nice + system + irq + softirq) / 100;
}
