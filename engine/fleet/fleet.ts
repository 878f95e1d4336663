// Owns the models of this machine as others see them: takes requests for the installed ones and hands them to their replicas.
// Knows nothing about HTTP; a runner is known by its messages alone.
import { EngineError, fromWireError, toWireError } from '../errors.ts';
import type { GenerateEvent, PromptInput } from '../runner/protocol.ts';
import type { Tensor } from '../models/infer/tensors.ts';
import type { ModelStore, SetAsideModel } from '../models/store/model-store.ts';
import type { ModelControl, Removal } from './control.ts';
import { encodeJob, type JobOutcome } from './encode-job.ts';
import { inferJob } from './infer-job.ts';
import type {
  Charging,
  EncodeRequest,
  Encoding,
  GenerateRequest,
  Generation,
  HostedModel,
  InferRequest,
  ModelHost,
  ModelState,
} from './host.ts';
import { InstalledModels, type NamedVariant, type VariantPreference } from './installed-models.ts';
import { LIFE_LIMITS } from './life.ts';
import { Removals } from './removals.ts';
import type { ReplicaLimits } from './replica.ts';
import { Replicas, type ReplicasOptions } from './replicas.ts';
import type { Job } from './requests.ts';

export interface FleetOptions extends ReplicasOptions {
  readonly store: ModelStore;
  /** Absent: each model's default variant. */
  readonly preferred?: VariantPreference;
  readonly now?: () => number;
  readonly limits?: Partial<ReplicaLimits>;
  /** For how long a removed model can come back. */
  readonly undoMs?: number;
}

const DEFAULT_VARIANT: VariantPreference = { variant: null, smallCache: false };
const LOAD_MS = 300_000;
const SILENT_MS = 30_000;

export class Fleet implements ModelHost, ModelControl {
  readonly #options: FleetOptions;
  readonly #installed: InstalledModels;
  readonly #replicas: Replicas;
  readonly #removals: Removals;
  #nextId = 1;
  #draining = false;

