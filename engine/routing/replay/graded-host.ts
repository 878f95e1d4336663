// Owns two models that answer graded prompts as well as the grades say: an answer is its grade. Knows nothing about routing.
import type { UpstreamPrice, UpstreamSettings } from '../../contract.ts';
import { EngineError, toWireError } from '../../errors.ts';
import type { Encoding, GenerateRequest, Generation, HostedModel, ModelHost } from '../../fleet/host.ts';
import type { GenerateEvent } from '../../runner/protocol.ts';
import type { GradedRow } from '../complexity/graded.ts';
import { hostedTarget, nameOf } from '../upstream/hosted.ts';

export type GradedTarget = 'weak' | 'strong';

/** What a token costs: what the strong model charges where the weak one charges 1. */
export const PRICES: Readonly<Record<GradedTarget, number>> = { weak: 1, strong: 20 };

const UPSTREAM: UpstreamSettings = {
  name: 'graded',
  api: 'openai',
  baseUrl: 'http://127.0.0.1',
  models: [
    { name: 'weak', contextLength: 1 << 20, maxTokens: 1 },
    { name: 'strong', contextLength: 1 << 20, maxTokens: 1 },
  ],
  continuesAnswers: false,
};
const TARGETS = UPSTREAM.models.map((model) => hostedTarget({ upstream: UPSTREAM, model }));
const ENDED: Generation = { cancel: () => undefined, progress: () => ({ phase: 'decode', position: null, etaMs: null }) };
const TIMINGS = { queueMs: 0, prefillMs: 0, decodeMs: 0, meanBatch: 1, draftedTokens: 0, acceptedTokens: 0, deviceMs: 0 };

/** The name under which the host knows it. */
export function targetName(target: GradedTarget): string {
  return nameOf(UPSTREAM, { name: target });
}

export function gradedTarget(name: string | null): GradedTarget | null {
  return (['weak', 'strong'] as const).find((target) => targetName(target) === name) ?? null;
}

/** As a price list has it. */
export function priceOf(name: string): UpstreamPrice | undefined {
  const target = gradedTarget(name);
  return target === null ? undefined : { name, promptUsdPerMillion: PRICES[target], completionUsdPerMillion: PRICES[target] };
}

export class GradedHost implements ModelHost {
  /** Whose answers are given next. */
  row: GradedRow | null = null;

  list(): readonly HostedModel[] {
    return TARGETS;
  }

  get(model: string): HostedModel | undefined {
    return TARGETS.find(({ manifest }) => manifest.id === model);
  }

  generate({ model }: GenerateRequest, onEvent: (event: GenerateEvent) => void): Generation {
    const target = gradedTarget(model);
    queueMicrotask(() => (this.row === null || target === null ? onEvent(unknown(model)) : answer(this.row[target], onEvent)));
    return ENDED;
  }

  async encode(): Promise<Encoding> {
    throw writesAlone();
  }

  async infer(): Promise<never> {
    throw writesAlone();
  }

  async tokenize(): Promise<readonly number[]> {
    throw writesAlone();
  }
}

function answer(grade: number, onEvent: (event: GenerateEvent) => void): void {
  const of = { id: 0, choice: 0 };
  onEvent({ kind: 'started', id: 0, promptTokens: 1, cachedTokens: 0, promptLogprobs: null });
  onEvent({ kind: 'text', ...of, text: String(grade), tokens: [0], logprobs: null });
  onEvent({ kind: 'finish', ...of, reason: 'stop', stopString: null });
  onEvent({ kind: 'done', id: 0, usage: { promptTokens: 1, cachedTokens: 0, completionTokens: 1 }, timings: TIMINGS });
}

function unknown(model: string): GenerateEvent {
  return { kind: 'error', id: 0, error: toWireError(new EngineError('model_not_found', `There is no grade for ${model}.`)) };
}

function writesAlone(): EngineError {
  return new EngineError('unsupported_parameter', 'A replayed model writes its grade, and does nothing else.');
}
