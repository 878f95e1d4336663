// Decides whether an answer may come from the caches or go into them, and says why not. Pure.
import type { CacheSettings } from '../../contract.ts';
import type { CacheAsk, EncodeRequest, GenerateRequest, HostedModel } from '../../fleet/host.ts';
import type { EncodeInput, GenerateEvent, PromptInput, SamplingParams } from '../../runner/protocol.ts';

export type CachePlan =
  /** `read`: an earlier or a concurrent answer may be given. What is computed is kept either way. */
  { readonly kind: 'cache'; readonly read: boolean; readonly reason: string } | { readonly kind: 'bypass'; readonly reason: string };

export type AnswerPlan =
  | CachePlan
  /** Only the answer to a similar question may be given. */
  | { readonly kind: 'random'; readonly reason: string };

/** Characters, or token ids, of a request: a key of so many takes some milliseconds of the event loop. */
const LONGEST = 1_000_000;

const bypass = (reason: string): CachePlan => ({ kind: 'bypass', reason });

/** Whether the same request gives the same answer each time. */
export function isDeterministic({ temperature, seed }: SamplingParams): boolean {
  return temperature === 0 || seed !== null;
}

export function planAnswer({ prompt, params }: GenerateRequest, ask: CacheAsk, settings: CacheSettings): AnswerPlan {
  const plan = planOf(ask, settings, promptLength(prompt));
  if (plan.kind === 'bypass' || isDeterministic(params.sampling)) return plan;
  return { kind: 'random', reason: 'the answer is drawn at random: its temperature is not 0, and it has no seed' };
}

/** `cut`: what texts that are too long depend on, for their key. Null: rows of this request cannot be told apart. */
export function planRows({ inputs }: EncodeRequest, cut: string | null, ask: CacheAsk, settings: CacheSettings): CachePlan {
  const plan = planOf(ask, settings, sum(inputs.map(inputLength)));
  return plan.kind === 'cache' && cut === null ? bypass('where texts are cut is not known before the model is loaded') : plan;
}

function planOf({ control }: CacheAsk, { enabled }: CacheSettings, length: number): CachePlan {
  if (!enabled) return bypass('caches are off');
  if (length > LONGEST) return bypass('the request is too long to be worth a key');
  if (control === 'off') return bypass('the request says no-store');
  return control === 'refresh'
    ? { kind: 'cache', read: false, reason: 'the request says no-cache' }
    : { kind: 'cache', read: true, reason: 'the same request was not answered before' };
}

function promptLength(prompt: PromptInput): number {
  if (prompt.kind === 'chat') return sum(prompt.messages.map(({ content }) => content.length));
  return inputLength(prompt);
}

function inputLength(input: EncodeInput): number {
  if (input.kind === 'tokens') return input.tokens.length;
  return input.kind === 'pair' ? input.text.length + input.other.length : input.text.length;
}

const sum = (lengths: readonly number[]): number => lengths.reduce((total, length) => total + length, 0);

/** What the row of a text depends on beside model and text: the length at which it is cut, where it may be. Null: not known yet. */
export function cutOf({ params }: EncodeRequest, { state }: Pick<HostedModel, 'state'>): string | null {
  if (!params.truncate) return '';
  return state.kind === 'ready' ? `cut at ${state.info.contextLength}` : null;
}

/** Whether an answer says the same tomorrow: one that was cut where the context ended depends on how the server was started. */
export function isWorthKeeping({ params }: GenerateRequest, events: readonly GenerateEvent[]): boolean {
  return params.maxTokens !== null || !events.some((event) => event.kind === 'finish' && event.reason === 'length');
}
