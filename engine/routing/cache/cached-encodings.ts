// Owns the way of texts through the cache: each has its row from an earlier request, from one that is computing it now, or computed anew;
// what is left to compute goes to the model as one request.
import type { CacheSettings } from '../../contract.ts';
import { bug, EngineError } from '../../errors.ts';
import type { CacheAsk, CacheReport, EncodeRequest, Encoding, HostedModel, ModelHost } from '../../fleet/host.ts';
import { GatheredRows, rowOf } from './gathered-rows.ts';
import { modelIdentity, rowKey, rowPrefix, scopeOf } from './keys.ts';
import { cutOf, planRows } from './policy.ts';
import type { ResponseStore } from './response-store.ts';
import { SharedEncoding } from './shared-encoding.ts';
import { bytesToRow, rowToBytes } from './values.ts';

export interface CachedEncodingsOptions {
  readonly host: ModelHost;
  readonly store: ResponseStore;
  readonly settings: () => CacheSettings;
}

/** A row that is being computed: the call, and its place among the call's inputs. */
interface RunningRow {
  readonly call: SharedEncoding;
  readonly at: number;
}

/** A request that may use the cache. */
interface Cacheable {
  readonly request: EncodeRequest;
  readonly identity: string;
  /** One for each input. */
  readonly keys: readonly string[];
  /** Whether earlier and concurrent rows serve. */
  readonly read: boolean;
  readonly signal: AbortSignal;
  readonly rows: GatheredRows;
}

/** What one call computes for a request: the request's place of each row, and the row's place in the call. */
type Places = readonly { readonly place: number; readonly at: number }[];

/** What is not in the store, by where it comes from. */
interface Lacking {
  /** First input of each distinct text, and the places where its row is wanted. */
  readonly missing: ReadonlyMap<string, readonly number[]>;
  readonly running: ReadonlyMap<SharedEncoding, Places>;
}

const HIT: CacheReport = { use: 'hit', reason: 'every text was encoded before', similarity: null };
const COALESCED: CacheReport = { use: 'coalesced', reason: 'the same texts are being encoded', similarity: null };

export class CachedEncodings {
  readonly #options: CachedEncodingsOptions;
  readonly #running = new Map<string, RunningRow>();

  constructor(options: CachedEncodingsOptions) {
    this.#options = options;
  }

  async encode({ cache: ask, ...request }: EncodeRequest, signal: AbortSignal): Promise<Encoding> {
    const { host } = this.#options;
    const model = host.get(request.model);
    if (ask === undefined || model === undefined) return host.encode(request, signal);
    const cut = cutOf(request, model);
    const plan = planRows(request, cut, ask, this.#options.settings());
    if (plan.kind === 'bypass' || cut === null) {
      ask.onUse({ use: 'bypass', reason: plan.reason, similarity: null });
      return host.encode(request, signal);
    }
    const cacheable = {
      request,
      signal,
      read: plan.read,
      rows: new GatheredRows(request.inputs.length),
      ...this.#keys(request, ask, model, cut),
    };
    const lacking = this.#lookUp(cacheable);
    const use = await this.#fill(cacheable, lacking);
    ask.onUse(use === 'miss' ? { use, reason: plan.reason, similarity: null } : use === 'hit' ? HIT : COALESCED);
    return cacheable.rows.encoding();
  }

  #keys({ inputs }: EncodeRequest, ask: CacheAsk, model: HostedModel, cut: string): Pick<Cacheable, 'identity' | 'keys'> {
    const identity = modelIdentity(model);
    const prefix = rowPrefix(scopeOf(ask.tenant, this.#options.settings().shared), identity, cut);
    return { identity, keys: inputs.map((input) => rowKey(prefix, input)) };
  }

  #lookUp({ keys, read, rows }: Cacheable): Lacking {
    const missing = new Map<string, number[]>();
    const running = new Map<SharedEncoding, { place: number; at: number }[]>();
    keys.forEach((key, place) => {
      const stored = read ? this.#options.store.get(key) : undefined;
      if (stored !== undefined) return rows.set(place, bytesToRow(stored));
      const row = read ? this.#running.get(key) : undefined;
      if (row === undefined) missing.set(key, [...(missing.get(key) ?? []), place]);
      else running.set(row.call, [...(running.get(row.call) ?? []), { place, at: row.at }]);
    });
    return { missing, running };
  }

  async #fill(cacheable: Cacheable, { missing, running }: Lacking): Promise<'hit' | 'miss' | 'coalesced'> {
    if (missing.size === 0 && running.size === 0) return 'hit';
    const { request, signal } = cacheable;
    for (const call of running.keys()) call.join(request);
    const own = missing.size === 0 ? null : this.#begin(cacheable, missing);
    try {
      if (own !== null) await this.#takeOwn(cacheable, own, missing);
      const lost = await this.#takeRunning(cacheable, running);
      if (lost.length > 0) await this.#computeLost(cacheable, lost);
      return own === null && lost.length === 0 ? 'coalesced' : 'miss';
    } finally {
      own?.leave(request, signal.reason);
      for (const call of running.keys()) call.leave(request, signal.reason);
    }
  }

