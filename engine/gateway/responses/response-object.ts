// The response object as the API shows it, from the request's fields and from how far its answer is. Pure.
import { randomUUID } from 'node:crypto';
import type { EngineError } from '../../errors.ts';
import type { FinishReason, TokenLogprob, Usage } from '../../runner/protocol.ts';
import type { ResponseBody } from './request.ts';

export type ResponseStatus = 'queued' | 'in_progress' | 'completed' | 'incomplete' | 'failed' | 'cancelled';

export interface ResponseHead {
  readonly id: string;
  readonly messageId: string;
  readonly createdMs: number;
  readonly body: ResponseBody;
  readonly logprobs: boolean;
}

export interface ResponseState {
  readonly status: ResponseStatus;
  readonly output: readonly object[];
  readonly usage?: Usage;
  readonly error?: EngineError;
  readonly completedMs?: number;
}

const hexId = (prefix: string): string => `${prefix}_${randomUUID().replaceAll('-', '')}`;

export function newResponseHead(body: ResponseBody, logprobs: boolean, nowMs: number): ResponseHead {
  return { id: hexId('resp'), messageId: hexId('msg'), createdMs: nowMs, body, logprobs };
}

export function responseObject({ id, createdMs, body }: ResponseHead, state: ResponseState): object {
  return {
    id,
    object: 'response',
    created_at: Math.floor(createdMs / 1000),
    status: state.status,
    completed_at: state.completedMs === undefined ? null : Math.floor(state.completedMs / 1000),
    error: state.error === undefined ? null : responseError(state.error),
    incomplete_details: state.status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    model: body.model,
    output: state.output,
    usage: state.usage === undefined ? null : usageBody(state.usage),
    ...echoOf(body),
  };
}

/** What was asked for, or what holds where nothing was. */
function echoOf(body: ResponseBody): object {
  return {
    background: body.background ?? false,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    max_tool_calls: body.max_tool_calls ?? null,
    metadata: body.metadata ?? {},
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: body.previous_response_id ?? null,
    prompt_cache_key: body.prompt_cache_key ?? null,
    reasoning: { effort: null, summary: null },
    safety_identifier: body.safety_identifier ?? null,
    service_tier: 'default',
    store: body.store ?? true,
    temperature: body.temperature ?? 1,
    text: { format: body.text?.format ?? { type: 'text' }, verbosity: 'medium' },
    tool_choice: 'auto',
    tools: [],
    top_logprobs: body.top_logprobs ?? 0,
    top_p: body.top_p ?? 1,
    truncation: 'disabled',
    user: body.user ?? null,
  };
}

function usageBody({ promptTokens, cachedTokens, completionTokens }: Usage): object {
  return {
    input_tokens: promptTokens,
    input_tokens_details: { cached_tokens: cachedTokens },
    output_tokens: completionTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: promptTokens + completionTokens,
  };
}

function responseError({ code, message }: EngineError): object {
  const isLimit = code === 'queue_full' || code === 'rate_limit_exceeded';
  return { code: isLimit ? 'rate_limit_exceeded' : 'server_error', message };
}

export interface TextPart {
  readonly type: 'output_text';
  readonly text: string;
  readonly annotations: readonly never[];
  readonly logprobs: readonly object[];
}

export function textPart(text: string, logprobs: readonly object[]): TextPart {
  return { type: 'output_text', text, annotations: [], logprobs };
}

/** `reason` null: it is still being made. */
export function messageItem(id: string, content: readonly TextPart[], reason: FinishReason | null): object {
  const status = reason === null ? 'in_progress' : statusOf(reason);
  return { id, type: 'message', status, role: 'assistant', content };
}

export function statusOf(reason: FinishReason): 'completed' | 'incomplete' {
  return reason === 'length' ? 'incomplete' : 'completed';
}

export function logprobsBody(logprobs: readonly TokenLogprob[]): readonly object[] {
  const one = ({ text, logprob, bytes }: Pick<TokenLogprob, 'text' | 'logprob' | 'bytes'>): object => ({ token: text, logprob, bytes });
  return logprobs.map((entry) => ({ ...one(entry), top_logprobs: entry.top.map(one) }));
}
