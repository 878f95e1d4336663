// What the engine is and which models it has: `GET /api/status`.
// Types only.

/** `GET /api/status`: everything the page shows, in one answer. */
export interface EngineStatus {
  readonly version: string;
  readonly state: 'serving' | 'paused' | 'draining';
  /** Base address of the API, such as `http://127.0.0.1:11711`; null before the server listens. */
  readonly address: string | null;
  readonly uptimeMs: number;
  /** Requests under way or waiting in the gateway, over all models. */
  readonly openRequests: number;
  /** Tokens made per second over the last few seconds, all models together. */
  readonly tokensPerSecond: number;
  readonly models: readonly ModelStatus[];
}

/** What a model is for: it writes text, makes vectors, scores documents against a query, or labels texts. */
export type ModelUse = 'text' | 'embedding' | 'rerank' | 'classify' | 'infer';

type ModelStateName = 'installed' | 'loading' | 'ready' | 'failed';

export interface ModelStatus {
  readonly id: string;
  readonly use: ModelUse;
  readonly state: ModelStateName;
  /** Why the model failed; null in every other state. */
  readonly failure: string | null;
  readonly precision: string;
  readonly variant: string;
  readonly parameterCount: number;
  readonly sizeBytes: number;
  /** Tokens the model was trained on. */
  readonly trainedContext: number;
  readonly tokensPerSecond: number;
  /** Kept loaded, whatever its idle time. */
  readonly pinned: boolean;
  /** What the running process says; null unless `state` is `ready`. */
  readonly running: RunningModel | null;
}

export interface RunningModel {
  readonly device: string;
  readonly pid: number;
  /** Tokens of one sequence, prompt and answer. */
  readonly contextLength: number;
  readonly slots: number;
  readonly maxSlots: number;
  readonly runningRequests: number;
  readonly waitingRequests: number;
  readonly kvUsedTokens: number;
  /** Committed by the KV cache. */
  readonly kvBytes: number;
  /** One entry a slot; empty for models that write no text. */
  readonly slotUse: readonly SlotUse[];
  /** Of the whole process, measured; null where the system does not tell. */
  readonly memoryBytes: number | null;
  /** Time until it is unloaded if nobody asks; null: never, or it is busy. */
  readonly unloadInMs: number | null;
  readonly loadMs: number;
  /** Batches of the last second or so; null for models that write text. `slots`, `runningRequests` and `waitingRequests` count texts then. */
  readonly batches: BatchStatus | null;
}

/** One slot of the batch: drawn as a cell. */
export interface SlotUse {
  readonly phase: 'free' | 'prefill' | 'decode';
  readonly usedTokens: number;
}

export interface BatchStatus {
  /** Numbers in one vector, or labels. */
  readonly width: number;
  /** Texts of a batch on average. */
  readonly meanSize: number;
  /** Tokens of a batch at most. */
  readonly tokenBudget: number;
  /** Share of it that batches used, 0 to 1. */
  readonly meanFill: number;
  /** From a text's arrival to the start of its batch. */
  readonly meanWaitMs: number;
  readonly textsPerSecond: number;
}
