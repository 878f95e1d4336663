// A host that shares each model out fairly among tenants, before another host that runs whatever it is given in order.
// Encoders have a fair queue of their own in the model's process. Models outside a key's scope are refused here too, whoever chose them.
import { EngineError, toWireError } from '../../errors.ts';
import type {
  EncodeRequest,
  Encoding,
  GenerateRequest,
  Generation,
  GenerationProgress,
  HostedModel,
  InferRequest,
  ModelHost,
  RequestCaller,
} from '../../fleet/host.ts';
import type { Tensor } from '../../models/infer/tensors.ts';
import type { GenerateEvent, PromptInput } from '../../runner/protocol.ts';
import { WEIGHTS } from './fair-order.ts';
import type { Entry } from './flow.ts';
import { Lane } from './lane.ts';

export interface FairHostOptions {
  readonly host: ModelHost;
  /** Requests of one model that wait or run at most. */
  readonly limit: number;
  readonly now?: () => number;
}

/** Of a model that is not loaded yet: as many are handed on, and load it. */
const UNKNOWN_SLOTS = 4;

export class FairHost implements ModelHost {
  readonly #options: Required<FairHostOptions>;
  readonly #lanes = new Map<string, Lane>();
  #nextId = 1;
  #isDraining = false;

  constructor(options: FairHostOptions) {
    this.#options = { now: () => performance.now(), ...options };
  }

  list(): readonly HostedModel[] {
    return this.#options.host.list().map((hosted) => this.#withWaiting(hosted));
  }

  get(model: string): HostedModel | undefined {
    const hosted = this.#options.host.get(model);
    return hosted && this.#withWaiting(hosted);
  }

  generate(request: GenerateRequest, onEvent: (event: GenerateEvent) => void): Generation {
    const { host } = this.#options;
    const hosted = host.get(request.model);
    const refusal = this.#refusalOf(request);
    if (refusal !== null) return refused(request, onEvent, refusal);
    if (hosted === undefined || this.#isDraining) return host.generate(request, onEvent);
    const lane = this.#laneOf(hosted);
    const arrivedMs = this.#options.now();
    const entry: Entry = { id: this.#nextId++, request, onEvent, arrivedMs, sentMs: null, generation: null, started: false, chargedMs: 0 };
    let isCancelled = false;
    // Callers hold their Generation before the first event.
    queueMicrotask(() => (isCancelled ? request.onSettled?.() : lane.add(entry, flowOf(request.caller))));
    return {
      cancel: () => {
        isCancelled = true;
        lane.cancel(entry);
      },
      progress: () => this.#progressOf(entry, lane),
    };
  }

  encode(request: EncodeRequest, signal: AbortSignal): Promise<Encoding> {
    const refusal = this.#refusalOf(request);
    return refusal === null ? this.#options.host.encode(request, signal) : Promise.reject(refusal);
  }

  infer(request: InferRequest, signal: AbortSignal): Promise<readonly Tensor[]> {
    const refusal = this.#refusalOf(request);
    return refusal === null ? this.#options.host.infer(request, signal) : Promise.reject(refusal);
  }

  tokenize(model: string, prompt: PromptInput): Promise<readonly number[]> {
    return this.#options.host.tokenize(model, prompt);
  }

  /** Hands on what waits and whatever comes: the host behind refuses from now on. */
  drain(): void {
    this.#isDraining = true;
    for (const lane of this.#lanes.values()) lane.flush();
  }

  #progressOf(entry: Entry, lane: Lane): GenerationProgress {
    const { generation, sentMs, arrivedMs, request } = entry;
    if (generation !== null && sentMs !== null) {
      const { waitedMs, ...progress } = generation.progress();
      return waitedMs === undefined ? progress : { ...progress, waitedMs: sentMs - arrivedMs + waitedMs };
    }
    const { position, etaMs } = lane.waitOf(entry);
    const isLoaded = this.#options.host.get(request.model)?.state.kind === 'ready';
    return isLoaded ? { phase: 'queued', position, etaMs } : { phase: 'loading', position, etaMs: null };
  }

  /** A key that names a tier or an alias may use what that stands for; names as clients spell them are judged at the entry. */
  #refusalOf({ model, caller }: Pick<GenerateRequest, 'model' | 'caller'>): EngineError | null {
    const models = caller?.models ?? null;
    if (models === null || models.includes(model) || models.includes(model.split(/[:@]/)[0] ?? model)) return null;
    if (models.some((name) => this.#options.host.get(name) === undefined)) return null;
    return new EngineError('permission_denied', `The API key may not use the model ${JSON.stringify(model)}.`, { param: 'model' });
  }

  /** Those that wait here are in the model's queue for whoever looks at it. */
  #withWaiting(hosted: HostedModel): HostedModel {
    const held = this.#lanes.get(`${hosted.manifest.id}:${hosted.variant}`)?.waitingCount ?? 0;
    const { state } = hosted;
    if (held === 0 || state.kind !== 'ready' || state.stats === null) return hosted;
    return { ...hosted, state: { ...state, stats: { ...state.stats, waiting: state.stats.waiting + held } } };
  }

  #laneOf({ manifest, variant }: HostedModel): Lane {
    const key = `${manifest.id}:${variant}`;
    const known = this.#lanes.get(key);
    if (known !== undefined) return known;
    const { host, limit, now } = this.#options;
    const slots = (): number => {
      const state = host.get(key)?.state ?? host.get(manifest.id)?.state;
      return state?.kind === 'ready' ? state.info.maxSlots : UNKNOWN_SLOTS;
    };
    const lane = new Lane({ generate: (request, onEvent) => host.generate(request, onEvent), slots, limit, now });
    this.#lanes.set(key, lane);
    return lane;
  }
}

/** Of the engine's own requests too. */
function flowOf(caller: RequestCaller | undefined): { readonly name: string; readonly weight: number } {
  const { tenant = 'engine', priority = 'normal' } = caller ?? {};
  return { name: `${tenant} ${priority}`, weight: WEIGHTS[priority] };
}

function refused(request: GenerateRequest, onEvent: (event: GenerateEvent) => void, error: EngineError): Generation {
  let isCancelled = false;
  queueMicrotask(() => (isCancelled ? request.onSettled?.() : onEvent({ kind: 'error', id: 0, error: toWireError(error) })));
  return { cancel: () => void (isCancelled = true), progress: () => ({ phase: 'queued', position: null, etaMs: null }) };
}
