// Decides whether an answer may come from the caches or go into them, and says why not. Pure.
import type { CacheSettings } from '../../contract.ts';
import type { CacheAsk, EncodeRequest, GenerateRequest, HostedModel } from '../../fleet/host.ts';
import type { GenerateEvent, SamplingParams } from '../../runner/protocol.ts';

export type CachePlan =
  /** `read`: an earlier or a concurrent answer may be given. What is computed is kept either way. */
  { readonly kind: 'cache'; readonly read: boolean; readonly reason: string } | { readonly kind: 'bypass'; readonly reason: string };

const bypass = (reason: string): CachePlan => ({ kind: 'bypass', reason });

/** Whether the same request gives the same answer each time. */
export function isDeterministic({ temperature, seed }: SamplingParams): boolean {
  return temperature === 0 || seed !== null;
}

export function planAnswer({ params }: GenerateRequest, ask: CacheAsk, settings: CacheSettings): CachePlan {
  const plan = planOf(ask, settings);
  if (plan.kind === 'bypass' || isDeterministic(params.sampling)) return plan;
  return bypass('the answer is drawn at random: its temperature is not 0, and it has no seed');
}

/** `cut`: what texts that are too long depend on, for their key. Null: rows of this request cannot be told apart. */
export function planRows(cut: string | null, ask: CacheAsk, settings: CacheSettings): CachePlan {
  const plan = planOf(ask, settings);
  return plan.kind === 'cache' && cut === null ? bypass('where texts are cut is not known before the model is loaded') : plan;
}

function planOf({ control }: CacheAsk, { enabled }: CacheSettings): CachePlan {
  if (!enabled) return bypass('caches are off');
  if (control === 'off') return bypass('the request says no-store');
  return control === 'refresh'
    ? { kind: 'cache', read: false, reason: 'the request says no-cache' }
    : { kind: 'cache', read: true, reason: 'the same request was not answered before' };
}

/** What the row of a text depends on beside model and text: the length at which it is cut, where it may be. Null: not known yet. */
export function cutOf({ params }: EncodeRequest, { state }: Pick<HostedModel, 'state'>): string | null {
  if (!params.truncate) return '';
  return state.kind === 'ready' ? `cut at ${state.info.contextLength}` : null;
}

/** Whether an answer says the same tomorrow: one that was cut where the context ended depends on how the server was started. */
export function isWorthKeeping({ params }: GenerateRequest, events: readonly GenerateEvent[]): boolean {
  return params.maxTokens !== null || !events.some((event) => event.kind === 'finish' && event.reason === 'length');
}
