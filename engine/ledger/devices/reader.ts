// Owns the machine's list of devices: which sources exist on this platform, what they say now, and which id each card keeps.
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeviceNow, Reading } from '../../contract.ts';
import type { Log } from '../../log.ts';
import { AmdCards } from './amd.ts';
import { AppleGpu, PowerMetrics } from './apple.ts';
import { silentCard, type BasedFact, type CpuFacts, type DeviceReader, type DeviceSource, type GpuFacts } from './facts.ts';
import { Hwmon } from './hwmon.ts';
import { IntelCards } from './intel.ts';
import { NvidiaSmi } from './nvidia.ts';
import { Poll } from './poll.ts';
import { cpuPower, gpuPower, type PowerEstimate } from './power.ts';
import { Processor } from './processor.ts';
import { Rapl } from './rapl.ts';
import { SystemThread, systemSources } from './system.ts';

/** What is asked; of two sources that tell the same, the earlier is believed. */
export interface DeviceSources {
  readonly cpu: readonly DeviceSource<CpuFacts>[];
  readonly gpu: readonly DeviceSource<readonly GpuFacts[]>[];
}

export interface DeviceReaderOptions {
  readonly log: Log;
  /** Asked at each reading, so that changed settings count at once. */
  readonly estimate: () => PowerEstimate;
  readonly sources?: DeviceSources;
  /** Monotonic. */
  readonly nowMs?: () => number;
}

/** A reading waits this long at most for the sources that are read each second; the first, so that cards get their ids in order, longer for all. */
const PATIENCE_MS = 250;
const FIRST_PATIENCE_MS = 2_000;

export function createDeviceReader({
  log,
  estimate,
  sources = platformSources(process.platform),
  nowMs,
}: DeviceReaderOptions): DeviceReader {
  return new Devices({
    cpu: sources.cpu.map((source) => new Poll(source, log)),
    gpu: sources.gpu.map((source) => ({ name: source.name, poll: new Poll(source, log) })),
    estimate,
    nowMs: nowMs ?? (() => performance.now()),
  });
}

export function platformSources(platform: NodeJS.Platform): DeviceSources {
  if (platform === 'linux')
    return { cpu: [new Processor(), new Rapl(), new Hwmon()], gpu: [new NvidiaSmi(), new AmdCards(), new IntelCards()] };
  const system = systemSources(new SystemThread());
  if (platform === 'darwin')
    return { cpu: [new Processor(), system.memory, new PowerMetrics(), system.temperature], gpu: [new AppleGpu()] };
  return { cpu: [new Processor(), system.temperature], gpu: [new NvidiaSmi(), system.adapters] };
}

interface DevicesOptions {
  readonly cpu: readonly Poll<CpuFacts>[];
  readonly gpu: readonly { readonly name: string; readonly poll: Poll<readonly GpuFacts[]> }[];
  readonly estimate: () => PowerEstimate;
  readonly nowMs: () => number;
}

class Devices implements DeviceReader {
  readonly #options: DevicesOptions;
  /** What each card that was ever seen said last, by source and place; its order gives the ids. */
  readonly #cards = new Map<string, GpuFacts>();
  #first = true;

  constructor(options: DevicesOptions) {
    this.#options = options;
  }

  async read(): Promise<readonly DeviceNow[]> {
    const { cpu, gpu, estimate, nowMs } = this.#options;
    const polls = [...cpu, ...gpu.map(({ poll }) => poll)];
    for (const poll of polls) poll.poke(nowMs());
    if (this.#first) await settledWithin(polls, FIRST_PATIENCE_MS);
    else
      await settledWithin(
        polls.filter((poll) => poll.quick),
        PATIENCE_MS,
      );
    this.#first = false;
    const now = nowMs();
    const cards = this.#refreshCards(now);
    return [
      cpuDevice(mergeFacts(cpu.map((poll) => poll.latest(now))), cards, estimate()),
      ...cards.map((card, n) => gpuDevice(card, n, estimate())),
    ];
  }

  close(): void {
    for (const poll of this.#options.cpu) poll.close();
    for (const { poll } of this.#options.gpu) poll.close();
  }

  /** Cards as they are now; one that stays silent keeps its name and place, and knows nothing. */
  #refreshCards(now: number): readonly GpuFacts[] {
    const heard = new Set<string>();
    for (const { name, poll } of this.#options.gpu) {
      for (const [place, facts] of (poll.latest(now) ?? []).entries()) {
        heard.add(`${name}:${place}`);
        this.#cards.set(`${name}:${place}`, facts);
      }
    }
    return [...this.#cards].map(([key, facts]) => (heard.has(key) ? facts : silentCard(facts)));
  }
}

async function settledWithin(polls: readonly Poll<unknown>[], ms: number): Promise<void> {
  const patience = new AbortController();
  const settled = Promise.all(polls.map((poll) => poll.settled()));
  await Promise.race([settled, sleep(ms, undefined, { signal: patience.signal }).catch(() => undefined)]);
  patience.abort();
}

/** Each fact from the first source that knows it. */
function mergeFacts(all: readonly (CpuFacts | null)[]): CpuFacts {
  const known = all.flatMap((facts) => Object.entries(facts ?? {}).filter(([, value]) => value !== null));
  return Object.fromEntries(known.toReversed());
}

function cpuDevice(facts: CpuFacts, cards: readonly GpuFacts[], estimate: PowerEstimate): DeviceNow {
  return {
    id: 'cpu',
    kind: 'cpu',
    name: cpus()[0]?.model.trim() || `${process.arch} processor`,
    utilisation: facts.utilisation ?? null,
    memoryUsedBytes: facts.memoryUsedBytes ?? null,
    memoryTotalBytes: facts.memoryTotalBytes ?? null,
    powerWatts: cpuPower(facts, cards, estimate),
    temperatureCelsius: temperature(facts.temperature),
  };
}

function gpuDevice(facts: GpuFacts, index: number, estimate: PowerEstimate): DeviceNow {
  return {
    id: `gpu${index}`,
    kind: 'gpu',
    name: facts.name,
    utilisation: facts.utilisation,
    memoryUsedBytes: facts.memoryUsedBytes,
    memoryTotalBytes: facts.memoryTotalBytes,
    powerWatts: gpuPower(facts, estimate),
    temperatureCelsius: temperature({ value: facts.temperatureCelsius, basis: facts.origin }),
  };
}

function temperature(fact: BasedFact | undefined): Reading {
  if (fact === undefined || fact.value === null) return { value: null, source: 'unavailable', basis: 'No sensor that can be read.' };
  return { value: fact.value, source: 'measured', basis: `Read from ${fact.basis}.` };
}
