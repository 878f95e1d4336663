// Owns the switch between the variants of a model while the fleet serves them: loaded first, then named by one write of model.json.
// Knows nothing about HTTP or about how variants are made.
import { EngineError } from '../errors.ts';
import { checkedText } from '../models/quantise/evaluation-texts.ts';
import { judgeVariant } from '../models/quantise/judge-variant.ts';
import { decodeBytesPerSecond } from '../models/store/decode-rate.ts';
import { readMeasurement, writeOwnText } from '../models/store/measurements.ts';
import { variantOf, type ModelStore } from '../models/store/model-store.ts';
import { promoted, rolledBack } from '../models/store/promotion.ts';
import { variantTable } from '../models/store/variant-table.ts';
import type { ModelVariants, QualitySettings } from '../contract.ts';
import type { ModelControl, PromoteWish, VariantControl } from './control.ts';

export class Variants implements VariantControl {
  readonly #store: ModelStore;
  readonly #models: Pick<ModelControl, 'preload' | 'refresh'>;

  constructor(store: ModelStore, models: Pick<ModelControl, 'preload' | 'refresh'>) {
    this.#store = store;
    this.#models = models;
  }

  list(model: string, bars: QualitySettings): Promise<ModelVariants> {
    return variantTable(this.#store, model, bars);
  }

  async promote({ model, variant: name, force }: PromoteWish, bars: QualitySettings): Promise<void> {
    const variant = variantOf(await this.#store.get(model), name);
    const verdict = judgeVariant(variant, await readMeasurement(this.#store.path(model), variant), bars);
    if (!verdict.allowed && !force) throw new EngineError('quality_below_bar', verdict.reason, { param: 'variant' });
    // It may have been made a moment ago.
    await this.#models.refresh();
    const state = await this.#models.preload(`${model}:${name}`);
    if (state.kind === 'failed')
      throw new EngineError('model_load_failed', `${name} cannot be loaded, so it does not answer: ${state.reason}`, { param: 'variant' });
    await this.#store.change(model, (manifest) => promoted(manifest, name));
    await this.#models.refresh();
  }

  async rollBack(model: string): Promise<void> {
    await this.#store.change(model, rolledBack);
    await this.#models.refresh();
  }

  decodeBytesPerSecond(): Promise<number | null> {
    return decodeBytesPerSecond(this.#store);
  }

  async setText(model: string, text: string | null): Promise<void> {
    await this.#store.get(model);
    await writeOwnText(this.#store.path(model), text === null ? null : checkedText(text));
  }
}
