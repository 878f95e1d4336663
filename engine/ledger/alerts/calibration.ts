// Owns the speed of each model as its first lone requests showed it, from which objectives follow that nobody has set.
// It is measured once after a start and then stays: an objective that follows a slow machine down would never be missed.
import type { Slo, SloSettings } from '../../contract.ts';
import type { RequestRecord } from '../ledger.ts';
import { atPercentile } from './percentile.ts';
import { defaultSlo } from './slo.ts';

/** What calibration needs of a finished request. */
export type CalibrationRequest = Pick<
  RequestRecord,
  'model' | 'outcome' | 'cache' | 'meanBatch' | 'promptTokens' | 'cachedTokens' | 'prefillMs' | 'interTokenP50Ms'
>;

/** Requests that are enough to call a median the speed. */
const ENOUGH = 10;
/** Sequences a step may have on average for a request to count as alone. */
const ALONE = 1.2;
/** A shorter prompt's time says little about prefill. */
const MIN_PROMPT = 32;
const MAX_MODELS = 200;

interface Speeds {
  readonly prefill: number[];
  readonly decode: number[];
}

export class Calibration {
  readonly #speeds = new Map<string, Speeds>();
  readonly #objectives = new Map<string, Slo>();

  /** Once for each finished request. */
  observe(request: CalibrationRequest): void {
    const { model } = request;
    if (model === null || this.#objectives.has(model) || !isAlone(request)) return;
    const speeds = this.#speeds.get(model) ?? { prefill: [], decode: [] };
    if (!this.#speeds.has(model) && this.#speeds.size >= MAX_MODELS) return;
    this.#speeds.set(model, speeds);
    speeds.prefill.push(...prefillSpeed(request));
    if (request.interTokenP50Ms) speeds.decode.push(1000 / request.interTokenP50Ms);
    if (Math.min(speeds.prefill.length, speeds.decode.length) >= ENOUGH) this.#settle(model, speeds);
  }

  /** What the user set, then what was measured; other models have the fallback. */
  complete(settings: SloSettings): SloSettings {
    return { ...settings, models: { ...Object.fromEntries(this.#objectives), ...settings.models } };
  }

  /** What was measured of it; null: not enough yet. */
  objectiveOf(model: string): Slo | null {
    return this.#objectives.get(model) ?? null;
  }

  #settle(model: string, { prefill, decode }: Speeds): void {
    this.#speeds.delete(model);
    const speed = { prefillTokensPerSecond: atPercentile(prefill, 0.5), decodeTokensPerSecond: atPercentile(decode, 0.5) };
    this.#objectives.set(model, defaultSlo(speed));
  }
}

function isAlone({ outcome, cache, meanBatch }: CalibrationRequest): boolean {
  const isComputed = cache === null || cache === 'miss' || cache === 'bypass';
  return outcome === 'ok' && isComputed && meanBatch !== null && meanBatch <= ALONE;
}

/** Tokens/s, or nothing for a prompt that says little. */
function prefillSpeed({ promptTokens, cachedTokens, prefillMs }: CalibrationRequest): readonly number[] {
  const computed = promptTokens - cachedTokens;
  return prefillMs === null || prefillMs <= 0 || computed < MIN_PROMPT ? [] : [(computed / prefillMs) * 1000];
}
