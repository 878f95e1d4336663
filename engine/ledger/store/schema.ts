// Owns the tables of the history file, version by version. Units are in the names: pico = 1e-12 USD, us = microseconds.
// Integers throughout: they are short in SQLite's row format and add up exactly.

/** NOTE: a request's id is the ms of its end × 256 + a running number, so that the primary key is the index by time.
 *  `grain` is a place in STEPS_MS, `at` the start of the step in s since 1970; words are ids of `words`, 0 for none. */
const VERSION_1 = `
CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE requests (
  id INTEGER PRIMARY KEY,
  request_id NOT NULL,
  tenant INTEGER NOT NULL,
  key INTEGER NOT NULL,
  endpoint INTEGER NOT NULL,
  model INTEGER NOT NULL,
  model_asked NOT NULL,
  variant INTEGER NOT NULL,
  precision INTEGER NOT NULL,
  device INTEGER NOT NULL,
  route_reason NOT NULL,
  cache INTEGER NOT NULL,
  outcome INTEGER NOT NULL,
  error_code INTEGER NOT NULL,
  streamed INTEGER NOT NULL,
  status INTEGER NOT NULL,
  queue_us INTEGER,
  prefill_us INTEGER,
  ttft_us INTEGER,
  inter_token_p50_us INTEGER,
  inter_token_p99_us INTEGER,
  total_us INTEGER NOT NULL,
  prompt_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL,
  mean_batch_milli INTEGER,
  device_us INTEGER NOT NULL,
  energy_uj INTEGER NOT NULL,
  energy_pico INTEGER NOT NULL,
  hardware_pico INTEGER NOT NULL,
  upstream_pico INTEGER NOT NULL,
  premium_pico INTEGER
);
CREATE INDEX requests_slowest ON requests (total_us, model, tenant, endpoint, outcome);
CREATE INDEX requests_costliest ON requests (energy_pico + hardware_pico + upstream_pico, model, tenant, endpoint, outcome);

CREATE TABLE server_stats (
  grain INTEGER, at INTEGER,
  samples INTEGER, busy_pico INTEGER, idle_pico INTEGER, power_readings INTEGER, power_measured INTEGER,
  PRIMARY KEY (grain, at)
) WITHOUT ROWID;
CREATE TABLE device_stats (
  grain INTEGER, at INTEGER, device INTEGER,
  utilisation_n INTEGER, utilisation_ppm INTEGER, memory_n INTEGER, memory_bytes INTEGER,
  memory_total_n INTEGER, memory_total_bytes INTEGER, power_n INTEGER, power_mw INTEGER, power_measured_n INTEGER,
  temperature_n INTEGER, temperature_milli INTEGER,
  PRIMARY KEY (grain, at, device)
) WITHOUT ROWID;
CREATE TABLE model_stats (
  grain INTEGER, at INTEGER, model INTEGER,
  samples INTEGER, queue_depth INTEGER, running INTEGER, slots INTEGER, kv_used_tokens INTEGER,
  batch_n INTEGER, batch_milli INTEGER, prompt_tokens INTEGER, completion_tokens INTEGER, busy_us INTEGER,
  PRIMARY KEY (grain, at, model)
) WITHOUT ROWID;
CREATE TABLE request_stats (
  grain INTEGER, at INTEGER, model INTEGER,
  requests INTEGER, errors INTEGER, cache_hits INTEGER, prompt_tokens INTEGER, completion_tokens INTEGER,
  cost_pico INTEGER, premium_pico INTEGER,
  ttft BLOB, inter_token_p50 BLOB, inter_token_p99 BLOB, total BLOB, wait BLOB,
  PRIMARY KEY (grain, at, model)
) WITHOUT ROWID;
CREATE TABLE cost_stats (
  grain INTEGER, at INTEGER, model INTEGER, key INTEGER, endpoint INTEGER, tenant INTEGER, outcome INTEGER,
  requests INTEGER, prompt_tokens INTEGER, completion_tokens INTEGER, device_us INTEGER, energy_uj INTEGER,
  energy_pico INTEGER, hardware_pico INTEGER, upstream_pico INTEGER, premium_pico INTEGER,
  PRIMARY KEY (grain, at, model, key, endpoint, tenant, outcome)
) WITHOUT ROWID;

CREATE TABLE alerts (id TEXT PRIMARY KEY, since_ms INTEGER NOT NULL, document TEXT NOT NULL);
CREATE INDEX alerts_since ON alerts (since_ms);
`;

/** The part of `queue_us` in which the model was loading. */
const VERSION_2 = 'ALTER TABLE requests ADD COLUMN load_us INTEGER;';

/** Ids alone, a quarter of the table, and the few that failed: to look for a part of an id or of an error's code. */
const VERSION_3 = `
CREATE INDEX requests_id ON requests (request_id);
CREATE INDEX requests_failed ON requests (error_code) WHERE error_code <> 0;
`;

export const MIGRATIONS: readonly string[] = [VERSION_1, VERSION_2, VERSION_3];

/** Tables whose rows of one grain add up to those of the next: what identifies a row, what is summed, what is merged. */
export const STATS = {
  server_stats: { keys: ['grain', 'at'], sums: ['samples', 'busy_pico', 'idle_pico', 'power_readings', 'power_measured'], histograms: [] },
  device_stats: {
    keys: ['grain', 'at', 'device'],
    sums: [
      'utilisation_n',
      'utilisation_ppm',
      'memory_n',
      'memory_bytes',
      'memory_total_n',
      'memory_total_bytes',
      'power_n',
      'power_mw',
      'power_measured_n',
      'temperature_n',
      'temperature_milli',
    ],
    histograms: [],
  },
  model_stats: {
    keys: ['grain', 'at', 'model'],
    sums: [
      'samples',
      'queue_depth',
      'running',
      'slots',
      'kv_used_tokens',
      'batch_n',
      'batch_milli',
      'prompt_tokens',
      'completion_tokens',
      'busy_us',
    ],
    histograms: [],
  },
  request_stats: {
    keys: ['grain', 'at', 'model'],
    sums: ['requests', 'errors', 'cache_hits', 'prompt_tokens', 'completion_tokens', 'cost_pico', 'premium_pico'],
    histograms: ['ttft', 'inter_token_p50', 'inter_token_p99', 'total', 'wait'],
  },
  cost_stats: {
    keys: ['grain', 'at', 'model', 'key', 'endpoint', 'tenant', 'outcome'],
    sums: [
      'requests',
      'prompt_tokens',
      'completion_tokens',
      'device_us',
      'energy_uj',
      'energy_pico',
      'hardware_pico',
      'upstream_pico',
      'premium_pico',
    ],
    histograms: [],
  },
} as const satisfies Record<string, StatsShape>;

export interface StatsShape {
  readonly keys: readonly string[];
  readonly sums: readonly string[];
  readonly histograms: readonly string[];
}

export type StatsTable = keyof typeof STATS;
export type SumOf<T extends StatsTable> = (typeof STATS)[T]['sums'][number];
export type HistogramOf<T extends StatsTable> = (typeof STATS)[T]['histograms'][number];
