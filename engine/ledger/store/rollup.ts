// Owns what a request or a sample adds to each step that holds it, at every grain at once, so that no step is ever behind.
// Pure: sums come out, ready to be added to those in the tables.
import type { DeviceSample, ModelSample, Sample } from '../ledger.ts';
import { isCacheHit, isError } from './record-facts.ts';
import { PICO, type RequestCells, whole } from './request-row.ts';
import { STEPS_MS, stepStart } from './steps.ts';
import { Tally } from './tally.ts';
import type { RequestRecord } from '../ledger.ts';

/** Place of each grain in STEPS_MS. */
export const GRAIN = { second: 0, minute: 1, hour: 2, day: 3 } as const;
const ALL_GRAINS = Object.values(GRAIN);
/** Money by group is kept by the hour at the finest; a report takes the rest of its edges from the requests themselves. */
const COST_GRAINS = [GRAIN.hour, GRAIN.day];

/** Start of the step of a grain in s, as the tables have it. */
export const stepAt = (atMs: number, grain: number): number => stepStart(atMs, STEPS_MS[grain] ?? 1000) / 1000;

export class Rollup {
  readonly #server = new Tally('server_stats');
  readonly #devices = new Tally('device_stats');
  readonly #models = new Tally('model_stats');
  readonly #requests = new Tally('request_stats');
  readonly #costs = new Tally('cost_stats');

  get tallies() {
    return [this.#server, this.#devices, this.#models, this.#requests, this.#costs] as const;
  }

  addRequest(record: RequestRecord, cells: RequestCells, endMs: number): void {
    const cost = cells.energy_pico + cells.hardware_pico + cells.upstream_pico;
    const { prompt_tokens, completion_tokens, energy_uj, energy_pico, hardware_pico, upstream_pico, device_us } = cells;
    const premium_pico = cells.premium_pico ?? 0;
    const tokens = { requests: 1, prompt_tokens, completion_tokens, premium_pico };
    const counts = { ...tokens, errors: Number(isError(record)), cache_hits: Number(isCacheHit(record)), cost_pico: cost };
    const times = timesOf(record);
    for (const grain of ALL_GRAINS) this.#requests.add([grain, stepAt(endMs, grain), cells.model], counts, times);
    const money = { ...tokens, device_us, energy_uj, energy_pico, hardware_pico, upstream_pico };
    const group = [cells.model, cells.key, cells.endpoint, cells.tenant, cells.outcome];
    for (const grain of COST_GRAINS) this.#costs.add([grain, stepAt(endMs, grain), ...group], money);
  }

  addSample(sample: Sample, idOf: (word: string) => number): void {
    for (const grain of ALL_GRAINS) {
      const at = stepAt(sample.atMs, grain);
      this.#server.add([grain, at], serverSums(sample));
      for (const device of sample.devices) this.#devices.add([grain, at, idOf(device.device)], deviceSums(device));
      for (const model of sample.models) this.#models.add([grain, at, idOf(model.model)], modelSums(model));
    }
  }
}

function timesOf(record: RequestRecord) {
  return {
    ttft: record.ttftMs,
    inter_token_p50: record.interTokenP50Ms,
    inter_token_p99: record.interTokenP99Ms,
    total: record.totalMs,
    wait: record.queueMs,
  };
}

function serverSums({ busyUsd, idleUsd, devices }: Sample) {
  const readings = devices.filter(({ powerWatts }) => powerWatts !== null);
  return {
    samples: 1,
    busy_pico: whole(busyUsd, PICO),
    idle_pico: whole(idleUsd, PICO),
    power_readings: readings.length,
    power_measured: readings.filter(({ powerMeasured }) => powerMeasured).length,
  };
}

function deviceSums(device: DeviceSample) {
  return {
    utilisation_n: known(device.utilisation),
    utilisation_ppm: whole(device.utilisation ?? 0, 1e6),
    memory_n: known(device.memoryUsedBytes),
    memory_bytes: whole(device.memoryUsedBytes ?? 0, 1),
    memory_total_n: known(device.memoryTotalBytes),
    memory_total_bytes: whole(device.memoryTotalBytes ?? 0, 1),
    power_n: known(device.powerWatts),
    power_mw: whole(device.powerWatts ?? 0, 1000),
    power_measured_n: device.powerMeasured ? known(device.powerWatts) : 0,
    temperature_n: known(device.temperatureCelsius),
    temperature_milli: whole(device.temperatureCelsius ?? 0, 1000),
  };
}

function modelSums(model: ModelSample) {
  return {
    samples: 1,
    queue_depth: whole(model.queueDepth, 1),
    running: whole(model.running, 1),
    slots: whole(model.slots, 1),
    kv_used_tokens: whole(model.kvUsedTokens, 1),
    batch_n: known(model.meanBatch),
    batch_milli: whole(model.meanBatch ?? 0, 1000),
    prompt_tokens: whole(model.promptTokens, 1),
    completion_tokens: whole(model.completionTokens, 1),
    busy_us: whole(model.busyMs, 1000),
  };
}

const known = (value: number | null): number => (value === null || !Number.isFinite(value) ? 0 : 1);
