// The fields that every object and chunk of one answer repeats: id, created, model, system_fingerprint, and the usage object.
// Knows nothing about choices.
import { createHash, randomUUID } from 'node:crypto';
import type { HostedModel } from '../../fleet/host.ts';
import type { Usage } from '../../runner/protocol.ts';

export interface AnswerHead {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
  readonly system_fingerprint: string;
}

/** The head of a new answer; `name` is the model as the client spelled it, `prefix` tells chat from completions in the id. */
export function newHead(prefix: 'chatcmpl' | 'cmpl', name: string, model: HostedModel, nowMs: number): AnswerHead {
  return { id: `${prefix}-${randomUUID()}`, created: Math.floor(nowMs / 1000), model: name, system_fingerprint: fingerprintOf(model) };
}

/** Changes when the files or the precision that answer change, as `seed` needs to know. */
function fingerprintOf(model: HostedModel): string {
  const { manifest, variant } = model;
  const parts = [manifest.id, manifest.createdAt, manifest.source.sha256, variant, manifest.variants[variant]?.graphVersion];
  return `fp_${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12)}`;
}

export interface UsageBody {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number; readonly audio_tokens: number };
  readonly completion_tokens_details: {
    readonly reasoning_tokens: number;
    readonly audio_tokens: number;
    readonly accepted_prediction_tokens: number;
    readonly rejected_prediction_tokens: number;
  };
}

export function usageBody(usage: Usage): UsageBody {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
  };
}
