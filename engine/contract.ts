// Owns the shapes that the engine and the page share: what `/api/status` answers.
// Types only; knows nothing about HTTP, React or models' files.

/** `GET /api/status`: everything the page shows, in one answer. */
export interface EngineStatus {
  readonly version: string;
  readonly state: 'serving' | 'draining';
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
export type ModelUse = 'text' | 'embedding' | 'rerank' | 'classify';

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
  readonly loadMs: number;
  /** Batches of the last second or so; null for models that write text. `slots`, `runningRequests` and `waitingRequests` count texts then. */
  readonly batches: BatchStatus | null;
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
