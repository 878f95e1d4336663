// Makes requests and samples for tests: named defaults, and arbitrary ones for property tests.
import fc from 'fast-check';
import type { RequestRecord, Sample } from '../../../engine/ledger/ledger.ts';

/** 2026-03-04 05:06:07 UTC. */
export const SOME_MS = Date.UTC(2026, 2, 4, 5, 6, 7);

export function aRequest(part: Partial<RequestRecord> = {}): RequestRecord {
  return {
    requestId: 'req_00112233-4455-6677-8899-aabbccddeeff',
    atMs: SOME_MS,
    tenant: 'default',
    key: null,
    endpoint: '/v1/chat/completions',
    streamed: true,
    modelAsked: 'smol',
    model: 'smol',
    variant: 'int8',
    precision: 'int8',
    device: 'cpu',
    routeReason: 'asked for by name',
    queueMs: 0,
    loadMs: 0,
    prefillMs: 20,
    ttftMs: 25,
    interTokenP50Ms: 8,
    interTokenP99Ms: 12.5,
    totalMs: 400,
    promptTokens: 30,
    cachedTokens: 10,
    completionTokens: 40,
    meanBatch: 2.25,
    cache: 'miss',
    deviceMs: 180,
    energyJoules: 21.6,
    energyUsd: 0.0000018,
    hardwareUsd: 0.0000021,
    upstreamUsd: 0,
    premiumUsd: 0.00047,
    status: 200,
    outcome: 'ok',
    errorCode: null,
    ...part,
  };
}

export function aSample(part: Partial<Sample> = {}): Sample {
  return {
    atMs: SOME_MS,
    devices: [
      {
        device: 'cpu',
        utilisation: 0.5,
        memoryUsedBytes: 4e9,
        memoryTotalBytes: 16e9,
        powerWatts: 80,
        powerMeasured: false,
        temperatureCelsius: 55.5,
      },
    ],
    models: [
      {
        model: 'smol',
        queueDepth: 1,
        running: 2,
        slots: 4,
        kvUsedTokens: 300,
        meanBatch: 2,
        promptTokens: 64,
        completionTokens: 100,
        busyMs: 900,
      },
    ],
    busyUsd: 0.000009,
    idleUsd: 0.000001,
    ...part,
  };
}

const HOUR_MS = 3_600_000;
const ms = (max: number) => fc.integer({ min: 0, max: max * 1000 }).map((us) => us / 1000);
const pico = (max: number) => fc.integer({ min: 0, max: max * 1e9 }).map((nano) => nano / 1e9);

/** Requests that arrived within two days of SOME_MS. Figures are whole in the units of the tables. */
export const anyRequest: fc.Arbitrary<RequestRecord> = fc
  .record({
    requestId: fc.oneof(
      fc.uuid().map((id) => `req_${id}`),
      fc.stringMatching(/^[\w.:-]{1,20}$/),
    ),
    atMs: fc.integer({ min: SOME_MS, max: SOME_MS + 48 * HOUR_MS }),
    tenant: fc.constantFrom('default', 'ops', 'lab'),
    key: fc.constantFrom(null, 'key-a', 'key-b'),
    endpoint: fc.constantFrom('/v1/chat/completions', '/v1/embeddings'),
    model: fc.constantFrom('smol', 'large', null),
    modelAsked: fc.constantFrom('smol', 'auto', '12', ''),
    outcome: fc.constantFrom('ok', 'error', 'cancelled'),
    cache: fc.constantFrom(null, 'hit', 'miss', 'coalesced', 'semantic'),
    ttftMs: fc.option(ms(5_000)),
    queueMs: fc.option(ms(5_000)),
    interTokenP50Ms: fc.option(ms(100)),
    totalMs: ms(60_000),
    promptTokens: fc.nat(5_000),
    completionTokens: fc.nat(5_000),
    deviceMs: ms(60_000),
    energyUsd: pico(1),
    hardwareUsd: pico(1),
    upstreamUsd: pico(1),
    premiumUsd: fc.option(pico(1)),
  })
  .map((part) => aRequest(part as Partial<RequestRecord>));

export const anySample: fc.Arbitrary<Sample> = fc
  .record({
    atMs: fc.integer({ min: SOME_MS, max: SOME_MS + 48 * HOUR_MS }),
    utilisation: fc.option(fc.integer({ min: 0, max: 1e6 }).map((ppm) => ppm / 1e6)),
    powerWatts: fc.option(fc.integer({ min: 0, max: 1e6 }).map((mw) => mw / 1000)),
    devices: fc.uniqueArray(fc.constantFrom('cpu', 'gpu0'), { maxLength: 2 }),
    models: fc.uniqueArray(fc.constantFrom('smol', 'large'), { maxLength: 2 }),
    completionTokens: fc.nat(1_000),
    meanBatch: fc.option(fc.integer({ min: 1000, max: 16_000 }).map((milli) => milli / 1000)),
    idleUsd: pico(1),
  })
  .map(({ atMs, idleUsd, devices, models, completionTokens, meanBatch, ...device }) => {
    const sample = aSample();
    return {
      ...sample,
      atMs,
      idleUsd,
      devices: devices.flatMap((name) => sample.devices.map((one) => ({ ...one, ...device, device: name }))),
      models: models.flatMap((name) => sample.models.map((one) => ({ ...one, model: name, completionTokens, meanBatch }))),
    };
  });
