// The schema of one moment of the engine, for the API's reference: what a `now` event holds.
import { Type, type TSchema } from 'typebox';

const nullable = <T extends TSchema>(type: T) => Type.Union([type, Type.Null()]);
const text = Type.String();
const number = Type.Number();

const reading = Type.Object({
  value: nullable(number),
  source: Type.Enum(['measured', 'estimated', 'unavailable']),
  basis: Type.String({ description: 'What was read, or what the estimate rests on.' }),
});

const device = Type.Object({
  id: text,
  kind: Type.Enum(['cpu', 'gpu']),
  name: text,
  utilisation: nullable(Type.Number({ description: '0 to 1.' })),
  memoryUsedBytes: nullable(number),
  memoryTotalBytes: nullable(number),
  powerWatts: reading,
  temperatureCelsius: reading,
});

const running = Type.Object({
  device: text,
  pid: Type.Integer(),
  contextLength: Type.Integer(),
  slots: Type.Integer(),
  maxSlots: Type.Integer(),
  runningRequests: Type.Integer(),
  waitingRequests: Type.Integer(),
  kvUsedTokens: Type.Integer(),
  kvBytes: Type.Integer(),
  slotUse: Type.Array(Type.Object({ phase: Type.Enum(['free', 'prefill', 'decode']), usedTokens: Type.Integer() })),
  memoryBytes: nullable(number),
  unloadInMs: nullable(number),
  loadMs: number,
  batches: nullable(
    Type.Object({
      width: Type.Integer(),
      meanSize: number,
      tokenBudget: Type.Integer(),
      meanFill: number,
      meanWaitMs: number,
      textsPerSecond: number,
    }),
  ),
});

export const modelStatus = Type.Object({
  id: text,
  use: Type.Enum(['text', 'embedding', 'rerank', 'classify', 'infer']),
  state: Type.Enum(['installed', 'loading', 'ready', 'failed']),
  failure: nullable(text),
  precision: text,
  variant: text,
  parameterCount: Type.Integer(),
  sizeBytes: Type.Integer(),
  trainedContext: Type.Integer(),
  tokensPerSecond: number,
  pinned: Type.Boolean(),
  running: nullable(running),
});

const request = Type.Object({
  id: text,
  tenant: text,
  endpoint: text,
  modelAsked: text,
  model: nullable(text),
  routeReason: nullable(text),
  phase: Type.Enum(['queued', 'loading', 'prefill', 'decode', 'encode']),
  position: nullable(Type.Integer({ description: 'Among those that wait for the same model, from 1.' })),
  etaMs: nullable(number),
  ageMs: number,
  waitMs: number,
  ttftMs: nullable(number),
  promptTokens: nullable(Type.Integer()),
  completionTokens: Type.Integer(),
  tokensPerSecond: nullable(number),
  costUsd: Type.Number({ description: 'So far.' }),
});

const cost = Type.Object({
  requests: Type.Integer(),
  perRequestUsd: nullable(number),
  busyUsd: number,
  idleUsd: number,
  upstreamUsd: number,
  premiumUsd: number,
  savedShare: nullable(number),
  measured: Type.Boolean({ description: 'False while power or prices are estimates.' }),
});

const alert = Type.Object({
  id: text,
  ruleId: text,
  name: text,
  subject: nullable(text),
  sinceMs: number,
  value: number,
  threshold: number,
  sentence: text,
  remedy: text,
  snoozedUntilMs: nullable(number),
});

const job = Type.Object({
  id: text,
  kind: Type.Enum(['pull', 'quantise', 'evaluate']),
  title: text,
  state: Type.Enum(['waiting', 'running', 'paused', 'done', 'failed', 'cancelled']),
  step: text,
  done: number,
  total: nullable(number),
  unit: Type.Enum(['bytes', 'steps']),
  rate: nullable(number),
  etaMs: nullable(number),
  startedMs: number,
  endedMs: nullable(number),
  result: nullable(text),
});

export const now = Type.Object({
  atMs: number,
  version: text,
  state: Type.Enum(['serving', 'paused', 'draining']),
  address: nullable(text),
  hostName: text,
  uptimeMs: number,
  tokensPerSecond: number,
  devices: Type.Array(device),
  models: Type.Array(modelStatus),
  queue: Type.Object({ running: Type.Integer(), waiting: Type.Integer(), waitP50Ms: nullable(number), waitP99Ms: nullable(number) }),
  requests: Type.Array(request, { description: 'Oldest first, at most 100.' }),
  cost,
  quality: Type.Union([
    Type.Object({ kind: Type.Literal('not_measured') }),
    Type.Object({ kind: Type.Literal('measured'), mean: number, plusMinus: number, graded: Type.Integer() }),
  ]),
  alerts: Type.Array(alert, { description: 'Those that fire now.' }),
  banners: Type.Array(Type.Object({ id: text, tone: Type.Enum(['warning', 'problem']), text, detail: nullable(text) })),
  jobs: Type.Array(job),
});
