// Owns the generations of one HTTP request: one for each prompt, a bounded number in the queue together, one outcome.
// Knows nothing about HTTP or about the shape of answers.
import { fromWireError, type EngineError } from '../errors.ts';
import type { Charging, GenerateRequest, Generation, GenerationProgress, ModelHost } from '../fleet/host.ts';
import type { GenerateEvent, Usage } from '../runner/protocol.ts';

export type RunOutcome =
  | { readonly kind: 'done'; /** Summed over all prompts. */ readonly usage: Usage }
  | { readonly kind: 'failed'; readonly error: EngineError };

export interface PromptRunOptions {
  readonly host: ModelHost;
  readonly requests: readonly GenerateRequest[];
  readonly inFlight: number;
  /** `prompt` is the place in `requests`. */
  readonly onEvent: (prompt: number, event: GenerateEvent) => void;
  /** Whether a prompt may begin again after its model's process died: see `GenerateRequest`. */
  readonly mayRestart: (prompt: number) => boolean;
  /** Asked for each prompt: who hears of the device time it uses. */
  readonly charging: () => Required<Charging>;
  /** Called once, unless the run is cancelled first. */
  readonly onEnd: (outcome: RunOutcome) => void;
}

const NO_USAGE: Usage = { promptTokens: 0, cachedTokens: 0, completionTokens: 0 };

export class PromptRun {
  readonly #options: PromptRunOptions;
  readonly #generations: Generation[] = [];
  #usage = NO_USAGE;
  #finished = 0;
  #started = 0;
  #over = false;

  constructor(options: PromptRunOptions) {
    this.#options = options;
  }

  start(): void {
    while (!this.#over && this.#started < this.#options.requests.length && this.#started - this.#finished < this.#options.inFlight) {
      this.#startNext();
    }
  }

  /** Where the first prompt is; null before it has been handed on. */
  progress(): GenerationProgress | null {
    return this.#generations[0]?.progress() ?? null;
  }

  /** Ends every generation; no event follows. Returns whether the run was still under way. */
  cancel(): boolean {
    if (this.#over) return false;
    this.#over = true;
    for (const generation of this.#generations) generation.cancel();
    return true;
  }

  /** Ends the run with an error of the caller's. */
  fail(error: EngineError): void {
    if (this.cancel()) this.#options.onEnd({ kind: 'failed', error });
  }

  #startNext(): void {
    const prompt = this.#started++;
    const request = this.#options.requests[prompt];
    if (request === undefined) return;
    const charging = this.#options.charging();
    const restartable = { ...request, ...charging, mayRestart: () => this.#options.mayRestart(prompt) };
    const generation = this.#options.host.generate(restartable, (event) => {
      if (event.kind === 'done' || event.kind === 'error') charging.onSettled();
      this.#take(prompt, event);
    });
    // A host may refuse before it returns; the run is over by then.
    if (this.#over) generation.cancel();
    else this.#generations.push(generation);
  }

  #take(prompt: number, event: GenerateEvent): void {
    if (this.#over) return;
    if (event.kind === 'error') return this.fail(fromWireError(event.error));
    this.#options.onEvent(prompt, event);
    if (event.kind === 'done') this.#finish(event.usage);
  }

  #finish(usage: Usage): void {
    this.#finished++;
    this.#usage = sum(this.#usage, usage);
    if (this.#finished < this.#options.requests.length) return this.start();
    this.#over = true;
    this.#options.onEnd({ kind: 'done', usage: this.#usage });
  }
}

function sum(a: Usage, b: Usage): Usage {
  return {
    promptTokens: a.promptTokens + b.promptTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    completionTokens: a.completionTokens + b.completionTokens,
  };
}
