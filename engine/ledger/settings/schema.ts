// Owns the limits of every setting. Each leaf's description completes "must be", for the sentence that refuses a value.
import { Type } from 'typebox';
import { ALERT_METRICS, TIERS } from '../../contract.ts';

const MAX_RULES = 200;
const MAX_PRICES = 200;
const MAX_MODELS = 1000;
const MAX_SPANS = 50;
const MAX_TARGETS = 50;

const object = <T extends Parameters<typeof Type.Object>[0]>(properties: T) =>
  Type.Object(properties, { additionalProperties: false, description: 'an object' });

const number = (minimum: number, maximum: number, unit: string) =>
  Type.Number({ minimum, maximum, description: `a number from ${minimum} to ${maximum}${unit}` });

const integer = (minimum: number, maximum: number, unit: string) =>
  Type.Integer({ minimum, maximum, description: `a whole number from ${minimum} to ${maximum}${unit}` });

const text = (minLength: number, maxLength: number) =>
  Type.String({ minLength, maxLength, description: `a text of ${minLength} to ${maxLength} characters` });

const orNull = <T extends { readonly description?: string }>(schema: T & Parameters<typeof Type.Union>[0][number]) =>
  Type.Union([schema, Type.Null()], { description: `${schema.description ?? 'a value'}, or null` });

const flag = () => Type.Boolean({ description: 'true or false' });

const list = <T extends Parameters<typeof Type.Array>[0]>(item: T, maxItems: number) =>
  Type.Array(item, { maxItems, description: `a list of at most ${maxItems} entries` });

const upstreamPrice = object({
  name: text(1, 100),
  promptUsdPerMillion: number(0, 100_000, ' USD per million tokens'),
  completionUsdPerMillion: number(0, 100_000, ' USD per million tokens'),
});

const slo = object({
  ttftMs: orNull(number(1, 3_600_000, ' ms')),
  interTokenMs: orNull(number(1, 3_600_000, ' ms')),
  totalMs: orNull(number(1, 86_400_000, ' ms')),
});

const alertRule = object({
  id: text(1, 100),
  name: text(1, 200),
  enabled: flag(),
  metric: Type.Union(
    ALERT_METRICS.map((name) => Type.Literal(name)),
    { description: `one of ${ALERT_METRICS.join(', ')}` },
  ),
  comparison: Type.Union([Type.Literal('above'), Type.Literal('below')], { description: 'above or below' }),
  threshold: number(-1e12, 1e12, ''),
  windowSeconds: integer(1, 86_400, ' s'),
  clearThreshold: number(-1e12, 1e12, ''),
  minLoad: number(0, 1e6, ' requests'),
  indicates: text(0, 1000),
  remedy: text(0, 1000),
});

const choice = (...names: readonly string[]) =>
  Type.Union(
    names.map((name) => Type.Literal(name)),
    { description: `one of ${names.join(', ')}` },
  );

const tier = list(text(1, 300), MAX_TARGETS);

const upstream = object({
  name: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,63}$', description: 'a name of a-z, 0-9, dot, hyphen and underscore' }),
  api: choice('openai', 'anthropic'),
  baseUrl: Type.String({ pattern: '^https?://[^\\s@?#]{1,2000}$', description: 'an http or https address without a query' }),
  models: list(
    object({ name: text(1, 200), contextLength: integer(16, 2 ** 24, ' tokens'), maxTokens: integer(1, 2 ** 20, ' tokens') }),
    MAX_TARGETS,
  ),
  continuesAnswers: flag(),
});

const routing = object({
  tiers: object(Object.fromEntries(TIERS.map((name) => [name, tier]))),
  aliases: list(object({ name: text(1, 300), target: text(1, 300) }), MAX_MODELS),
  qualityBar: number(0, 1, ''),
  latencyGoalMs: orNull(number(1, 3_600_000, ' ms')),
  degrade: flag(),
  firstTokenTimeoutMs: orNull(number(1, 3_600_000, ' ms')),
  upstreams: list(upstream, MAX_TARGETS),
  upstreamFor: choice('nobody', 'listed', 'everybody'),
  upstreamTenants: list(text(1, 200), MAX_MODELS),
  upstreamMonthlyUsd: orNull(number(0, 100_000_000, ' USD')),
  shadowShare: number(0, 1, ''),
  shadowDailyUsd: number(0, 100_000_000, ' USD'),
});

const timeOfDay = () => Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d$', description: 'a time of day such as 22:00' });
const daySpan = { from: timeOfDay(), to: timeOfDay() };

export const SETTINGS_SCHEMA = object({
  cost: object({
    tariffUsdPerKwh: number(0, 100, ' USD per kWh'),
    hardwarePriceUsd: number(0, 100_000_000, ' USD'),
    hardwareLifeYears: number(0.1, 100, ' years'),
    idleWatts: number(0, 1_000_000, ' W'),
    busyWatts: number(0, 1_000_000, ' W'),
    upstreamPrices: list(upstreamPrice, MAX_PRICES),
    premium: text(0, 100),
    rentPrices: list(object({ name: text(1, 100), usdPerHour: number(0, 100_000, ' USD an hour') }), MAX_PRICES),
  }),
  retention: object({
    secondsHours: integer(1, 720, ' hours'),
    minutesDays: integer(1, 3650, ' days'),
    hoursDays: integer(1, 36_500, ' days'),
    requestsDays: integer(1, 3650, ' days'),
  }),
  slos: object({
    fallback: slo,
    models: Type.Record(Type.String(), slo, { maxProperties: MAX_MODELS, description: `objects of at most ${MAX_MODELS} models` }),
  }),
  alerts: object({
    rules: list(alertRule, MAX_RULES),
    desktop: flag(),
    webhookUrl: orNull(Type.String({ pattern: '^https?://[^\\s]{1,2000}$', description: 'an http or https address' })),
    webhookSecret: orNull(text(1, 500)),
  }),
  cache: object({
    enabled: flag(),
    maxBytes: integer(0, 2 ** 40, ' bytes'),
    maxAgeHours: number(0.01, 87_600, ' hours'),
    shared: flag(),
    semanticSimilarity: orNull(number(0.5, 1, '')),
    semanticModel: orNull(text(1, 300)),
  }),
  routing,
  batch: object({
    windows: list(object(daySpan), MAX_SPANS),
    mainsOnly: flag(),
    maxCelsius: orNull(number(20, 120, ' °C')),
    maxUsdPerKwh: orNull(number(0, 100, ' USD per kWh')),
    tariffs: list(object({ ...daySpan, usdPerKwh: number(0, 100, ' USD per kWh') }), MAX_SPANS),
    maxRows: orNull(integer(1, 1024, ' rows')),
  }),
  quality: object({ int8Loss: number(0, 10, ', as a share'), int4Loss: number(0, 10, ', as a share') }),
  pinnedModels: list(text(1, 300), MAX_MODELS),
  idleUnloadMinutes: orNull(number(0.1, 525_600, ' minutes')),
});
