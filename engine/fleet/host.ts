// Owns the interface through which requests reach models: what the gateway (through routing) asks of the fleet.
// Knows nothing about HTTP; hides processes. Tests implement it with a fake.
import type { EncodeInput, EncodeParams, GenerateEvent, GenerateParams, PromptInput, RunnerInfo, RunnerStats } from '../runner/protocol.ts';
import type { ModelManifest } from '../models/manifest.ts';

export type ModelState =
  | { readonly kind: 'installed' }
  | { readonly kind: 'loading'; readonly sinceMs: number }
  | { readonly kind: 'ready'; readonly info: RunnerInfo; readonly stats: RunnerStats | null }
  | { readonly kind: 'failed'; readonly reason: string };

export interface HostedModel {
  readonly manifest: ModelManifest;
  readonly variant: string;
  readonly state: ModelState;
}

export interface GenerateRequest {
  readonly model: string;
  readonly prompt: PromptInput;
  readonly params: GenerateParams;
  /**
   * Asked when the model's process died after events were delivered: true when no byte made of them has left, so that the request
   * may run again; its events then start afresh with `started`. Absent: a request with delivered events ends with `runner_died`.
   */
  readonly mayRestart?: () => boolean;
}

export interface EncodeRequest {
  readonly model: string;
  /** At least one. */
  readonly inputs: readonly EncodeInput[];
  readonly params: EncodeParams;
}

/** The answer to an encode request, in the order of its inputs. */
export interface Encoding {
  /** [inputs, width] */
  readonly values: Float32Array;
  readonly width: number;
  /** [inputs], tokens computed for each, special ones included. */
  readonly tokens: Int32Array;
}

/** A request under way. */
export interface Generation {
  /** The client has gone: frees the slot; no event follows. Safe to call at any time, more than once. */
  cancel(): void;
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
  /** @throws EngineError `model_not_found`, `template_failed`, `model_load_failed` */
  tokenize(model: string, prompt: PromptInput): Promise<readonly number[]>;
}
