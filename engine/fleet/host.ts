// Owns the interface through which requests reach models: what the gateway (through routing) asks of the fleet.
// Knows nothing about HTTP; hides processes. Tests implement it with a fake.
import type { CacheUse, Priority, RequestPhase, Tier } from '../contract.ts';
import type {
  EncodeInput,
  EncodeParams,
  GenerateEvent,
  GenerateParams,
  InferParams,
  PromptInput,
  RunnerInfo,
  RunnerStats,
} from '../runner/protocol.ts';
import type { Tensor } from '../models/infer/tensors.ts';
import type { ModelManifest } from '../models/manifest.ts';

export type ModelState =
  | { readonly kind: 'installed' }
  | { readonly kind: 'loading'; readonly sinceMs: number }
  /** `sinceMs`: when it became ready, ms since 1970; absent where nobody knows. */
  | { readonly kind: 'ready'; readonly info: RunnerInfo; readonly stats: RunnerStats | null; readonly sinceMs?: number }
  | { readonly kind: 'failed'; readonly reason: string };

export interface HostedModel {
  readonly manifest: ModelManifest;
  readonly variant: string;
  readonly state: ModelState;
  /** `upstream`: it runs elsewhere. `route`: not a model but a name that routes to one. Absent: it is of this machine. */
  readonly origin?: 'upstream' | 'route';
  /** Neither idle time nor another model's need unloads it. */
  readonly pinned: boolean;
  /** Memory of its process (resident set), read lately; null where the system does not tell, or it does not run. */
  readonly memoryBytes: number | null;
  /** Time until it is unloaded if nobody asks; null: never, it is busy, or it does not run. */
  readonly unloadInMs: number | null;
}

/** How a request learns what it costs. */
export interface Charging {
  /** Device time used since the last call, in ms: about twice a second, and before the request's last event. */
  readonly onCharge?: (deviceMs: number) => void;
  /** Called once after a request was cancelled, when nothing more will be charged to it. */
  readonly onSettled?: () => void;
  /** Money that an upstream model charges for the request, in USD; before its last event, or before `onSettled`. */
  readonly onUpstreamUsd?: (usd: number) => void;
}

/** On whose behalf a request runs. */
export interface RequestCaller {
  readonly tenant: string;
  /** Id of the API key; null: whoever is at this machine. */
  readonly keyId: string | null;
  readonly priority: Priority;
  /** Names of the models it may use; null: every one. */
  readonly models: readonly string[] | null;
  /** Money left for upstream models; null: no limit. */
  readonly upstreamUsdLeft: number | null;
  /** Its budget is nearly spent: the cheapest model should answer. */
  readonly isDegraded: boolean;
}

/** What caches between a request and its model may do for it. */
export interface CacheAsk {
  /** Whose earlier answers may be given again. */
  readonly tenant: string;
  /** `refresh` computes anew and keeps the new answer; `off` neither reads nor keeps. */
  readonly control: 'use' | 'refresh' | 'off';
  /** Called once, before the first event or the end of the promise; not for a request that fails or is cancelled before that. */
  readonly onUse: (report: CacheReport) => void;
}

export interface CacheReport {
  readonly use: CacheUse;
  /** In a few words. */
  readonly reason: string;
  /** Cosine of the earlier question whose answer this is; null for every use but `semantic`. */
  readonly similarity: number | null;
}

/** What a request says about the choice of its model, beside the name. */
export interface RouteAsk {
  readonly requestId: string;
  /** Most that the answer may cost. */
  readonly budgetUsd: number | null;
  /** To the first token. */
  readonly maxLatencyMs: number | null;
  /** Share of the strongest model's right answers that is to be kept over many requests, 0 to 1. */
  readonly quality: number | null;
  /** Called before a model's first event; again when another model takes the request over. Not for a name that pins an installed model. */
  readonly onRoute: (report: RouteReport) => void;
}

export interface RouteReport {
  readonly model: HostedModel;
  /** Name of the model as the host knows it. */
  readonly name: string;
  readonly tier: Tier | null;
  /** In words. */
  readonly reason: string;
  /** A weaker model answers than the request should have. */
  readonly isDegraded: boolean;
  /** The model goes on with what another has begun. */
  readonly isContinued: boolean;
}

