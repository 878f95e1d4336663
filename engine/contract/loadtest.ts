// Load tests as the command, the console and the checklist see them. `GET /api/loadtests`, `POST /api/loadtests`,
// `DELETE /api/loadtests/current`, `GET /api/loadtests/{id}`, `GET /api/loadtests/{id}/export?format=html|json`.
import type { Slo } from './settings.ts';

export const LOAD_FACTORS = [1, 2, 4] as const;
export type LoadFactor = (typeof LOAD_FACTORS)[number];

export type LoadProfile =
  /** The busiest stretch of the history's busiest hour. */
  | { readonly kind: 'recorded' }
  /** Arrivals at random, of one length. */
  | {
      readonly kind: 'poisson' | 'bursts';
      readonly model: string;
      /** On average, before the factor. Bursts: ten times as many for five seconds of each minute. */
      readonly perSecond: number;
      readonly promptTokens: number;
      readonly answerTokens: number;
    };

/** What a person asks for. */
export interface LoadTestRequest {
  readonly profile: LoadProfile;
  readonly factor: LoadFactor;
  /** How long it sends, 0.1 to 60. */
  readonly minutes: number;
  /** Base address of another server, without `/v1`; null: this one. */
  readonly url: string | null;
  /** The model to ask instead of those recorded; null: those. */
  readonly model: string | null;
  /** Sent as a bearer token where the server asks for one; never stored. */
  readonly key: string | null;
}

export type LoadVerdict = 'passed' | 'failed' | 'inconclusive';

/** In ms; null without a request that has one. */
export interface Percentiles {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** What first kept requests from their objectives. */
export type FirstToGive = 'nothing' | 'queue' | 'prefill' | 'decode' | 'refusals' | 'errors' | 'generator';

/** A step of the test, by the moment at which requests were due. */
export interface LoadPoint {
  /** Since the start. */
  readonly atMs: number;
  readonly due: number;
  readonly failed: number;
  /** Of those answered, how many kept their objectives. */
  readonly good: number;
  readonly ttftP50Ms: number | null;
  readonly ttftP99Ms: number | null;
  /** Requests that were sent and not answered at the end of the step. */
  readonly open: number;
}

export interface LoadModelReport {
  readonly model: string;
  readonly slo: Slo;
  readonly requests: number;
  readonly failed: number;
  readonly good: number;
  readonly ttft: Percentiles;
  /** Of each request its p99 between texts. */
  readonly interToken: Percentiles;
}

/** One load test, as it is kept. */
export interface LoadTestReport {
  /** Ascending with the time of the start. */
  readonly id: string;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly version: string;
  /** Without the key. */
  readonly asked: Omit<LoadTestRequest, 'key'>;
  /** What was replayed, in words: `the busiest 5 minutes of 12 November, 14:00 UTC`. */
  readonly source: string;
  readonly verdict: LoadVerdict;
  /** The verdict in a sentence, and what it rests on. */
  readonly sentence: string;
  readonly requests: {
    readonly planned: number;
    readonly sent: number;
    readonly ok: number;
    readonly failed: number;
    readonly good: number;
  };
  /** Recorded requests that were left out, and why. */
  readonly leftOut: readonly { readonly reason: string; readonly count: number }[];
  /** Within the objectives, a second, over the time from the first arrival to the last answer. */
  readonly goodput: { readonly requestsPerSecond: number; readonly tokensPerSecond: number; readonly share: number };
  readonly throughput: { readonly requestsPerSecond: number; readonly tokensPerSecond: number };
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** From the moment at which a request was due to its first text. */
  readonly ttft: Percentiles;
  /** Between one text and the next, over all requests. */
  readonly interToken: Percentiles;
  /** From the moment at which a request was due to its end. */
  readonly total: Percentiles;
  readonly errors: readonly { readonly status: number; readonly message: string; readonly count: number }[];
  /** As the server recorded these very requests; null where it is another's. */
  readonly queue: { readonly waitP50Ms: number | null; readonly waitP99Ms: number | null; readonly mostWaiting: number | null } | null;
  readonly cost: { readonly usd: number; readonly usdPerRequest: number } | null;
  /** Of the whole machine that serves, at its height. */
  readonly memory: { readonly peakBytes: number; readonly totalBytes: number | null } | null;
  readonly firstToGive: { readonly what: FirstToGive; readonly atMs: number | null; readonly sentence: string; readonly advice: string };
  readonly models: readonly LoadModelReport[];
  readonly timeline: readonly LoadPoint[];
  /** How late requests were sent, and the cores it took: whether the figures can be trusted. */
  readonly generator: { readonly late: Percentiles; readonly cores: number };
}

/** A report without what fills a screen. */
export type LoadTestSummary = Pick<
  LoadTestReport,
  'id' | 'startedMs' | 'endedMs' | 'asked' | 'source' | 'verdict' | 'sentence' | 'requests' | 'goodput' | 'ttft' | 'interToken' | 'cost'
>;

/** The test that runs, or the last one's end. */
export interface LoadTestRun {
  readonly state: 'preparing' | 'sending' | 'finishing' | 'done' | 'failed' | 'cancelled';
  readonly asked: Omit<LoadTestRequest, 'key'>;
  readonly startedMs: number;
  /** What happens now, in words. */
  readonly step: string;
  readonly planned: number;
  readonly sent: number;
  readonly answered: number;
  readonly failed: number;
  readonly good: number;
  /** Of the last answers. */
  readonly ttftP50Ms: number | null;
  readonly etaMs: number | null;
  /** Of the report, once it is done. */
  readonly reportId: string | null;
  /** Why it failed. */
  readonly reason: string | null;
}

export interface LoadTestsAnswer {
  readonly run: LoadTestRun | null;
  /** Newest first. */
  readonly reports: readonly LoadTestSummary[];
}