  /** Others may wait for its rows from now on, until it ends. */
  #begin({ request, identity, read }: Cacheable, missing: Lacking['missing']): SharedEncoding {
    const inputs = [...missing.values()].map(([place = 0]) => request.inputs[place] ?? bug('A text is missing.'));
    const call = new SharedEncoding(this.#options.host, { ...request, inputs }, request);
    const keys = [...missing.keys()];
    if (read) keys.forEach((key, at) => this.#running.set(key, { call, at }));
    const forget = (): void => {
      for (const key of keys) if (this.#running.get(key)?.call === call) this.#running.delete(key);
    };
    call.encoding.then((encoding) => {
      keys.forEach((key, at) => this.#options.store.put({ key, identity, kind: 'row', value: rowToBytes(rowOf(encoding, at)) }));
      forget();
    }, forget);
    return call;
  }

  async #takeOwn({ request, signal, rows }: Cacheable, own: SharedEncoding, missing: Lacking['missing']): Promise<void> {
    const encoding = await unlessAborted(own.encoding, signal).catch((error: unknown) => {
      const isRenumbered = missing.size < request.inputs.length;
      if (isRenumbered && namesInput(error)) return null;
      throw error;
    });
    // The refusal counts the texts that were left to compute: asked as a whole, the model names the right one.
    if (encoding === null) return this.#fillWhole({ request, signal, rows });
    rows.addComputed(encoding.tokens);
    [...missing.values()].forEach((places, at) => places.forEach((place) => rows.set(place, rowOf(encoding, at))));
  }

  async #fillWhole({ request, signal, rows }: Pick<Cacheable, 'request' | 'signal' | 'rows'>): Promise<void> {
    const encoding = await this.#options.host.encode(request, signal);
    rows.addComputed(encoding.tokens);
    request.inputs.forEach((_, place) => rows.set(place, rowOf(encoding, place)));
  }

  /** The places whose rows did not come: their request failed, perhaps for a reason of its own. */
  async #takeRunning({ request, signal, rows }: Cacheable, running: Lacking['running']): Promise<readonly number[]> {
    if (running.size === 0) return [];
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(tooLate()), request.params.deadlineMs);
    const ended = AbortSignal.any([signal, late.signal]);
    const lost: number[] = [];
    try {
      for (const [call, places] of running) {
        const encoding = await unlessAborted(call.encoding, ended).catch(() => null);
        ended.throwIfAborted();
        if (encoding === null) lost.push(...places.map(({ place }) => place));
        else for (const { place, at } of places) rows.set(place, rowOf(encoding, at));
      }
      return lost;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Alone, so that no other request's fault can be met twice. */
  async #computeLost({ request, signal, rows }: Cacheable, lost: readonly number[]): Promise<void> {
    if (lost.length === request.inputs.length) return this.#fillWhole({ request, signal, rows });
    const inputs = lost.map((place) => request.inputs[place] ?? bug('A text is missing.'));
    const encoding = await this.#options.host.encode({ ...request, inputs }, signal).catch((error: unknown) => {
      if (namesInput(error)) return null;
      throw error;
    });
    if (encoding === null) return this.#fillWhole({ request, signal, rows });
    rows.addComputed(encoding.tokens);
    lost.forEach((place, at) => rows.set(place, rowOf(encoding, at)));
  }
}

function namesInput(error: unknown): boolean {
  return error instanceof EngineError && error.param?.startsWith('input[') === true;
}

function tooLate(): EngineError {
  return new EngineError('deadline_exceeded', 'The request waited longer than its deadline.');
}

/** Rejects with the signal's reason as soon as it is aborted; the work itself goes on. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
