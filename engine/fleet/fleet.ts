// Owns which models run: one replica for each variant in use, their share of the memory, and the numbers of requests.
// Knows nothing about HTTP; a runner is known by its messages alone.
import { EngineError, fromWireError, toWireError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { BatchingOptions, GenerateEvent, PromptInput, RunnerOptions } from '../runner/protocol.ts';
import type { ModelStore } from '../models/store/model-store.ts';
import { encodeJob } from './encode-job.ts';
import type { EncodeRequest, Encoding, GenerateRequest, Generation, HostedModel, ModelHost, ModelState } from './host.ts';
import { InstalledModels, type NamedVariant, type VariantPreference } from './installed-models.ts';
import { LIFE_LIMITS } from './life.ts';
import { planPlacement, type Candidate } from './placement.ts';
import { Replica, type ReplicaLimits } from './replica.ts';
import type { Job } from './requests.ts';
import type { SpawnRunner } from './runner-process.ts';

export interface FleetOptions {
  readonly store: ModelStore;
  readonly spawn: SpawnRunner;
  readonly log: Log;
  readonly threads: number;
  readonly contextLength: number | null;
  readonly slots: number | null;
  /** Waiting and running requests of one model together. */
  readonly maxRequests: number;
  readonly speculation: boolean;
  /** How encoders form batches; absent: the runner's own defaults. */
  readonly batching?: BatchingOptions;
  /** Absent: each model's default variant. */
  readonly preferred?: VariantPreference;
  readonly availableMemoryBytes: () => number;
  readonly now?: () => number;
  readonly limits?: Partial<ReplicaLimits>;
}

const LOAD_MS = 300_000;
const SILENT_MS = 30_000;

export class Fleet implements ModelHost {
  readonly #options: FleetOptions;
  readonly #installed: InstalledModels;
  readonly #replicas = new Map<string, Replica>();
  readonly #limits: ReplicaLimits;
  #nextId = 1;
  #draining = false;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#installed = new InstalledModels(options.store, options.log, options.preferred ?? { variant: null, smallCache: false });
    this.#limits = { ...LIFE_LIMITS, maxRequests: options.maxRequests, loadMs: LOAD_MS, silentMs: SILENT_MS, ...options.limits };
  }

  /** Reads the installed models, and follows their folder until `close`. */
  async open(): Promise<void> {
    await this.#installed.follow((ids) => this.#forget(ids));
  }

  list(): readonly HostedModel[] {
    return this.#installed.list().flatMap((manifest) => {
      const found = this.#installed.find(manifest.id);
      return found === undefined ? [] : [this.#hosted(found)];
    });
  }

  get(model: string): HostedModel | undefined {
    const found = this.#installed.find(model);
    return found && this.#hosted(found);
  }

  /** Loads a model before anybody asks for it; resolves with `ready` or `failed`, never rejects later.
   *  @throws EngineError `model_not_found` */
  preload(model: string): Promise<ModelState> {
    const found = this.#installed.find(model);
    if (found === undefined) throw notFound(model);
    return this.#replica(found).load();
  }

  generate(request: GenerateRequest, onEvent: (event: GenerateEvent) => void): Generation {
    const id = this.#nextId++;
    const job: Job = {
      id,
      message: { kind: 'generate', id, prompt: request.prompt, params: request.params },
      deliver: this.#guarded(id, onEvent),
      answer: () => undefined,
      mayRestart: request.mayRestart ?? (() => false),
    };
    return this.#submit(request.model, job);
  }

  encode(request: EncodeRequest, signal: AbortSignal): Promise<Encoding> {
    const { promise, resolve, reject } = Promise.withResolvers<Encoding>();
    if (signal.aborted) return Promise.reject(signal.reason);
    const work = this.#submit(request.model, encodeJob(this.#nextId++, request, { resolve, reject }));
    const onAbort = (): void => {
      work.cancel();
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    return promise.finally(() => signal.removeEventListener('abort', onAbort));
  }

  tokenize(model: string, prompt: PromptInput): Promise<readonly number[]> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#submit(model, {
        id,
        message: { kind: 'tokenize', id, prompt },
        deliver: (event) => event.kind === 'error' && reject(fromWireError(event.error)),
        answer: resolve,
        mayRestart: () => true,
      });
    });
  }

  /** Ends the process of a model once its requests have finished. The next request loads it again. */
  async unload(model: string): Promise<void> {
    const found = this.#installed.find(model);
    await (found && this.#replicas.get(found.key)?.unload());
  }

  /** New requests are refused with `draining` from now on; those under way go on. */
  drain(): void {
    this.#draining = true;
  }

  /** Lets running requests finish for at most `limitMs`, then ends every process. */
  async close(limitMs: number): Promise<void> {
    this.drain();
    this.#installed.stop();
    await Promise.all([...this.#replicas.values()].map((replica) => replica.close(limitMs)));
  }

  /** Refusals are delivered after this call returns, so that callers hold their `Generation` first. */
  #submit(model: string, job: Job): Generation {
    const found = this.#installed.find(model);
    const refusal = this.#draining ? draining() : found === undefined ? notFound(model) : null;
    const replica = found === undefined || refusal !== null ? null : this.#replica(found);
    let cancelled = false;
    queueMicrotask(() => {
      if (cancelled) return;
      if (replica === null) job.deliver({ kind: 'error', id: job.id, error: toWireError(refusal) });
      else replica.submit(job);
    });
    return {
      cancel: () => {
        cancelled = true;
        replica?.cancel(job.id);
      },
    };
  }

  /** One faulty listener must not stop the events of the others, which share its message. */
  #guarded(id: number, onEvent: (event: GenerateEvent) => void): (event: GenerateEvent) => void {
    return (event) => {
      try {
        onEvent(event);
      } catch (cause) {
        this.#options.log.error({ err: cause, request: id, event: event.kind }, 'a listener of events failed');
      }
    };
  }

  #hosted(found: NamedVariant): HostedModel {
    const state = this.#replicas.get(found.key)?.state ?? { kind: 'installed' };
    return { manifest: found.manifest, variant: found.variant.name, state };
  }

  #replica(found: NamedVariant): Replica {
    const known = this.#replicas.get(found.key);
    if (known !== undefined) return known;
    const replica = new Replica({
      name: found.key,
      spawn: this.#options.spawn,
      grant: () => this.#grant(found.key),
      limits: this.#limits,
      log: this.#options.log,
      now: this.#options.now ?? Date.now,
    });
    this.#replicas.set(found.key, replica);
    return replica;
  }

  /** What the model's runner is granted now; idle models make room first. */
  async #grant(key: string): Promise<RunnerOptions> {
    const found = this.#installed.find(key);
    if (found === undefined) throw notFound(key);
    const { threads, contextLength, slots, maxRequests, speculation, batching, availableMemoryBytes } = this.#options;
    const chosen = batching === undefined ? {} : { batching };
    const wishes = { modelDir: found.folder, threads, contextLength, slots, maxWaiting: maxRequests, speculation, ...chosen };
    for (;;) {
      const placement = planPlacement(found, wishes, availableMemoryBytes(), this.#candidates(key));
      if (placement.kind === 'fits') return placement.options;
      if (placement.kind === 'refused') throw new EngineError('insufficient_memory', placement.reason);
      this.#options.log.info({ model: placement.key }, placement.reason);
      await this.#replicas.get(placement.key)?.unload();
    }
  }

  #candidates(except: string): readonly Candidate[] {
    return [...this.#replicas]
      .filter(([key, replica]) => key !== except && replica.hasProcess)
      .map(([key, replica]) => ({ key, idle: replica.requestCount === 0, lastUsedMs: replica.lastUsedMs }));
  }

  /** Models that were removed or replaced: what runs finishes, the next request reads the new files. */
  #forget(ids: readonly string[]): void {
    for (const [key, replica] of this.#replicas) {
      if (!ids.includes(key.split(':')[0] ?? '')) continue;
      this.#replicas.delete(key);
      void replica.close(SILENT_MS);
    }
  }
}

function notFound(model: string): EngineError {
  return new EngineError('model_not_found', `No model named ${model} is installed.`, { param: 'model' });
}

function draining(): EngineError {
  return new EngineError('draining', 'The server is shutting down.');
}
