// Gathers one moment of the engine for the Now screen. Knows nothing about who follows it.
import { hostname } from 'node:os';
import type { Banner, NowSnapshot, QueueNow } from '../../contract.ts';
import type { LedgerHealth } from '../../ledger/ledger.ts';
import type { GatewayContext } from '../context.ts';
import type { ConsoleServices } from './services.ts';
import { readModels } from './status.ts';

export function takeSnapshot(context: GatewayContext, services: ConsoleServices): NowSnapshot {
  const atMs = context.now();
  const models = readModels(context);
  return {
    atMs,
    version: context.version,
    state: context.activity.state,
    address: context.address(),
    hostName: hostname(),
    uptimeMs: atMs - context.startedAtMs,
    tokensPerSecond: models.reduce((total, model) => total + model.tokensPerSecond, 0),
    devices: services.devices(),
    models,
    queue: readQueue(context, atMs),
    requests: context.traces.list(),
    cost: services.cost(),
    quality: context.router?.quality() ?? { kind: 'not_measured' },
    alerts: services.alerts.active(),
    banners: [...bannersOf(services.ledger.health), ...(context.router?.banners() ?? [])],
    jobs: services.jobs.list(),
  };
}

function readQueue({ traces, waits }: GatewayContext, nowMs: number): QueueNow {
  const { p50, p99 } = waits.quantiles(nowMs);
  return { ...traces.count(), waitP50Ms: p50, waitP99Ms: p99 };
}

/** What is wrong with the server itself. Inference goes on, so that all of it is a warning, save for what was lost. */
export function bannersOf(health: LedgerHealth): readonly Banner[] {
  if (health.kind === 'ok') return [];
  const lost = health.lost === 0 ? '' : ` ${health.lost} records could not be kept.`;
  const tone = health.lost === 0 ? 'warning' : 'problem';
  return [{ id: `history-${health.kind}`, tone, text: health.sentence + lost, detail: health.detail }];
}