export interface GenerateRequest extends Charging {
  readonly model: string;
  readonly prompt: PromptInput;
  readonly params: GenerateParams;
  /**
   * Asked when the model's process died after events were delivered: true when no byte made of them has left, so that the request
   * may run again; its events then start afresh with `started`. Absent: a request with delivered events ends with `runner_died`.
   */
  readonly mayRestart?: () => boolean;
  /** Absent: computed, whatever was answered before. */
  readonly cache?: CacheAsk;
  /** Absent: the engine's own doing. */
  readonly caller?: RequestCaller;
  /** Absent: routed by its model's name alone. */
  readonly route?: RouteAsk;
}

export interface EncodeRequest extends Charging {
  readonly model: string;
  /** At least one. */
  readonly inputs: readonly EncodeInput[];
  readonly params: EncodeParams;
  /** Absent: computed, whatever was answered before. */
  readonly cache?: CacheAsk;
  /** Absent: the engine's own doing. */
  readonly caller?: RequestCaller;
}

/** The answer to an encode request, in the order of its inputs. */
export interface Encoding {
  /** [inputs, width] */
  readonly values: Float32Array;
  readonly width: number;
  /** [inputs], tokens computed for each, special ones included. */
  readonly tokens: Int32Array;
  /** Sum of those `tokens` that were not computed for this request; absent: none was looked for in a cache. */
  readonly cachedTokens?: number;
}

export interface InferRequest extends Charging {
  readonly model: string;
  readonly inputs: readonly Tensor[];
  /** Names, in the order of the answer; at least one. */
  readonly outputs: readonly string[];
  readonly params: InferParams;
  /** Absent: the engine's own doing. */
  readonly caller?: RequestCaller;
}

/** A request under way. */
export interface Generation {
  /** The client has gone: frees the slot; no event follows. Safe to call at any time, more than once. */
  cancel(): void;
  /** Where it is, for screens: to be asked a few times a second at most. After its last event the answer means nothing. */
  progress(): GenerationProgress;
}

export interface GenerationProgress {
  readonly phase: Exclude<RequestPhase, 'encode'>;
  /** Place among those that wait for the same model, from 1; null once it runs. */
  readonly position: number | null;
  /** Time until its prefill begins, from the rate at which requests end; null while unknown, or once it runs. */
  readonly etaMs: number | null;
  /** From its submission to its slot, in ms; absent while it waits, and where nobody knows. */
  readonly waitedMs?: number;
}

export interface ModelHost {
  list(): readonly HostedModel[];
  /** Undefined when no model of this name is installed. */
  get(model: string): HostedModel | undefined;
  /**
   * Starts a request; loads the model first where it must. Events come in the order that `GenerateEvent` documents, the last is
   * `done` or `error`; their `id` is the host's own. A full queue, a missing model and a failed load arrive as `error`, never as an exception.
   */
  generate(request: GenerateRequest, onEvent: (event: GenerateEvent) => void): Generation;
  /**
   * Encodes texts with an encoder; loads the model first where it must. A request whose process dies is run once more.
   * `signal` ends it early: the promise then rejects with the signal's reason.
   * @throws EngineError `model_not_found`, `queue_full`, `context_length_exceeded` naming the input, `deadline_exceeded`, `runner_died` …
   */
  encode(request: EncodeRequest, signal: AbortSignal): Promise<Encoding>;
  /**
   * Runs an ordinary ONNX model; loads it first where it must. `signal` ends it early: the promise then rejects with the signal's reason.
   * @throws EngineError `model_not_found`, `queue_full`, `invalid_request`, `deadline_exceeded`, `runner_died` …
   */
  infer(request: InferRequest, signal: AbortSignal): Promise<readonly Tensor[]>;
  /** @throws EngineError `model_not_found`, `template_failed`, `model_load_failed` */
  tokenize(model: string, prompt: PromptInput): Promise<readonly number[]>;
}
