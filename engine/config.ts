// Owns every option of the engine: its flag, its environment variable, its default and its limits, in one table.
// Knows nothing about who reads the command line.
import envPaths from 'env-paths';
import { EngineError } from './errors.ts';
import { LOG_LEVELS, type LogLevel } from './log.ts';
import type { Precision } from './models/manifest.ts';
import { DEFAULT_BATCHING } from './runner/protocol.ts';

interface OptionRow<T> {
  /** As commander writes it: `--port <number>`. */
  readonly flag: string;
  readonly env: string;
  readonly help: string;
  /** What a value must be, in words that complete "must be". */
  readonly limit: string;
  readonly fallback: () => T;
  /** Undefined for a value outside the limits. */
  readonly parse: (text: string) => T | undefined;
}

const row = <T>(option: OptionRow<T>): OptionRow<T> => option;
/** `int8` where a model has it: variants made from a calibration. */
const KV_CACHES = ['fp32', 'int8'] as const;
type KvCache = (typeof KV_CACHES)[number];
const ON_OFF_LIMIT = 'on or off';
const PRECISIONS = ['fp32', 'fp16', 'int8', 'int4'] as const satisfies readonly Precision[];

export const OPTIONS = {
  host: row({
    flag: '--host <address>',
    env: 'MILLRACE_HOST',
    help: 'address to listen on; beyond loopback an API key is needed',
    limit: 'an address or a host name',
    fallback: () => '127.0.0.1',
    parse: notEmpty,
  }),
  port: row({
    flag: '--port <number>',
    env: 'MILLRACE_PORT',
    help: 'port to listen on; 0 picks a free one and prints it',
    limit: 'a whole number from 0 to 65535',
    fallback: () => 11_711,
    parse: wholeNumber(0, 65_535),
  }),
  dataDir: row({
    flag: '--data-dir <folder>',
    env: 'MILLRACE_DATA_DIR',
    help: 'where models and state are kept',
    limit: 'a folder',
    fallback: () => envPaths('millrace', { suffix: '' }).data,
    parse: notEmpty,
  }),
  model: row({
    flag: '--model <name>',
    env: 'MILLRACE_MODEL',
    help: 'model to load at start; without it the only one that is installed',
    limit: 'the name of a model',
    fallback: (): string | null => null,
    parse: notEmpty,
  }),
  precision: row({
    flag: '--precision <name>',
    env: 'MILLRACE_PRECISION',
    help: `precision of the weights: ${PRECISIONS.join(', ')}`,
    limit: `one of ${PRECISIONS.join(', ')}`,
    fallback: (): Precision | null => null,
    parse: oneOf(PRECISIONS),
  }),
  kvCache: row({
    flag: '--kv-cache <name>',
    env: 'MILLRACE_KV_CACHE',
    help: `numbers in the KV cache: ${KV_CACHES.join(', ')}; int8 takes a quarter of the memory, decodes long contexts faster and reads prompts slower`,
    limit: `one of ${KV_CACHES.join(', ')}`,
    fallback: (): KvCache => 'fp32',
    parse: oneOf(KV_CACHES),
  }),
  ctx: row({
    flag: '--ctx <tokens>',
    env: 'MILLRACE_CTX',
    help: 'context of one sequence, prompt and answer; without it what the model was trained on, as far as memory allows',
    limit: 'a whole number from 16 to 16777216',
    fallback: (): number | null => null,
    parse: wholeNumber(16, 2 ** 24),
  }),
  slots: row({
    flag: '--slots <number>',
    env: 'MILLRACE_SLOTS',
    help: 'most sequences that decode together; without it they grow with demand',
    limit: 'a whole number from 1 to 256',
    fallback: (): number | null => null,
    parse: wholeNumber(1, 256),
  }),
  threads: row({
    flag: '--threads <number>',
    env: 'MILLRACE_THREADS',
    help: 'threads that compute; without it one for each core',
    limit: 'a whole number from 1 to 1024',
    fallback: (): number | null => null,
    parse: wholeNumber(1, 1024),
  }),
  queue: row({
    flag: '--queue <number>',
    env: 'MILLRACE_QUEUE',
    help: 'most requests of one model under way or waiting; one more is refused with 429',
    limit: 'a whole number from 1 to 100000',
    fallback: () => 512,
    parse: wholeNumber(1, 100_000),
  }),
  speculation: row({
    flag: '--speculation <on|off>',
    env: 'MILLRACE_SPECULATION',
    help: 'draft tokens by prompt look-up while few sequences run',
    limit: ON_OFF_LIMIT,
    fallback: () => true,
    parse: onOff,
  }),
  maxBatch: row({
    flag: '--max-batch <texts>',
    env: 'MILLRACE_MAX_BATCH',
    help: 'most texts that an embedding or reranking model computes together',
    limit: 'a whole number from 1 to 1024',
    fallback: () => DEFAULT_BATCHING.maxBatchSize,
    parse: wholeNumber(1, 1024),
  }),
  maxWait: row({
    flag: '--max-wait <ms>',
    env: 'MILLRACE_MAX_WAIT',
    help: 'longest time in ms that a text waits for others to be computed with; it does not wait when that does not pay',
    limit: 'a whole number from 0 to 10000',
    fallback: () => DEFAULT_BATCHING.maxWaitMs,
    parse: wholeNumber(0, 10_000),
  }),
  requireKey: row({
    flag: '--require-key [on|off]',
    env: 'MILLRACE_REQUIRE_KEY',
    help: 'nobody enters without an API key, not even from this machine; needed behind a proxy that runs here',
    limit: ON_OFF_LIMIT,
    fallback: () => false,
    parse: onOff,
  }),
  lan: row({
    flag: '--lan [on|off]',
    env: 'MILLRACE_LAN',
    help: 'lets other machines in, by TLS and with an API key, and announces the server by mDNS; without it as the console has set it',
    limit: ON_OFF_LIMIT,
    fallback: (): boolean | null => null,
    parse: onOff,
  }),
  tlsPort: row({
    flag: '--tls-port <number>',
    env: 'MILLRACE_TLS_PORT',
    help: 'port on which other machines are answered; without it the one after --port',
    limit: 'a whole number from 0 to 65535',
    fallback: (): number | null => null,
    parse: wholeNumber(0, 65_535),
  }),
  agentPort: row({
    flag: '--agent-port <number>',
    env: 'MILLRACE_AGENT_PORT',
    help: "port that answers a load balancer's agent check with this server's weight; without it there is none",
    limit: 'a whole number from 0 to 65535',
    fallback: (): number | null => null,
    parse: wholeNumber(0, 65_535),
  }),
  allowHost: row({
    flag: '--allow-host <names>',
    env: 'MILLRACE_ALLOW_HOST',
    help: 'further names, with commas between them, by which clients may call this server',
    limit: 'host names with commas between them, without ports',
    fallback: (): readonly string[] => [],
    parse: listOf(/^[a-z0-9.-]+$/),
  }),
  allowOrigin: row({
    flag: '--allow-origin <origins>',
    env: 'MILLRACE_ALLOW_ORIGIN',
    help: 'web origins, with commas between them, whose pages may use this server',
    limit: 'origins such as https://chat.example with commas between them',
    fallback: (): readonly string[] => [],
    parse: listOf(/^https?:\/\/[a-z0-9.-]+(:\d+)?$/),
  }),
  drainSeconds: row({
    flag: '--drain <seconds>',
    env: 'MILLRACE_DRAIN',
    help: 'how long running requests may take to finish after SIGTERM',
    limit: 'a whole number from 0 to 3600',
    fallback: () => 30,
    parse: wholeNumber(0, 3600),
  }),
  logLevel: row({
    flag: '--log-level <level>',
    env: 'MILLRACE_LOG_LEVEL',
    help: `what is logged to stderr: ${LOG_LEVELS.join(', ')}`,
    limit: `one of ${LOG_LEVELS.join(', ')}`,
    // At a terminal the command's own lines say what there is to know.
    fallback: (): LogLevel => (process.stderr.isTTY ? 'warn' : 'info'),
    parse: oneOf(LOG_LEVELS),
  }),
} as const;

