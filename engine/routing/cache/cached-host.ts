// Puts the response caches before a host of models: whoever asks sees a host all the same. The one way into this folder for others.
import type { CacheSettings } from '../../contract.ts';
import type { EncodeRequest, Encoding, GenerateRequest, Generation, HostedModel, InferRequest, ModelHost } from '../../fleet/host.ts';
import type { Log } from '../../log.ts';
import type { Tensor } from '../../models/infer/tensors.ts';
import type { GenerateEvent, PromptInput } from '../../runner/protocol.ts';
import { CachedEncodings } from './cached-encodings.ts';
import { CachedGenerations } from './cached-generations.ts';
import { modelIdentity } from './keys.ts';
import { QuestionIndex } from './question-index.ts';
import { ResponseStore } from './response-store.ts';
import { SemanticCache } from './semantic-cache.ts';
import { bytesToQuestion } from './values.ts';

export interface CachedHostOptions {
  readonly host: ModelHost;
  /** Path of the file that keeps entries for the next start; null: memory alone. */
  readonly path: string | null;
  readonly log: Log;
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly now?: () => number;
}

/** Models are removed and converted anew while the server runs: what they answered goes within so long. */
const SWEEP_MS = 60_000;
const OFF: CacheSettings = { enabled: false, maxBytes: 0, maxAgeHours: 0, shared: false, semanticSimilarity: null, semanticModel: null };

export class CachedHost implements ModelHost {
  readonly #host: ModelHost;
  #settings: CacheSettings | null = null;
  readonly #store: ResponseStore;
  readonly #encodings: CachedEncodings;
  readonly #generations: CachedGenerations;
  readonly #sweeper: NodeJS.Timeout;

  /** Nothing is kept or given again before `applySettings` was called. */
  constructor({ host, path, log, now = Date.now }: CachedHostOptions) {
    const settings = (): CacheSettings => this.#settings ?? OFF;
    const index = new QuestionIndex();
    this.#host = host;
    this.#store = new ResponseStore({
      path,
      settings,
      now,
      log,
      onAdded: ({ kind, key, value }) => kind === 'question' && index.add(key, bytesToQuestion(value)),
      onRemoved: ({ kind, key }) => kind === 'question' && index.remove(key),
    });
    this.#encodings = new CachedEncodings({ host, store: this.#store, settings });
    const encode: ModelHost['encode'] = (request, signal) => this.#encodings.encode(request, signal);
    const semantic = new SemanticCache({ host, index, store: this.#store, settings, encode, log });
    this.#generations = new CachedGenerations({ host, store: this.#store, semantic, settings, log });
    this.#sweeper = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  /** Resolves when what an earlier run left is there again. */
  get loaded(): Promise<void> {
    return this.#store.loaded;
  }

  /** What is held now. */
  get size(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#store.count, bytes: this.#store.bytes };
  }

  list(): readonly HostedModel[] {
    return this.#host.list();
  }

  get(model: string): HostedModel | undefined {
    return this.#host.get(model);
  }

  generate(request: GenerateRequest, onEvent: (event: GenerateEvent) => void): Generation {
    return this.#generations.generate(request, onEvent);
  }

  encode(request: EncodeRequest, signal: AbortSignal): Promise<Encoding> {
    return this.#encodings.encode(request, signal);
  }

  infer(request: InferRequest, signal: AbortSignal): Promise<readonly Tensor[]> {
    return this.#host.infer(request, signal);
  }

  tokenize(model: string, prompt: PromptInput): Promise<readonly number[]> {
    return this.#host.tokenize(model, prompt);
  }

  /** What the user allows, from now on. The first call opens the file; the installed models must be known by then. */
  applySettings(settings: CacheSettings): void {
    const isFirst = this.#settings === null;
    this.#settings = settings;
    this.#store.trim();
    if (!isFirst) return;
    this.#store.open();
    void this.#store.loaded.then(() => this.sweep());
  }

  /** Drops what models answered that are no longer installed as they were. */
  sweep(): void {
    const identities = this.#host
      .list()
      .flatMap(({ manifest }) => Object.keys(manifest.variants).map((variant) => modelIdentity({ manifest, variant })));
    this.#store.sweep(new Set(identities));
  }

  /** Writes what is held behind and ends the thread. The host itself is the caller's to close. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await this.#store.close();
  }
}
