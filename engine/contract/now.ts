// What the Now screen shows at one moment, and how it is followed: `GET /api/live` sends these as server-sent events.
import type { ActiveAlert } from './alerts.ts';
import type { CostNow, QualityNow } from './cost.ts';
import type { JobStatus } from './jobs.ts';
import type { ModelStatus } from './status.ts';

/** A figure and where it comes from: a reading of the machine, or an estimate whose basis is stated. Null value: unknown. */
export interface Reading {
  readonly value: number | null;
  readonly source: 'measured' | 'estimated' | 'unavailable';
  /** What was read, or what the estimate rests on, in words for a tooltip. */
  readonly basis: string;
}

export type DeviceKind = 'cpu' | 'gpu';

export interface DeviceNow {
  /** Stable over restarts: `cpu`, `gpu0`… */
  readonly id: string;
  readonly kind: DeviceKind;
  readonly name: string;
  /** 0 to 1. */
  readonly utilisation: number | null;
  /** System memory of the CPU, video memory of a GPU. */
  readonly memoryUsedBytes: number | null;
  readonly memoryTotalBytes: number | null;
  readonly powerWatts: Reading;
  readonly temperatureCelsius: Reading;
}

export type RequestPhase = 'queued' | 'loading' | 'prefill' | 'decode' | 'encode';

/** A request under way, as the queue shows it. */
export interface LiveRequest {
  readonly id: string;
  readonly tenant: string;
  readonly endpoint: string;
  readonly modelAsked: string;
  /** Null until it is known which model answers. */
  readonly model: string | null;
  readonly routeReason: string | null;
  readonly phase: RequestPhase;
  /** Place among those that wait for the same model, from 1; null once it runs. */
  readonly position: number | null;
  /** Time until it starts, from the measured rate; null when nothing is known, or once it runs. */
  readonly etaMs: number | null;
  readonly ageMs: number;
  readonly waitMs: number;
  readonly ttftMs: number | null;
  readonly promptTokens: number | null;
  readonly completionTokens: number;
  readonly tokensPerSecond: number | null;
  /** So far. */
  readonly costUsd: number;
}

/** Something that is wrong with the server itself, such as a full disk; shown on every screen until it ends. */
export interface Banner {
  readonly id: string;
  readonly tone: 'warning' | 'problem';
  /** What happened, what it means, what to do. */
  readonly text: string;
  /** To copy into a report; null when there is no more to say. */
  readonly detail: string | null;
}

export interface QueueNow {
  readonly running: number;
  readonly waiting: number;
  /** Over the last five minutes; null without requests. */
  readonly waitP50Ms: number | null;
  readonly waitP99Ms: number | null;
}

/** One moment of the engine; data of the `now` event, twice a second. */
export interface NowSnapshot {
  readonly atMs: number;
  readonly version: string;
  readonly state: 'serving' | 'paused' | 'draining';
  readonly address: string | null;
  readonly hostName: string;
  readonly uptimeMs: number;
  readonly tokensPerSecond: number;
  readonly devices: readonly DeviceNow[];
  readonly models: readonly ModelStatus[];
  readonly queue: QueueNow;
  /** Oldest first; at most 100, `queue` counts all. */
  readonly requests: readonly LiveRequest[];
  readonly cost: CostNow;
  readonly quality: QualityNow;
  readonly alerts: readonly ActiveAlert[];
  readonly banners: readonly Banner[];
  readonly jobs: readonly JobStatus[];
}
