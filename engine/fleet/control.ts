// Owns the interface through which people steer models: what the console asks of the fleet. Knows nothing about HTTP.
import type { ModelVariants, QualitySettings } from '../contract.ts';
import type { ModelState } from './host.ts';

/** A removed model, as long as it can come back. */
export interface Removal {
  /** Milliseconds since 1970. */
  readonly restorableUntilMs: number;
}

export interface ModelControl {
  /** Loads a model before anybody asks for it; resolves with `ready` or `failed`. @throws EngineError `model_not_found` */
  preload(model: string): Promise<ModelState>;
  /** Ends the model's process once its requests have finished; the next request loads it again. Resolves when the process is gone.
   *  @throws EngineError `model_not_found` */
  unload(model: string): Promise<void>;
  /** The ids of all pinned models; the others are not. Ids that are not installed are kept for when they are. */
  setPinned(ids: readonly string[]): void;
  /** Minutes without a request after which a model that is not pinned is unloaded; null: never. */
  setIdleUnload(minutes: number | null): void;
  /** For this model alone, in place of the minutes above and from its last request on: null: never; `default`: those minutes again.
   *  Until the model is removed or the engine ends. @throws EngineError `model_not_found` */
  keepAlive(model: string, afterMs: number | null | 'default'): void;
  /** The model is gone at once, what runs finishes; its files are deleted ten seconds later. @throws EngineError `model_not_found` */
  remove(model: string): Promise<Removal>;
  /** Brings a removed model back. @throws EngineError `model_not_found` when it is too late, `invalid_request` when its name is taken */
  restore(model: string): Promise<void>;
  /** Reads the folder of models now, which is otherwise looked at every few seconds. */
  refresh(): Promise<void>;
}

export interface PromoteWish {
  readonly model: string;
  readonly variant: string;
  /** Whatever was measured. */
  readonly force: boolean;
}

/** Which variant of a model answers to its plain name. */
export interface VariantControl {
  /** @throws EngineError `model_not_found` */
  list(model: string, bars: QualitySettings): Promise<ModelVariants>;
  /** Loads the variant, then lets it answer; running requests finish on the one before.
   *  @throws EngineError `model_not_found`, `quality_below_bar` with what was measured, `model_load_failed` */
  promote(wish: PromoteWish, bars: QualitySettings): Promise<void>;
  /** Back to the variant that answered before. @throws EngineError `model_not_found`, `invalid_request` when there is none */
  rollBack(model: string): Promise<void>;
  /** Bytes of weights that one stream reads in a second here, from what was measured of installed decoders; null before one was. */
  decodeBytesPerSecond(): Promise<number | null>;
  /** The text of the user's own that variants are measured on from now on; null: none. @throws EngineError `model_not_found` */
  setText(model: string, text: string | null): Promise<void>;
}
