// Owns one generation that several identical requests wait for: it is computed once, everybody hears all of it, and it ends early only
// when everybody has left. Knows nothing about keys or about what is kept.
import type { Charging, GenerateRequest, Generation, GenerationProgress, ModelHost } from '../../fleet/host.ts';
import type { GenerateEvent } from '../../runner/protocol.ts';
import { asCached, RecordedAnswer } from './recorded-answer.ts';

export interface SharedGenerationOptions {
  readonly host: Pick<ModelHost, 'generate'>;
  readonly request: GenerateRequest;
  /** The whole answer, before anybody hears its end. */
  readonly onAnswer: (events: readonly GenerateEvent[]) => void;
  /** It is over, whether it was answered, failed, or everybody left; nobody may join any more. */
  readonly onOver: () => void;
}

export interface Listener extends Charging {
  /** Never throws: the others hear the event after it. */
  readonly onEvent: (event: GenerateEvent) => void;
  readonly mayRestart: () => boolean;
}

export class SharedGeneration {
  readonly #options: SharedGenerationOptions;
  readonly #recorded = new RecordedAnswer();
  /** The first pays for what is computed. */
  #listeners: readonly Listener[] = [];
  /** Those that have not heard the beginning yet. */
  readonly #late = new Set<Listener>();
  /** Charged to the end, whether it still listens or not. */
  #lastPayer: Listener | null = null;
  #generation: Generation | null = null;
  #isOver = false;

  constructor(options: SharedGenerationOptions) {
    this.#options = options;
  }

  /** Begins it for its first listener. */
  start(listener: Listener): Generation {
    this.#listeners = [listener];
    this.#lastPayer = listener;
    const { host, request } = this.#options;
    const shared: GenerateRequest = {
      model: request.model,
      prompt: request.prompt,
      params: request.params,
      ...(request.caller && { caller: request.caller }),
      mayRestart: () => this.#listeners.every(({ mayRestart }) => mayRestart()),
      onCharge: (deviceMs) => this.#payer?.onCharge?.(deviceMs),
      onUpstreamUsd: (usd) => this.#payer?.onUpstreamUsd?.(usd),
      onSettled: () => this.#payer?.onSettled?.(),
    };
    this.#generation = host.generate(shared, (event) => this.#take(event));
    return this.#handle(listener);
  }

  /** One more; it hears first what was said so far, after this call has returned. */
  join(listener: Listener): Generation {
    this.#listeners = [...this.#listeners, listener];
    this.#late.add(listener);
    queueMicrotask(() => this.#catchUp(listener));
    return this.#handle(listener);
  }

  get #payer(): Listener | null {
    return this.#listeners[0] ?? this.#lastPayer;
  }

  #handle(listener: Listener): Generation {
    return { cancel: () => this.#leave(listener), progress: () => this.#progress() };
  }

  #progress(): GenerationProgress {
    return this.#generation?.progress() ?? { phase: 'queued', position: null, etaMs: null };
  }

  #catchUp(listener: Listener): void {
    if (!this.#late.delete(listener)) return;
    for (const event of this.#recorded.events()) if (this.#listeners.includes(listener)) listener.onEvent(asCached(event));
  }

  #take(event: GenerateEvent): void {
    if (this.#isOver) return;
    this.#recorded.add(event);
    if (event.kind === 'done') this.#options.onAnswer(this.#recorded.events());
    if (event.kind === 'done' || event.kind === 'error') this.#end();
    const payer = this.#listeners[0];
    for (const listener of this.#listeners) {
      // One may leave while another hears it. Whoever comes late hears this with the rest, but an error is in no recording.
      const isWaiting = this.#late.has(listener) && event.kind !== 'error';
      if (isWaiting || !this.#listeners.includes(listener)) continue;
      this.#late.delete(listener);
      listener.onEvent(listener === payer ? event : asCached(event));
    }
  }

  #leave(listener: Listener): void {
    if (!this.#listeners.includes(listener)) return;
    this.#listeners = this.#listeners.filter((other) => other !== listener);
    this.#late.delete(listener);
    if (this.#isOver || this.#listeners.length > 0) return listener.onSettled?.();
    this.#lastPayer = listener;
    this.#end();
    this.#generation?.cancel();
  }

  #end(): void {
    this.#isOver = true;
    this.#options.onOver();
  }
}
