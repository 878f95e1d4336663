// Owns the semantic cache: the answer to an earlier question that is nearly the same, asked under the same conditions.
// Off unless the user sets how similar questions must be. What the embedding model cannot tell in time counts as not found.
import type { CacheSettings } from '../../contract.ts';
import type { CacheAsk, GenerateRequest, ModelHost } from '../../fleet/host.ts';
import type { Log } from '../../log.ts';
import type { PromptInput } from '../../runner/protocol.ts';
import { canonicalJson, digest, modelIdentity } from './keys.ts';
import type { QuestionIndex } from './question-index.ts';
import type { ResponseStore } from './response-store.ts';
import { questionToBytes } from './values.ts';

export interface SemanticCacheOptions {
  readonly host: ModelHost;
  readonly index: QuestionIndex;
  readonly store: ResponseStore;
  readonly settings: () => CacheSettings;
  /** Rows of questions, through the cache of rows. */
  readonly encode: ModelHost['encode'];
  readonly log: Log;
}

export interface Asked {
  readonly request: GenerateRequest;
  readonly ask: CacheAsk;
  /** Of the model that answers, and who sees its answers. */
  readonly identity: string;
  readonly scope: string;
  /** Under which the answer will be kept. */
  readonly key: string;
}

export type Found =
  | { readonly kind: 'near'; readonly similarity: number; readonly answer: Uint8Array }
  /** `remember` is called when the answer has been kept. */
  | { readonly kind: 'none'; readonly remember: () => void };

/** Questions that are compared at most: a search then takes three milliseconds where none is near. */
const MOST_QUESTIONS = 10_000;
/** An answer does not wait longer for the search of an earlier one. */
const PATIENCE_MS = 2_000;
const NOTHING: Found = { kind: 'none', remember: () => undefined };

export class SemanticCache {
  readonly #options: SemanticCacheOptions;

  constructor(options: SemanticCacheOptions) {
    this.#options = options;
  }

  /** Whether a similar question's answer may serve. */
  isFor(request: GenerateRequest, { control }: CacheAsk): boolean {
    const { enabled, semanticSimilarity } = this.#options.settings();
    const { n, topLogprobs, grammar } = request.params;
    const isPlain = n === 1 && topLogprobs === null && grammar === undefined;
    return enabled && semanticSimilarity !== null && control === 'use' && isPlain && questionOf(request.prompt) !== null;
  }

  /** Never rejects. */
  async find(asked: Asked, signal: AbortSignal): Promise<Found> {
    const model = this.#embeddingModel();
    const question = questionOf(asked.request.prompt);
    const { semanticSimilarity } = this.#options.settings();
    if (model === null || question === null || semanticSimilarity === null) return NOTHING;
    try {
      const vector = await this.#encode(model.name, question, asked.ask, signal);
      const context = contextOf(asked, model.identity);
      const near = this.#options.index.nearest(context, vector, semanticSimilarity);
      const answer = near && this.#options.store.get(near.answer);
      if (near !== undefined && answer !== undefined) return { kind: 'near', similarity: near.similarity, answer };
      // Its answer had to make room for others.
      if (near !== undefined) this.#options.store.delete(near.key);
      return { kind: 'none', remember: () => this.#remember(asked, context, vector, question) };
    } catch (error) {
      if (!signal.aborted) this.#options.log.warn({ err: error }, 'a question could not be compared with earlier ones');
      return NOTHING;
    }
  }

  async #encode(model: string, question: string, ask: CacheAsk, signal: AbortSignal): Promise<Float32Array> {
    const ended = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    const cache: CacheAsk = { tenant: ask.tenant, control: 'use', onUse: () => undefined };
    const params = { truncate: false, caller: 'semantic cache', deadlineMs: PATIENCE_MS };
    const { values } = await this.#options.encode({ model, inputs: [{ kind: 'text', text: question }], params, cache }, ended);
    return unit(values);
  }

  #remember(asked: Asked, context: string, vector: Float32Array, question: string): void {
    const { index, store } = this.#options;
    if (store.get(asked.key) === undefined) return;
    if (index.count >= MOST_QUESTIONS && index.oldest !== undefined) store.delete(index.oldest);
    const value = questionToBytes({ context, answer: asked.key, vector });
    store.put({ key: digest(`${context}\nquestion\n${question}`), identity: asked.identity, kind: 'question', value });
  }

  /** The one that the settings name, or the only one there is. */
  #embeddingModel(): { readonly name: string; readonly identity: string } | null {
    const { host, settings } = this.#options;
    const { semanticModel } = settings();
    const isEmbedding = ({ manifest }: ReturnType<ModelHost['list']>[number]): boolean =>
      manifest.kind === 'encoder' && manifest.config.head.kind === 'embedding';
    const choice =
      semanticModel === null ? host.list().filter(isEmbedding) : [host.get(semanticModel)].filter((model) => model !== undefined);
    const [model] = choice;
    if (model === undefined || choice.length > 1 || !isEmbedding(model)) return null;
    return { name: semanticModel ?? model.manifest.id, identity: modelIdentity(model) };
  }
}

/** The last message, where it is the user's: what is compared. */
function questionOf(prompt: PromptInput): string | null {
  if (prompt.kind !== 'chat') return null;
  const last = prompt.messages.at(-1);
  return last?.role === 'user' && last.content !== '' ? last.content : null;
}

/** All that must be the same: both models, every parameter, and every message but the last. */
function contextOf({ request, identity, scope }: Asked, embeddingIdentity: string): string {
  const { prompt, params } = request;
  const before = prompt.kind === 'chat' ? { ...prompt, messages: prompt.messages.slice(0, -1) } : null;
  return digest(`${scope}\n${identity}\n${embeddingIdentity}\n${canonicalJson([before, params])}`);
}

function unit(vector: Float32Array): Float32Array {
  const norm = Math.hypot(...vector);
  return norm === 0 ? vector : vector.map((value) => value / norm);
}
