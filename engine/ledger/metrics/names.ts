// Owns the name, kind, labels and meaning of every exported metric: one table, which the exporter and the dashboard's test share.
// Names follow the field: the base units and suffixes of Prometheus (https://prometheus.io/docs/practices/naming/), vLLM's terms for
// what a scheduler does, OpenTelemetry's GenAI conventions for latencies and their bucket bounds.

const counter = <L extends string>(labels: readonly L[], help: string) => ({ kind: 'counter', labels, help }) as const;
const gauge = <L extends string>(labels: readonly L[], help: string) => ({ kind: 'gauge', labels, help }) as const;
/** `buckets`: upper bounds, ascending. */
const histogram = <L extends string>(labels: readonly L[], help: string, buckets: readonly number[]) =>
  ({ kind: 'histogram', labels, help, buckets }) as const;

/** Bounds of gen_ai.server.time_to_first_token, with the slow end of a CPU added. */
const FIRST_TOKEN_SECONDS = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60];
/** Bounds of gen_ai.server.time_per_output_token, with a fast end that small models reach. */
const PER_TOKEN_SECONDS = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];
/** Bounds of gen_ai.server.request.duration, with the fast end that encoders need. */
const DURATION_SECONDS = [0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84];
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** Every metric of the server's own; those of the process itself (`process_*`, `nodejs_*`) have prom-client's names. */
export const METRICS = {
  millrace_build_info: gauge(['version'], 'Always 1; the label tells which version serves.'),
  millrace_requests_total: counter(['model', 'endpoint', 'outcome'], 'Finished requests: ok, error or cancelled.'),
  millrace_request_errors_total: counter(['model', 'code'], 'Requests that ended in an error, by error code.'),
  millrace_time_to_first_token_seconds: histogram(['model'], 'From arrival to the first token sent.', FIRST_TOKEN_SECONDS),
  millrace_time_per_output_token_seconds: histogram(
    ['model'],
    'Mean time of one output token after the first, over each request that was answered.',
    PER_TOKEN_SECONDS,
  ),
  millrace_inter_token_latency_p99_seconds: histogram(
    ['model'],
    'The 99th percentile of the gaps between output tokens within each request: how badly streams stutter.',
    PER_TOKEN_SECONDS,
  ),
  millrace_request_queue_time_seconds: histogram(['model'], 'From arrival to the first slot.', FIRST_TOKEN_SECONDS),
  millrace_request_prefill_time_seconds: histogram(['model'], 'Time in which the prompt was computed.', FIRST_TOKEN_SECONDS),
  millrace_request_duration_seconds: histogram(['model', 'endpoint'], 'From arrival to the last byte.', DURATION_SECONDS),
  millrace_prompt_tokens_total: counter(['model'], 'Tokens of the prompts, cached ones included.'),
  millrace_prompt_tokens_cached_total: counter(['model'], 'Tokens of the prompts whose KV was reused.'),
  millrace_generation_tokens_total: counter(['model'], 'Tokens made.'),
  millrace_cache_requests_total: counter(['result'], 'Requests by what the response cache did: hit, miss, coalesced, semantic or bypass.'),
  millrace_request_cost_usd_total: counter(['model', 'part'], 'What requests were charged: energy, hardware, upstream.'),
  millrace_premium_cost_usd_total: counter(['model'], 'What the premium model would have cost for the same tokens.'),
  millrace_device_cost_usd_total: counter(['state'], 'What the devices cost: the busy part is charged to requests, the idle part is not.'),
  millrace_request_energy_joules_total: counter(['model'], 'Energy that requests were charged.'),
  millrace_request_device_seconds_total: counter(['model'], 'Device time that requests were charged.'),
  millrace_requests_running: gauge(['model'], 'Sequences or texts in a slot.'),
  millrace_requests_waiting: gauge(['model'], 'Queue depth: requests that wait for a slot.'),
  millrace_slots: gauge(['model'], 'Slots of the batch.'),
  millrace_batch_size: histogram(['model'], 'Sequences of a step on average, one observation for each second with steps.', BATCH_SIZES),
  millrace_model_busy_seconds_total: counter(['model'], 'Time in which the device worked for this model.'),
  millrace_kv_cache_usage_ratio: gauge(['model'], 'Tokens held by the KV cache over what its slots can hold, 0 to 1.'),
  millrace_kv_cache_committed_bytes: gauge(['model'], 'Memory committed by the KV cache.'),
  millrace_model_memory_bytes: gauge(['model'], 'Memory of the process that runs the model.'),
  millrace_device_utilization_ratio: gauge(['device'], 'Share of the time in which the device worked, 0 to 1.'),
  millrace_device_memory_used_bytes: gauge(['device'], 'Memory in use: of the system for the CPU, video memory for a GPU.'),
  millrace_device_memory_total_bytes: gauge(['device'], 'Memory there is.'),
  millrace_device_power_watts: gauge(['device', 'source'], 'Power drawn; the source says whether it was measured or estimated.'),
  millrace_device_temperature_celsius: gauge(['device'], 'Temperature.'),
  millrace_alerts_firing: gauge(['rule'], 'Alerts that fire now.'),
} as const;

export type MetricName = keyof typeof METRICS;
