// Finished requests and samples with named defaults: one usual answer, one second of an idle machine with one model.
import type { DeviceSample, ModelSample, RequestRecord, Sample } from '../../engine/ledger/ledger.ts';

export function aRequest(change: Partial<RequestRecord> = {}): RequestRecord {
  return {
    requestId: 'req-1',
    atMs: 1_000_000,
    tenant: 'local',
    key: null,
    endpoint: '/v1/chat/completions',
    streamed: true,
    modelAsked: 'mill',
    model: 'mill',
    variant: 'int8',
    precision: 'int8',
    device: 'cpu',
    routeReason: null,
    queueMs: 20,
    loadMs: 0,
    prefillMs: 80,
    ttftMs: 100,
    interTokenP50Ms: 10,
    interTokenP99Ms: 30,
    totalMs: 400,
    promptTokens: 200,
    cachedTokens: 50,
    completionTokens: 31,
    meanBatch: 2,
    cache: null,
    deviceMs: 250,
    energyJoules: 12,
    energyUsd: 0.000_001,
    hardwareUsd: 0.000_003,
    upstreamUsd: 0,
    premiumUsd: 0.000_5,
    status: 200,
    outcome: 'ok',
    errorCode: null,
    ...change,
  };
}

export function aModelSample(change: Partial<ModelSample> = {}): ModelSample {
  return {
    model: 'mill',
    queueDepth: 0,
    running: 0,
    slots: 4,
    kvUsedTokens: 0,
    meanBatch: null,
    promptTokens: 0,
    completionTokens: 0,
    busyMs: 0,
    ...change,
  };
}

export function aDeviceSample(change: Partial<DeviceSample> = {}): DeviceSample {
  return {
    device: 'cpu',
    utilisation: 0.1,
    memoryUsedBytes: 4 * 2 ** 30,
    memoryTotalBytes: 16 * 2 ** 30,
    powerWatts: 40,
    powerMeasured: false,
    temperatureCelsius: 50,
    ...change,
  };
}

export function aSample(change: Partial<Sample> = {}): Sample {
  return { atMs: 1_000_000, devices: [aDeviceSample()], models: [aModelSample()], busyUsd: 0, idleUsd: 0.000_01, ...change };
}
