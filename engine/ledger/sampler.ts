// Owns the one-second heartbeat of the ledger: reads devices and models, settles the cost, and hands out one sample.
// Knows nothing about SQLite, HTTP or the page.
import type { DeviceNow } from '../contract.ts';
import type { Log } from '../log.ts';
import type { CostMeter } from './cost/meter.ts';
import type { DeviceReader } from './devices/facts.ts';
import type { DeviceSample, Ledger, ModelSample, Sample } from './ledger.ts';

export const SAMPLE_PERIOD_MS = 1_000;

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `tick` every `ms`; returns how to stop. */
  every(ms: number, tick: () => void): () => void;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  every: (ms, tick) => {
    const timer = setInterval(tick, ms);
    return () => clearInterval(timer);
  },
};

export interface SamplerOptions {
  readonly reader: DeviceReader;
  /** What each loaded model did since the last call; called once a sample. */
  readonly readModels: () => readonly ModelSample[];
  readonly meter: CostMeter;
  readonly ledger: Pick<Ledger, 'sample'>;
  readonly log: Log;
  readonly clock?: Clock;
}

/** Gets each sample, and the devices with where their figures come from. */
export type SampleListener = (sample: Sample, devices: readonly DeviceNow[]) => void;

/** A second that nobody could look at (a suspended machine, a process that stood still) leaves a gap: no sample is made up for it. */
export class Sampler {
  readonly #options: SamplerOptions;
  readonly #clock: Clock;
  readonly #listeners = new Set<SampleListener>();
  #stop: (() => void) | null = null;
  #busy = false;
  #lastMs = Number.NEGATIVE_INFINITY;
  #devices: readonly DeviceNow[] = [];

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
  }

  /** The devices as the last sample saw them; empty before the first. */
  get devices(): readonly DeviceNow[] {
    return this.#devices;
  }

  /** Called after each sample; returns how to stop. */
  onSample(listener: SampleListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The first sample is taken at once. */
  start(): void {
    if (this.#stop !== null) return;
    this.#stop = this.#clock.every(SAMPLE_PERIOD_MS, () => void this.tick());
    void this.tick();
  }

  stop(): void {
    this.#stop?.();
    this.#stop = null;
  }

  /** One sample, unless the one before is still being read or is less than half a second old. Never rejects. */
  async tick(): Promise<void> {
    const nowMs = this.#clock.now();
    if (this.#busy || this.#tooSoon(nowMs)) return;
    this.#busy = true;
    try {
      this.#finish(await this.#options.reader.read());
    } catch (error) {
      this.#options.log.warn({ err: error }, 'a sample could not be taken');
    } finally {
      this.#busy = false;
    }
  }

  /** A clock that was set back is not too soon. */
  #tooSoon(nowMs: number): boolean {
    const sinceMs = nowMs - this.#lastMs;
    return sinceMs >= 0 && sinceMs < SAMPLE_PERIOD_MS / 2;
  }

  #finish(devices: readonly DeviceNow[]): void {
    const { meter, readModels, ledger } = this.#options;
    const atMs = this.#clock.now();
    const settled = meter.settle(
      atMs,
      devices.map((device) => ({ device: device.id, watts: device.powerWatts.value })),
    );
    const sample = { atMs, devices: devices.map(toSample), models: readModels(), busyUsd: settled.busyUsd, idleUsd: settled.idleUsd };
    this.#lastMs = atMs;
    this.#devices = devices;
    ledger.sample(sample);
    for (const listener of this.#listeners) this.#tell(listener, sample);
  }

  /** One listener's fault is not the others'. */
  #tell(listener: SampleListener, sample: Sample): void {
    try {
      listener(sample, this.#devices);
    } catch (error) {
      this.#options.log.error({ err: error }, 'a listener of samples failed');
    }
  }
}

function toSample(device: DeviceNow): DeviceSample {
  return {
    device: device.id,
    utilisation: device.utilisation,
    memoryUsedBytes: device.memoryUsedBytes,
    memoryTotalBytes: device.memoryTotalBytes,
    powerWatts: device.powerWatts.value,
    powerMeasured: device.powerWatts.source === 'measured',
    temperatureCelsius: device.temperatureCelsius.value,
  };
}
