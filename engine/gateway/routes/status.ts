// `GET /api/status`: what the page shows, shaped as contract.ts says.
import { Type } from 'typebox';
import type { EngineStatus, ModelStatus, RunningModel } from '../../contract.ts';
import type { HostedModel } from '../../fleet/host.ts';
import type { GatewayApp, GatewayContext } from '../context.ts';

const schema = { tags: ['Console'], summary: 'Everything the page shows', response: { 200: Type.Unknown() } };

export function statusRoute(app: GatewayApp, context: GatewayContext): void {
  app.get('/api/status', { schema }, async () => readStatus(context));
}

function readStatus(context: GatewayContext): EngineStatus {
  const nowMs = context.now();
  const models = context.host.list().map((model) => modelStatus(model, context.meter.rate(model.manifest.id, nowMs)));
  return {
    version: context.version,
    state: context.activity.draining ? 'draining' : 'serving',
    address: context.address(),
    uptimeMs: nowMs - context.startedAtMs,
    openRequests: context.activity.openCount,
    tokensPerSecond: models.reduce((total, model) => total + model.tokensPerSecond, 0),
    models,
  };
}

function modelStatus({ manifest, variant, state }: HostedModel, tokensPerSecond: number): ModelStatus {
  const files = manifest.variants[variant];
  return {
    id: manifest.id,
    state: state.kind,
    failure: state.kind === 'failed' ? state.reason : null,
    precision: files?.precision ?? variant,
    variant,
    parameterCount: manifest.parameterCount,
    sizeBytes: files?.sizeBytes ?? 0,
    trainedContext: manifest.config.contextLength,
    tokensPerSecond,
    running: state.kind === 'ready' ? runningModel(state) : null,
  };
}

function runningModel({ info, stats }: Extract<HostedModel['state'], { kind: 'ready' }>): RunningModel {
  return {
    device: info.device,
    pid: info.pid,
    contextLength: info.contextLength,
    slots: stats?.slots ?? info.maxSlots,
    maxSlots: info.maxSlots,
    runningRequests: stats?.running ?? 0,
    waitingRequests: stats?.waiting ?? 0,
    kvUsedTokens: stats?.kvUsedTokens ?? 0,
    loadMs: info.loadMs,
  };
}
