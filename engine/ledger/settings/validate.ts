// Owns how a patch becomes settings: merged, checked against the schema and against what one setting demands of another.
// Pure: knows nothing about where settings are kept.
import { Value } from 'typebox/value';
import type { CostSettings, RoutingSettings, Settings } from '../../contract.ts';
import { EngineError } from '../../errors.ts';
import { SETTINGS_SCHEMA } from './schema.ts';

/** What the console shows in place of a secret, and may send back: the secret stays as it is. */
const SECRET_IS_SET = 'set';

/** The settings after the patch. Objects are merged, lists replaced, and `null` removes a model from `slos.models`.
 *  @throws EngineError `invalid_request` naming the field and its limit */
export function applyPatch(current: Settings, patch: unknown): Settings {
  if (!isObject(patch)) throw invalid('', 'must be an object.');
  const next = keepSecret(current, merge(current, patch, ''));
  checkSchema(next);
  checkRelations(next);
  return next;
}

/** Settings read from a file that another version may have written: parts this version does not accept are as in `defaults`. */
export function acceptStored(defaults: Settings, stored: unknown): { readonly settings: Settings; readonly refused: readonly string[] } {
  if (!isObject(stored)) return { settings: defaults, refused: ['all of it'] };
  const refused: string[] = [];
  let settings = defaults;
  for (const [key, value] of Object.entries(stored)) {
    try {
      settings = applyPatch(settings, { [key]: value });
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      refused.push(error.message);
    }
  }
  return { settings, refused };
}

function merge(current: unknown, patch: unknown, path: string): unknown {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(current) ? { ...current } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (key === '__proto__') throw invalid(`${path}${key}`, 'is not a setting.');
    if (value === undefined) continue;
    if (value === null && path === 'slos.models.') delete merged[key];
    else merged[key] = merge(merged[key], value, `${path}${key}.`);
  }
  return merged;
}

function keepSecret(current: Settings, next: unknown): unknown {
  if (!isObject(next) || !isObject(next.alerts) || next.alerts.webhookSecret !== SECRET_IS_SET) return next;
  return { ...next, alerts: { ...next.alerts, webhookSecret: current.alerts.webhookSecret } };
}

function checkSchema(settings: unknown): asserts settings is Settings {
  if (Value.Check(SETTINGS_SCHEMA, settings)) return;
  const paths = Value.Errors(SETTINGS_SCHEMA, settings).map(({ instancePath }) => instancePath.split('/').slice(1));
  const deepest = paths.reduce((best, path) => (path.length > best.length ? path : best), [] as readonly string[]);
  const limit = limitAt(SETTINGS_SCHEMA as object, deepest);
  throw invalid(deepest.map(unescapePointer).join('.'), limit === null ? 'is not a setting.' : `must be ${limit}.`);
}

interface SchemaNode {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
}

/** The description of the schema at a path; null where the schema has no such field. */
function limitAt(schema: SchemaNode, path: readonly string[]): string | null {
  const [head, ...rest] = path;
  if (head === undefined) return schema.description ?? null;
  const next = schema.properties?.[unescapePointer(head)] ?? schema.items ?? Object.values(schema.patternProperties ?? {})[0];
  return next === undefined ? null : limitAt(next, rest);
}

/** RFC 6901, section 4. */
const unescapePointer = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~');

function checkRelations({ cost, alerts, routing }: Settings): void {
  requireUnique(cost.upstreamPrices, 'name', 'cost.upstreamPrices');
  requireUnique(cost.rentPrices, 'name', 'cost.rentPrices');
  requireUnique(alerts.rules, 'id', 'alerts.rules');
  checkRouting(routing, cost);
  if (cost.premium !== '' && !cost.upstreamPrices.some(({ name }) => name === cost.premium))
    throw invalid('cost.premium', 'must be the name of one of cost.upstreamPrices, or empty.');
  alerts.rules.forEach(({ comparison, threshold, clearThreshold }, at) => {
    const isClear = comparison === 'above' ? clearThreshold <= threshold : clearThreshold >= threshold;
    const side = comparison === 'above' ? 'at most' : 'at least';
    if (!isClear) throw invalid(`alerts.rules.${at}.clearThreshold`, `must be ${side} the threshold, ${threshold}.`);
  });
}

function checkRouting({ upstreams, aliases }: RoutingSettings, { upstreamPrices }: CostSettings): void {
  requireUnique(aliases, 'name', 'routing.aliases');
  requireUnique(upstreams, 'name', 'routing.upstreams');
  const prices = new Set(upstreamPrices.map(({ name }) => name));
  upstreams.forEach(({ models }, at) => {
    requireUnique(models, 'name', `routing.upstreams.${at}.models`);
    models.forEach(({ name }, place) => {
      // Without its price no cap could hold.
      if (!prices.has(name)) throw invalid(`routing.upstreams.${at}.models.${place}.name`, 'must have its price in cost.upstreamPrices.');
    });
  });
}

function requireUnique<K extends string>(entries: readonly { readonly [P in K]: string }[], key: K, path: string): void {
  const seen = new Set<string>();
  entries.forEach((entry, at) => {
    if (seen.has(entry[key])) throw invalid(`${path}.${at}.${key}`, `must be unique; ${JSON.stringify(entry[key])} is there twice.`);
    seen.add(entry[key]);
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(path: string, problem: string): EngineError {
  const name = path === '' ? 'The settings' : path;
  return new EngineError('invalid_request', `${name} ${problem}`, path === '' ? {} : { param: path });
}
