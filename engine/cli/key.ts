// `millrace key`: makes, lists, rotates and revokes API keys in the data folder, whether a server runs on it or not.
import { Keys } from '../access/keys.ts';
import { keyFilePath } from '../access/key-file.ts';
import { plainWish } from '../access/key-wish.ts';
import { ENDPOINT_SCOPES, PRIORITIES, type EndpointScope, type KeyInfo, type KeyLimits, type KeyWish, type NewKey } from '../contract.ts';
import { EngineError } from '../errors.ts';
import { formatTable } from './list.ts';

/** As they were typed; undefined: not given. */
export interface KeyFlags {
  readonly tenant?: string;
  readonly scopes?: string;
  readonly models?: string;
  readonly expires?: string;
  readonly rpm?: string;
  readonly tpm?: string;
  readonly concurrency?: string;
  readonly dailyUsd?: string;
  readonly monthlyUsd?: string;
  readonly countLocalCost?: boolean;
  readonly priority?: string;
}

const UNITS: Readonly<Record<string, number>> = { s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7, w: 6.048e8, y: 3.15576e10 };

/** @throws EngineError `invalid_request` naming the flag or field, `access_unavailable` */
export async function createKey(dataDir: string, flags: KeyFlags, json: boolean): Promise<void> {
  tellNew(await keysOf(dataDir).create(wishOf(flags, Date.now())), json);
}

/** A table for people, or one JSON array. @throws EngineError `access_unavailable` */
export function listKeys(dataDir: string, json: boolean): void {
  const keys = keysOf(dataDir).list();
  if (json) return print(JSON.stringify(keys, null, 2));
  if (keys.length === 0) return print('There is no API key yet. One is made by: millrace key create --tenant NAME');
  for (const line of formatTable([COLUMNS, ...keys.map(rowOf)])) print(line);
}

/** @throws EngineError `key_not_found`, `access_unavailable` */
export async function rotateKey(dataDir: string, id: string, options: { readonly grace: string; readonly json: boolean }): Promise<void> {
  tellNew(await keysOf(dataDir).rotate(id, spanMs('--grace', options.grace)), options.json);
}

/** @throws EngineError `key_not_found`, `access_unavailable` */
export async function revokeKey(dataDir: string, id: string, json: boolean): Promise<void> {
  const key = await keysOf(dataDir).revoke(id);
  print(json ? JSON.stringify(key, null, 2) : `The key ${key.id} of ${key.tenant} is revoked.`);
}

/** What the flags ask for; whatever is not named is as in a plain key. @throws EngineError `invalid_request` naming the flag */
export function wishOf(flags: KeyFlags, nowMs: number): KeyWish {
  const plain = plainWish(flags.tenant ?? '');
  const scopes = listOf(flags.scopes);
  const endpoints = scopes.filter((name) => name !== 'admin').map(endpointOf);
  return {
    ...plain,
    expiresMs: flags.expires === undefined ? null : nowMs + spanMs('--expires', flags.expires),
    scopes: {
      admin: scopes.includes('admin'),
      endpoints: endpoints.length === 0 ? null : endpoints,
      models: flags.models === undefined ? null : listOf(flags.models),
    },
    limits: limitsOf(flags),
    priority: oneOf('--priority', PRIORITIES, flags.priority ?? plain.priority),
  };
}

function limitsOf(flags: KeyFlags): KeyLimits {
  return {
    requestsPerMinute: numberOf('--rpm', flags.rpm),
    tokensPerMinute: numberOf('--tpm', flags.tpm),
    concurrency: numberOf('--concurrency', flags.concurrency),
    dailyUsd: numberOf('--daily-usd', flags.dailyUsd),
    monthlyUsd: numberOf('--monthly-usd', flags.monthlyUsd),
    countsLocalCost: flags.countLocalCost ?? false,
  };
}

const COLUMNS = ['ID', 'TENANT', 'STATE', 'EXPIRES', 'SCOPES', 'MODELS', 'LIMITS', 'PRIORITY'];

function rowOf({ id, tenant, state, expiresMs, scopes, limits, priority }: KeyInfo): readonly string[] {
  const names = [...(scopes.endpoints ?? ['all']), ...(scopes.admin ? ['admin'] : [])];
  const expires = expiresMs === null ? 'never' : new Date(expiresMs).toISOString().slice(0, 10);
  return [id, tenant, state, expires, names.join(','), scopes.models?.join(',') ?? 'all', limitWords(limits), priority];
}

function limitWords(limits: KeyLimits): string {
  const words = [
    [limits.requestsPerMinute, 'rpm'],
    [limits.tokensPerMinute, 'tpm'],
    [limits.concurrency, 'at once'],
    [limits.dailyUsd, 'USD/day'],
    [limits.monthlyUsd, 'USD/month'],
  ] as const;
  const given = words.flatMap(([value, unit]) => (value === null ? [] : [`${value} ${unit}`]));
  return given.length === 0 ? 'none' : given.join(', ');
}

function tellNew(made: NewKey, json: boolean): void {
  if (json) return print(JSON.stringify(made, null, 2));
  print(made.secret);
  process.stderr.write(
    `This is the key ${made.key.id} of ${made.key.tenant}. It is shown this once; send it as \`Authorization: Bearer KEY\`.\n`,
  );
}

/** @throws EngineError `access_unavailable` for a damaged file */
function keysOf(dataDir: string): Keys {
  return new Keys({ path: keyFilePath(dataDir), now: Date.now, onFault: () => undefined });
}

function spanMs(flag: string, text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhdwy])$/.exec(text) ?? [];
  const unitMs = UNITS[unit ?? ''];
  if (count === undefined || unitMs === undefined) throw invalid(flag, 'a span such as 12h, 30d or 1y', text);
  return Number(count) * unitMs;
}

function numberOf(flag: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^\d{1,12}(\.\d{1,6})?$/.test(text)) throw invalid(flag, 'a number', text);
  return Number(text);
}

function endpointOf(name: string): EndpointScope {
  return oneOf('--scopes', ENDPOINT_SCOPES, name);
}

function oneOf<T extends string>(flag: string, choices: readonly T[], text: string): T {
  const chosen = choices.find((choice) => choice === text);
  if (chosen === undefined) throw invalid(flag, `one of ${choices.join(', ')}${flag === '--scopes' ? ', admin' : ''}`, text);
  return chosen;
}

function listOf(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function invalid(flag: string, limit: string, text: string): EngineError {
  return new EngineError('invalid_request', `${flag} must be ${limit}, not ${JSON.stringify(text)}.`, { param: flag });
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
