// The schemas of the console's answers, for the API's reference: each is held by the compiler to its shape in contract.ts.
// They describe; what is sent is not filtered through them.
import { Type, type Static, type TSchema } from 'typebox';
import type * as contract from '../../contract.ts';
import type { SettingsPatch } from '../../ledger/ledger.ts';
import { modelStatus, now } from './now-schemas.ts';

export const nullable = <T extends TSchema>(type: T) => Type.Union([type, Type.Null()]);

type Mutable<T> = T extends readonly (infer Item)[] ? Mutable<Item>[] : T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;

/** The schema under the type of the contract's shape; does not compile where the shape has values that the schema does not describe. */
export const shaped =
  <Shape>() =>
  <S extends TSchema>(schema: S, ..._mismatch: Mutable<Shape> extends Static<S> ? [] : [never]) =>
    Type.Unsafe<Shape>(schema);

const text = Type.String();
const number = Type.Number();

export const anyModelStatus = shaped<contract.ModelStatus>()(modelStatus);
export const nowEvent = shaped<contract.NowSnapshot>()(now);
export const removal = Type.Object({ restorableUntilMs: Type.Number({ description: 'ms since 1970.' }) });

const range = Type.Object({ fromMs: number, toMs: number });

export const seriesAnswer = shaped<contract.SeriesAnswer>()(
  Type.Object({
    range,
    stepMs: Type.Union([Type.Literal(1_000), Type.Literal(60_000), Type.Literal(3_600_000), Type.Literal(86_400_000)]),
    of: text,
    atMs: Type.Array(Type.Number({ description: 'Start of each step.' })),
    values: Type.Record(Type.String(), Type.Array(nullable(number)), { description: 'By name; null is a gap.' }),
  }),
);

const row = Type.Object({
  rowId: Type.Integer(),
  requestId: text,
  atMs: Type.Number({ description: 'Arrival.' }),
  tenant: text,
  key: nullable(text),
  endpoint: text,
  streamed: Type.Boolean(),
  modelAsked: text,
  model: nullable(text),
  variant: nullable(text),
  precision: nullable(text),
  device: nullable(text),
  routeReason: nullable(text),
  queueMs: nullable(Type.Number({ description: 'Arrival to the first slot.' })),
  loadMs: nullable(Type.Number({ description: 'The part of that in which its model was still loading.' })),
  prefillMs: nullable(number),
  ttftMs: nullable(Type.Number({ description: 'Arrival to the first token.' })),
  interTokenP50Ms: nullable(number),
  interTokenP99Ms: nullable(number),
  totalMs: number,
  promptTokens: Type.Integer(),
  cachedTokens: Type.Integer(),
  completionTokens: Type.Integer(),
  meanBatch: nullable(number),
  cache: nullable(Type.Enum(['hit', 'miss', 'coalesced', 'semantic', 'bypass'])),
  deviceMs: number,
  energyJoules: number,
  energyUsd: number,
  hardwareUsd: number,
  upstreamUsd: number,
  premiumUsd: nullable(number),
  status: Type.Integer(),
  outcome: Type.Enum(['ok', 'error', 'cancelled']),
  errorCode: nullable(text),
});

export const requestRow = shaped<contract.RequestRow>()(row);

export const requestPage = shaped<contract.RequestPage>()(
  Type.Object({
    rows: Type.Array(row),
    total: Type.Integer(),
    cursor: nullable(Type.String({ description: 'For the next page; null on the last.' })),
  }),
);

const costSums = {
  requests: Type.Integer(),
  promptTokens: Type.Integer(),
  completionTokens: Type.Integer(),
  deviceSeconds: number,
  energyWh: number,
  energyUsd: number,
  hardwareUsd: number,
  upstreamUsd: number,
  costUsd: number,
  premiumUsd: number,
};

export const costReport = shaped<contract.CostReport>()(
  Type.Object({
    range,
    by: Type.Enum(['model', 'key', 'endpoint', 'day']),
    rows: Type.Array(Type.Object({ group: text, ...costSums })),
    total: Type.Object({
      ...costSums,
      idleUsd: number,
      devicesUsd: number,
      perRequestUsd: nullable(number),
      per1kTokensUsd: nullable(number),
      savedShare: nullable(number),
      perQualityAdjustedResponseUsd: nullable(number),
      rented: Type.Array(Type.Object({ name: text, usd: number })),
    }),
    quality: now.properties.quality,
    basis: Type.Array(Type.String({ description: 'What the figures rest on.' })),
  }),
);

const alert = now.properties.alerts.items;
const { snoozedUntilMs: _, ...pastAlert } = alert.properties;

export const alertsAnswer = shaped<contract.AlertsAnswer>()(
  Type.Object({
    rules: Type.Array(
      Type.Object({
        id: text,
        name: text,
        enabled: Type.Boolean(),
        metric: text,
        comparison: Type.Enum(['above', 'below']),
        threshold: number,
        windowSeconds: number,
        clearThreshold: number,
        minLoad: number,
        indicates: text,
        remedy: text,
      }),
    ),
    active: Type.Array(alert),
    history: Type.Array(Type.Object({ ...pastAlert, endedMs: nullable(number), peak: number }), { description: 'Newest first.' }),
  }),
);

export const webhookTest = shaped<contract.WebhookTest>()(
  Type.Union([
    Type.Object({ kind: Type.Literal('delivered'), status: Type.Integer() }),
    Type.Object({ kind: Type.Literal('failed'), reason: Type.String({ description: 'What it answered, or why it was not reached.' }) }),
  ]),
);

const slo = Type.Object({ ttftMs: nullable(number), interTokenMs: nullable(number), totalMs: nullable(number) });

export const slosAnswer = shaped<contract.SlosAnswer>()(
  Type.Object({
    fallback: slo,
    models: Type.Array(
      Type.Object({ model: text, slo, source: Type.Enum(['yours', 'calibration', 'fallback']), calibrated: nullable(slo) }),
    ),
  }),
);

export const jobStatus = shaped<contract.JobStatus>()(now.properties.jobs.items);
export const jobList = shaped<readonly contract.JobStatus[]>()(Type.Array(now.properties.jobs.items));

export const catalogue = shaped<readonly contract.CatalogueModel[]>()(
  Type.Array(
    Type.Object({
      id: text,
      title: text,
      use: modelStatus.properties.use,
      parameterCount: Type.Integer(),
      sizeBytes: Type.Integer({ description: 'About what it takes once installed in 8 bits.' }),
      memoryBytes: Type.Integer({ description: 'About what it takes in memory while it runs.' }),
      fit: Type.Enum(['fits', 'tight', 'too_large'], { description: 'Whether that memory is free now, is there at all, or is not.' }),
      licence: text,
      contextLength: Type.Integer(),
      tokensPerSecond: nullable(Type.Number({ description: 'About what one stream gets on this machine.' })),
    }),
  ),
);

const SETTINGS_PARTS = {
  cost: Type.Object({}),
  retention: Type.Object({}),
  slos: Type.Object({}),
  alerts: Type.Object({}),
  cache: Type.Object({}),
};
const settingsFields = { ...SETTINGS_PARTS, pinnedModels: Type.Array(text), idleUnloadMinutes: nullable(number) };

export const settings = shaped<contract.Settings>()(Type.Object(settingsFields));
/** Any part of them. What each value must be is the ledger's business, which names what it refuses. */
export const settingsPatch = Type.Unsafe<SettingsPatch>(
  Type.Object({}, { description: 'Any part of the settings; lists are replaced whole.' }),
);