export type OptionName = keyof typeof OPTIONS;
export type EngineConfig = { readonly [K in OptionName]: ReturnType<(typeof OPTIONS)[K]['fallback']> };

/** The option's value from its flag, else from the environment, else its default. Empty variables count as absent.
 *  @throws EngineError `invalid_request`, which names the option and its limits */
export function readConfig(flags: Readonly<Partial<Record<OptionName, string>>>, env: NodeJS.ProcessEnv): EngineConfig {
  const names = Object.keys(OPTIONS) as OptionName[];
  return Object.fromEntries(names.map((name) => [name, readOption(name, flags[name], env)])) as EngineConfig;
}

function readOption(name: OptionName, flag: string | undefined, env: NodeJS.ProcessEnv): unknown {
  const option: OptionRow<unknown> = OPTIONS[name];
  const variable = env[option.env];
  const text = flag ?? (variable === '' ? undefined : variable);
  if (text === undefined) return option.fallback();
  const value = option.parse(text.trim());
  if (value !== undefined) return value;
  const spelled = flag === undefined ? option.env : (option.flag.split(' ')[0] ?? option.flag);
  throw new EngineError('invalid_request', `${spelled} must be ${option.limit}, not ${JSON.stringify(text)}.`, { param: spelled });
}

function onOff(text: string): boolean | undefined {
  return text === 'on' || text === 'off' ? text === 'on' : undefined;
}

function notEmpty(text: string): string | undefined {
  return text === '' ? undefined : text;
}

function wholeNumber(least: number, most: number): (text: string) => number | undefined {
  return (text) => (/^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined);
}

function oneOf<T extends string>(choices: readonly T[]): (text: string) => T | undefined {
  return (text) => choices.find((choice) => choice === text.toLowerCase());
}

function listOf(item: RegExp): (text: string) => readonly string[] | undefined {
  return (text) => {
    const items = text
      .toLowerCase()
      .split(',')
      .map((part) => part.trim());
    return items.every((part) => item.test(part)) ? items : undefined;
  };
}
