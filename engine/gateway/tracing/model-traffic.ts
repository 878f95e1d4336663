// Owns the tokens that went through the gateway since they were last taken, model by model, for the samples.
// Knows nothing about time.

export interface Traffic {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

const NO_TRAFFIC: Traffic = { promptTokens: 0, completionTokens: 0 };

export class ModelTraffic {
  #models = new Map<string, Traffic>();

  add(model: string, { promptTokens = 0, completionTokens = 0 }: Partial<Traffic>): void {
    const known = this.#models.get(model) ?? NO_TRAFFIC;
    this.#models.set(model, {
      promptTokens: known.promptTokens + promptTokens,
      completionTokens: known.completionTokens + completionTokens,
    });
  }

  /** Since the last call; models without traffic are missing. */
  take(): ReadonlyMap<string, Traffic> {
    const taken = this.#models;
    this.#models = new Map();
    return taken;
  }
}
