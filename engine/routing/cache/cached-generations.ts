// Owns the way of a generation through the caches: an earlier answer, one that is being made for somebody else, or a new one.
import type { CacheSettings } from '../../contract.ts';
import type { CacheAsk, GenerateRequest, Generation, GenerationProgress, HostedModel, ModelHost } from '../../fleet/host.ts';
import type { Log } from '../../log.ts';
import type { GenerateEvent } from '../../runner/protocol.ts';
import { answerKey, modelIdentity, scopeOf } from './keys.ts';
import { isWorthKeeping, planAnswer } from './policy.ts';
import { asCached } from './recorded-answer.ts';
import type { ResponseStore } from './response-store.ts';
import { SharedGeneration, type Listener } from './shared-generation.ts';
import type { SemanticCache } from './semantic-cache.ts';
import { answerToBytes, bytesToAnswer } from './values.ts';

export interface CachedGenerationsOptions {
  readonly host: ModelHost;
  readonly store: ResponseStore;
  readonly semantic: SemanticCache;
  readonly settings: () => CacheSettings;
  readonly log: Log;
}

type OnEvent = (event: GenerateEvent) => void;

/** A request that may use the caches. */
interface Cacheable {
  readonly request: GenerateRequest;
  readonly ask: CacheAsk;
  readonly identity: string;
  readonly scope: string;
  readonly key: string;
  readonly onEvent: OnEvent;
}

const ANSWERED: GenerationProgress = { phase: 'decode', position: null, etaMs: null };

export class CachedGenerations {
  readonly #options: CachedGenerationsOptions;
  readonly #running = new Map<string, SharedGeneration>();

  constructor(options: CachedGenerationsOptions) {
    this.#options = options;
  }

  generate({ cache: ask, ...request }: GenerateRequest, onEvent: OnEvent): Generation {
    const { host, settings } = this.#options;
    const model = host.get(request.model);
    if (ask === undefined || model === undefined) return host.generate(request, onEvent);
    const plan = planAnswer(request, ask, settings());
    const isSemantic = plan.kind !== 'bypass' && this.#options.semantic.isFor(request, ask);
    if (plan.kind === 'bypass' || (plan.kind === 'random' && !isSemantic)) {
      ask.onUse({ use: 'bypass', reason: plan.reason, similarity: null });
      return host.generate(request, onEvent);
    }
    const cacheable = this.#cacheable(request, ask, model, onEvent);
    if (isSemantic || plan.kind === 'random') return this.#askSemantic(cacheable, plan.kind === 'cache');
    return (plan.read ? this.#earlier(cacheable) : undefined) ?? this.#compute(cacheable, plan.read, plan.reason);
  }

  #cacheable(request: GenerateRequest, ask: CacheAsk, model: HostedModel, onEvent: OnEvent): Cacheable {
    const identity = modelIdentity(model);
    const scope = scopeOf(ask.tenant, this.#options.settings().shared);
    return { request, ask, identity, scope, key: answerKey(scope, identity, request), onEvent: this.#guarded(onEvent) };
  }

  /** One faulty listener must not keep events from others, nor end the process. */
  #guarded(onEvent: OnEvent): OnEvent {
    return (event) => {
      try {
        onEvent(event);
      } catch (cause) {
        this.#options.log.error({ err: cause, event: event.kind }, 'a listener of events failed');
      }
    };
  }

  /** An answer that was kept, or is being made. */
  #earlier({ key, ask, request, onEvent }: Cacheable): Generation | undefined {
    const kept = this.#options.store.get(key);
    if (kept !== undefined) {
      ask.onUse({ use: 'hit', reason: 'the same request was answered before', similarity: null });
      return replay(bytesToAnswer(kept), listenerOf(request, onEvent));
    }
    const running = this.#running.get(key);
    if (running === undefined) return undefined;
    ask.onUse({ use: 'coalesced', reason: 'the same request is being answered', similarity: null });
    return running.join(listenerOf(request, onEvent));
  }

  /** `isShared`: the same request may join it. */
  #compute(cacheable: Cacheable, isShared: boolean, reason: string): Generation {
    const { key, request, ask, onEvent } = cacheable;
    const generation = new SharedGeneration({
      host: this.#options.host,
      request,
      onAnswer: (events) => this.#keep(cacheable, events),
      onOver: () => this.#running.get(key) === generation && this.#running.delete(key),
    });
    if (isShared) this.#running.set(key, generation);
    ask.onUse({ use: 'miss', reason, similarity: null });
    return generation.start(listenerOf(request, onEvent));
  }

  #keep({ key, identity, request }: Cacheable, events: readonly GenerateEvent[]): void {
    if (isWorthKeeping(request, events)) this.#options.store.put({ key, identity, kind: 'answer', value: answerToBytes(events) });
  }

  /** The question must be encoded first; until then there is nothing to cancel but the waiting. */
  #askSemantic(cacheable: Cacheable, isExact: boolean): Generation {
    const exact = isExact ? this.#earlier(cacheable) : undefined;
    if (exact !== undefined) return exact;
    const { semantic } = this.#options;
    const ended = new AbortController();
    let generation: Generation | null = null;
    void semantic.find(cacheable, ended.signal).then((found) => {
      if (ended.signal.aborted) return;
      generation = found.kind === 'near' ? this.#answerNear(cacheable, found) : this.#computeAsked(cacheable, isExact, found.remember);
    });
    return {
      cancel: () => {
        ended.abort();
        if (generation === null) cacheable.request.onSettled?.();
        generation?.cancel();
      },
      progress: () => generation?.progress() ?? { phase: 'queued', position: null, etaMs: null },
    };
  }

  #answerNear({ ask, request, onEvent }: Cacheable, near: { readonly similarity: number; readonly answer: Uint8Array }): Generation {
    ask.onUse({ use: 'semantic', reason: 'a similar question was answered before', similarity: near.similarity });
    return replay(bytesToAnswer(near.answer), listenerOf(request, onEvent));
  }

  #computeAsked(cacheable: Cacheable, isExact: boolean, remember: () => void): Generation {
    const withMemory = {
      ...cacheable,
      onEvent: (event: GenerateEvent) => {
        // The answer has just been kept; it is there unless it was too large or not worth it.
        if (event.kind === 'done') remember();
        cacheable.onEvent(event);
      },
    };
    // Another may have asked the same while this question was encoded.
    const earlier = isExact ? this.#earlier(withMemory) : undefined;
    return earlier ?? this.#compute(withMemory, isExact, 'no similar question was answered before');
  }
}

function listenerOf(request: GenerateRequest, onEvent: OnEvent): Listener {
  const { onCharge, onUpstreamUsd, onSettled, mayRestart } = request;
  return {
    onEvent,
    mayRestart: mayRestart ?? (() => false),
    ...(onCharge === undefined ? {} : { onCharge }),
    ...(onUpstreamUsd === undefined ? {} : { onUpstreamUsd }),
    ...(onSettled === undefined ? {} : { onSettled }),
  };
}

/** Events arrive after the call has returned, as those of a model do. */
function replay(events: readonly GenerateEvent[], { onEvent, onSettled }: Listener): Generation {
  let isCancelled = false;
  queueMicrotask(() => {
    for (const event of events) if (!isCancelled) onEvent(asCached(event));
  });
  const cancel = (): void => {
    isCancelled = true;
    onSettled?.();
  };
  return { cancel, progress: () => ANSWERED };
}
