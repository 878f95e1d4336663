// `GET /api/status`: the engine and its models, shaped as contract.ts says.
import { Type } from 'typebox';
import type { BatchStatus, EngineStatus, ModelStatus, RunningModel } from '../../contract.ts';
import type { HostedModel } from '../../fleet/host.ts';
import { contextLengthOf } from '../../models/manifest.ts';
import type { EncoderInfo, EncoderStats } from '../../runner/protocol.ts';
import type { GatewayApp, GatewayContext } from '../context.ts';
import { useOf } from '../routes/encoder-facts.ts';

const schema = { tags: ['Console'], summary: 'The engine and its models', response: { 200: Type.Unknown() } };

export function statusRoute(app: GatewayApp, context: GatewayContext): void {
  app.get('/api/status', { schema }, async () => readStatus(context));
}

function readStatus(context: GatewayContext): EngineStatus {
  const models = readModels(context);
  return {
    version: context.version,
    state: context.activity.state,
    address: context.address(),
    uptimeMs: context.now() - context.startedAtMs,
    openRequests: context.activity.openCount,
    tokensPerSecond: models.reduce((total, model) => total + model.tokensPerSecond, 0),
    models,
  };
}

/** Every installed model as it is now. */
export function readModels(context: Pick<GatewayContext, 'host' | 'meter' | 'now'>): readonly ModelStatus[] {
  const nowMs = context.now();
  const installed = context.host.list().filter(({ origin }) => origin === undefined);
  return installed.map((model) => modelStatus(model, context.meter.rate(model.manifest.id, nowMs)));
}

/** One model as it is now. */
export function modelStatus(model: HostedModel, tokensPerSecond: number): ModelStatus {
  const { manifest, variant, state, pinned } = model;
  const files = manifest.variants[variant];
  return {
    id: manifest.id,
    use: useOf(model),
    state: state.kind,
    failure: state.kind === 'failed' ? state.reason : null,
    precision: files?.precision ?? variant,
    variant,
    parameterCount: manifest.parameterCount,
    sizeBytes: files?.sizeBytes ?? 0,
    trainedContext: contextLengthOf(manifest),
    tokensPerSecond,
    pinned,
    running: state.kind === 'ready' ? runningModel(model, state) : null,
  };
}

function runningModel(model: HostedModel, { info, stats }: Extract<HostedModel['state'], { kind: 'ready' }>): RunningModel {
  return {
    device: info.device,
    pid: info.pid,
    contextLength: info.contextLength,
    slots: stats?.slots ?? info.maxSlots,
    maxSlots: info.maxSlots,
    runningRequests: stats?.running ?? 0,
    waitingRequests: stats?.waiting ?? 0,
    kvUsedTokens: stats?.kvUsedTokens ?? 0,
    kvBytes: stats?.kvCommittedBytes ?? 0,
    slotUse: stats?.slotUse ?? [],
    memoryBytes: model.memoryBytes,
    unloadInMs: model.unloadInMs,
    loadMs: info.loadMs,
    batches: info.encoder === undefined ? null : batchStatus(info.encoder, stats?.encoder),
  };
}

/** Zeros before the first batch. */
function batchStatus({ width, tokenBudget }: EncoderInfo, stats: EncoderStats | undefined): BatchStatus {
  return {
    width,
    tokenBudget,
    meanSize: stats?.meanBatchSize ?? 0,
    meanFill: stats?.meanFill ?? 0,
    meanWaitMs: stats?.meanWaitMs ?? 0,
    textsPerSecond: stats?.textsPerSecond ?? 0,
  };
}
