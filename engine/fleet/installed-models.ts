// Owns what the engine knows of the models on disk: a snapshot that follows the folder, so that questions are answered at once.
// Knows nothing about processes.
import { SMALL_CACHE_SUFFIX, type ModelManifest, type VariantManifest } from '../models/manifest.ts';
import type { InstalledModel, ModelStore } from '../models/store/model-store.ts';
import type { Log } from '../log.ts';

/** A model and one of its variants, as a name in a request means them. */
export interface NamedVariant {
  /** `<id>:<variant>`, whatever the request wrote. */
  readonly key: string;
  readonly manifest: ModelManifest;
  readonly variant: VariantManifest;
  readonly folder: string;
}

/** What a plain model name means, where the model has it. */
export interface VariantPreference {
  /** Null: the model's default. */
  readonly variant: string | null;
  /** The one with the same weights whose KV cache has 8 bits. */
  readonly smallCache: boolean;
}

/** Other processes install and remove models too (`millrace pull`); the folder is looked at this often. */
const REFRESH_MS = 2000;

export class InstalledModels {
  readonly #store: ModelStore;
  readonly #log: Log;
  readonly #preferred: VariantPreference;
  #models: ReadonlyMap<string, ModelManifest> = new Map();
  #damaged: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;
  #onChange: (keys: readonly string[]) => void = () => undefined;
  #refreshing: Promise<void> = Promise.resolve();

  constructor(store: ModelStore, log: Log, preferred: VariantPreference) {
    this.#store = store;
    this.#log = log;
    this.#preferred = preferred;
  }

  list(): readonly ModelManifest[] {
    return [...this.#models.values()];
  }

  /** The variant that `id`, `id:variant` or `id@variant` names; undefined when none is installed. */
  find(name: string): NamedVariant | undefined {
    const [id = '', wanted, ...rest] = name.split(/[:@]/);
    const manifest = this.#models.get(id);
    const variant = manifest?.variants[wanted ?? this.#plainVariant(manifest)];
    if (manifest === undefined || variant === undefined || rest.length > 0) return undefined;
    return { key: `${id}:${variant.name}`, manifest, variant, folder: this.#store.path(id) };
  }

  #plainVariant(manifest: ModelManifest): string {
    const { variant, smallCache } = this.#preferred;
    const chosen = variant !== null && variant in manifest.variants ? variant : manifest.defaultVariant;
    const small = `${chosen}${SMALL_CACHE_SUFFIX}`;
    return smallCache && small in manifest.variants ? small : chosen;
  }

  /** Reads the folder now and from then on; `onChange` hears the keys of variants that are gone or were replaced. */
  async follow(onChange: (keys: readonly string[]) => void): Promise<void> {
    this.#onChange = onChange;
    await this.refresh();
    this.#timer = setTimeout(() => void this.#followQuietly(), REFRESH_MS).unref();
  }

  /** Reads the folder now. One reading at a time, so that the latest is the last. */
  refresh(): Promise<void> {
    const reading = this.#refreshing.then(() => this.#read());
    this.#refreshing = reading.catch(() => undefined);
    return reading;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #followQuietly(): Promise<void> {
    await this.refresh().catch((cause: unknown) => this.#log.error({ err: cause }, 'the folder of models cannot be read'));
    if (this.#timer !== undefined) this.#timer = setTimeout(() => void this.#followQuietly(), REFRESH_MS).unref();
  }

  async #read(): Promise<void> {
    const found = await this.#store.list();
    this.#reportDamaged(found);
    const models = new Map(found.flatMap((model) => (model.kind === 'ready' ? [[model.id, model.manifest]] : [])));
    const changed = [...this.#models.values()].flatMap((manifest) => changedVariants(manifest, models.get(manifest.id)));
    this.#models = models;
    if (changed.length > 0) this.#onChange(changed);
  }

  /** Each damaged model is logged once, not every two seconds. */
  #reportDamaged(found: readonly InstalledModel[]): void {
    const damaged = found.flatMap((model) => (model.kind === 'damaged' ? [model] : []));
    for (const { id, reason } of damaged) if (!this.#damaged.has(id)) this.#log.error({ model: id }, reason);
    this.#damaged = new Set(damaged.map(({ id }) => id));
  }
}

/** Keys of the variants that are no longer what they were; one more beside them, or another default, changes none. */
function changedVariants(before: ModelManifest, now: ModelManifest | undefined): readonly string[] {
  const isSame = (name: string): boolean =>
    now?.createdAt === before.createdAt && JSON.stringify(now.variants[name]) === JSON.stringify(before.variants[name]);
  return Object.keys(before.variants)
    .filter((name) => !isSame(name))
    .map((name) => `${before.id}:${name}`);
}
