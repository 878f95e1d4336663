// Owns which models are kept for a time that a request of Ollama's API asked for; without such a wish a model's time is the server's again.
// Knows nothing about HTTP.
import type { Caller } from '../../access/caller.ts';
import type { ModelControl } from '../../fleet/control.ts';
import { readKeepAlive } from './durations.ts';

type Services = () => Promise<{ readonly models: ModelControl }>;

export class KeptModels {
  readonly #services: Services | null;
  readonly #kept = new Set<string>();

  /** Without services nothing is kept. */
  constructor(services: Services | null) {
    this.#services = services;
  }

  /** Keeps a model as its request says, if its caller may steer the server. @throws EngineError `invalid_request` for no duration */
  async keep(caller: Caller | null, model: string, keepAlive: string | number | undefined): Promise<'keep' | 'unload'> {
    const afterMs = keepAlive === undefined ? 'default' : readKeepAlive(keepAlive);
    if (this.#services === null || !maySteer(caller)) return 'keep';
    if (afterMs !== 'default') this.#kept.add(model);
    else if (!this.#kept.delete(model)) return 'keep';
    (await this.#services()).models.keepAlive(model, afterMs);
    return afterMs === 0 ? 'unload' : 'keep';
  }

  /** Resolves when its process has gone. */
  async unload(model: string): Promise<void> {
    await (await this.#services?.())?.models.unload(model);
  }
}

function maySteer(caller: Caller | null): boolean {
  return caller === null || caller.key === null || caller.key.scopes.admin;
}