  constructor(options: FleetOptions) {
    const { store, log, preferred = DEFAULT_VARIANT, now = Date.now, maxRequests, limits } = options;
    this.#options = options;
    this.#installed = new InstalledModels(store, log, preferred);
    this.#removals = new Removals(log, now, options.undoMs);
    this.#replicas = new Replicas(options, {
      limits: { ...LIFE_LIMITS, maxRequests, loadMs: LOAD_MS, silentMs: SILENT_MS, ...limits },
      now,
      find: (key) => this.#installed.find(key),
    });
  }

  /** Reads the installed models, and follows their folder until `close`. */
  async open(): Promise<void> {
    await this.#installed.follow((keys) => void this.#replicas.forget(keys));
    this.#options.store
      .deleteSetAside()
      .catch((cause: unknown) => this.#options.log.error({ err: cause }, 'the files of a removed model remain'));
  }

  list(): readonly HostedModel[] {
    this.#replicas.refreshMemory();
    return this.#installed.list().flatMap(({ id }) => this.get(id) ?? []);
  }

  get(model: string): HostedModel | undefined {
    const found = this.#installed.find(model);
    return found && { manifest: found.manifest, variant: found.variant.name, ...this.#replicas.facts(found) };
  }

  /** @throws EngineError `model_not_found`; the promise never rejects. */
  preload(model: string): Promise<ModelState> {
    return this.#replicas.of(this.#find(model)).load();
  }

  generate(request: GenerateRequest, onEvent: (event: GenerateEvent) => void): Generation {
    const id = this.#nextId++;
    const job: Job = {
      ...this.#guardedCharging(id, request),
      id,
      message: { kind: 'generate', id, prompt: request.prompt, params: request.params },
      deliver: (event) => this.#guard({ request: id, event: event.kind }, () => onEvent(event)),
      answer: () => undefined,
      mayRestart: request.mayRestart ?? (() => false),
    };
    return this.#submit(request.model, job);
  }

  encode(request: EncodeRequest, signal: AbortSignal): Promise<Encoding> {
    return this.#whole(request, signal, (id, outcome) => encodeJob(id, request, outcome));
  }

  infer(request: InferRequest, signal: AbortSignal): Promise<readonly Tensor[]> {
    return this.#whole(request, signal, (id, outcome) => inferJob(id, request, outcome));
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

  async unload(model: string): Promise<void> {
    const { key, manifest } = this.#find(model);
    // A plain name means the model with all of its variants.
    await this.#replicas.unload(/[:@]/.test(model) ? [key] : this.#replicas.keysOf(manifest.id));
  }

  setPinned(ids: readonly string[]): void {
    this.#replicas.setPinned(ids);
  }

  setIdleUnload(minutes: number | null): void {
    this.#replicas.setIdleUnload(minutes === null ? null : minutes * 60_000);
  }

  keepAlive(model: string, afterMs: number | null | 'default'): void {
    this.#replicas.keepAlive(this.#find(model).key, afterMs);
  }

  refresh(): Promise<void> {
    return this.#installed.refresh();
  }

  async remove(model: string): Promise<Removal> {
    const files = await this.#setAside(model);
    await this.#installed.refresh();
    return this.#removals.add(model, files);
  }

  async restore(model: string): Promise<void> {
    await this.#removals.restore(model);
    await this.#installed.refresh();
  }

  /** New requests are refused with `draining` from now on; those under way go on. */
  drain(): void {
    this.#draining = true;
  }

  /** Lets running requests finish for at most `limitMs`, then ends every process. */
  async close(limitMs: number): Promise<void> {
    this.drain();
    this.#installed.stop();
    this.#removals.close();
    await this.#replicas.close(limitMs);
  }

  /** @throws EngineError `model_not_found` */
  #find(model: string): NamedVariant {
    const found = this.#installed.find(model);
    if (found === undefined) throw notFound(model);
    return found;
  }

  /** A request whose answer comes at once, and which `signal` ends early. */
  #whole<T>(
    request: Charging & { readonly model: string },
    signal: AbortSignal,
    jobOf: (id: number, outcome: JobOutcome<T>) => Job,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (signal.aborted) return Promise.reject(signal.reason);
    const id = this.#nextId++;
    const work = this.#submit(request.model, { ...jobOf(id, { resolve, reject }), ...this.#guardedCharging(id, request) });
    const onAbort = (): void => {
      work.cancel();
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    return promise.finally(() => signal.removeEventListener('abort', onAbort));
  }

  /** Refusals are delivered after this call returns, so that callers hold their `Generation` first. */
  #submit(model: string, job: Job): Generation {
    const found = this.#installed.find(model);
    const refusal = this.#draining ? draining() : found === undefined ? notFound(model) : null;
    const replica = found === undefined || refusal !== null ? null : this.#replicas.of(found);
    let stage: 'new' | 'submitted' | 'cancelled' = 'new';
    queueMicrotask(() => {
      if (stage === 'cancelled') return job.onSettled?.();
      stage = 'submitted';
      if (replica === null) job.deliver({ kind: 'error', id: job.id, error: toWireError(refusal) });
      else replica.submit(job);
    });
    return {
      cancel: () => {
        if (stage === 'submitted') replica?.cancel(job.id);
        stage = 'cancelled';
      },
      progress: () => replica?.progress(job.id) ?? { phase: 'queued', position: null, etaMs: null },
    };
  }

  /** Windows moves no folder of which a process maps a file; that process then ends first. */
  async #setAside(id: string): Promise<SetAsideModel> {
    try {
      return await this.#options.store.setAside(id);
    } catch (cause) {
      if (!isInUse(cause)) throw cause;
      await this.#replicas.forget(this.#replicas.keysOf(id));
      return this.#options.store.setAside(id);
    }
  }

  #guardedCharging(id: number, { onCharge, onSettled }: Charging): Charging {
    return {
      ...(onCharge && { onCharge: (deviceMs: number) => this.#guard({ request: id, event: 'charge' }, () => onCharge(deviceMs)) }),
      ...(onSettled && { onSettled: () => this.#guard({ request: id, event: 'settled' }, onSettled) }),
    };
  }

  /** One faulty listener must not stop the events of the others, which share its message. */
  #guard(about: { readonly request: number; readonly event: string }, listener: () => void): void {
    try {
      listener();
    } catch (cause) {
      this.#options.log.error({ err: cause, ...about }, 'a listener of events failed');
    }
  }
}

function isInUse(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'EBUSY' || cause.code === 'EPERM' || cause.code === 'EACCES');
}

function notFound(model: string): EngineError {
  return new EngineError('model_not_found', `No model named ${model} is installed.`, { param: 'model' });
}

function draining(): EngineError {
  return new EngineError('draining', 'The server is shutting down.');
}
