// One answer of one model as data: what came, how it ended, how fast. Pure: times come with the changes.

export type AnswerState = 'waiting' | 'streaming' | 'done' | 'stopped' | 'failed';

/** Why an answer failed, in the engine's own words where it said something. */
export interface Fault {
  readonly message: string;
  /** The engine's error code; null when it could not be reached. */
  readonly code: string | null;
  readonly status: number | null;
  /** When asking again makes sense; null: nothing is known. */
  readonly retryAfterSeconds: number | null;
}

export interface AnswerRoute {
  readonly reason: string;
  /** A weaker model than was due answered. */
  readonly degraded: boolean;
}

export interface Answer {
  /** What was asked for: a model, or a name that the engine routes. */
  readonly modelAsked: string;
  /** What answered; null until it is known. */
  readonly model: string | null;
  readonly text: string;
  readonly state: AnswerState;
  readonly fault: Fault | null;
  /** Why this model answered; absent where nothing was routed. */
  readonly route?: AnswerRoute;
  /** Finds the answer in the ledger. */
  readonly requestId: string | null;
  /** Milliseconds since 1970, as are the two below. */
  readonly askedAtMs: number;
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
  /** From the engine's count; null until the answer is whole. */
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly finishReason: string | null;
  /** From the ledger; null until it is known. */
  readonly costUsd: number | null;
}

/** A piece of an answer as the API streams it. */
export type AnswerPart =
  | { readonly kind: 'begun'; readonly requestId: string | null; readonly route?: AnswerRoute }
  | { readonly kind: 'text'; readonly text: string; readonly model: string | null }
  | { readonly kind: 'finish'; readonly reason: string }
  | { readonly kind: 'usage'; readonly promptTokens: number; readonly completionTokens: number };

export type AnswerChange =
  | { readonly kind: 'part'; readonly part: AnswerPart; readonly nowMs: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'fail'; readonly fault: Fault }
  | { readonly kind: 'cost'; readonly requestId: string; readonly costUsd: number };

export function newAnswer(modelAsked: string, askedAtMs: number): Answer {
  const unknown = { model: null, fault: null, requestId: null, firstAtMs: null, lastAtMs: null, finishReason: null, costUsd: null };
  return { modelAsked, askedAtMs, text: '', state: 'waiting', promptTokens: null, completionTokens: null, ...unknown };
}

export const isOpen = ({ state }: Answer): boolean => state === 'waiting' || state === 'streaming';

/** An answer that is over takes its cost and nothing else; one that was asked for anew takes no cost of the earlier request. */
export function changeAnswer(answer: Answer, change: AnswerChange): Answer {
  if (change.kind === 'cost') return change.requestId === answer.requestId ? { ...answer, costUsd: change.costUsd } : answer;
  if (!isOpen(answer)) return answer;
  switch (change.kind) {
    case 'part':
      return addPart(answer, change.part, change.nowMs);
    case 'end':
      return { ...answer, state: 'done' };
    case 'stop':
      return { ...answer, state: 'stopped' };
    case 'fail':
      return { ...answer, state: 'failed', fault: change.fault };
  }
}

function addPart(answer: Answer, part: AnswerPart, nowMs: number): Answer {
  switch (part.kind) {
    case 'begun':
      return { ...answer, requestId: part.requestId, ...(part.route === undefined ? {} : { route: part.route }) };
    case 'finish':
      return { ...answer, finishReason: part.reason };
    case 'usage':
      return { ...answer, promptTokens: part.promptTokens, completionTokens: part.completionTokens };
    case 'text':
      return {
        ...answer,
        state: 'streaming',
        text: answer.text + part.text,
        model: part.model ?? answer.model,
        firstAtMs: answer.firstAtMs ?? nowMs,
        lastAtMs: nowMs,
      };
  }
}

export interface Speed {
  readonly ttftMs: number;
  /** Of the tokens after the first; null until the answer is whole, or when it has one token. */
  readonly tokensPerSecond: number | null;
}

/** As this page saw it; null before the first token. */
export function speedOf({ askedAtMs, firstAtMs, lastAtMs, completionTokens }: Answer): Speed | null {
  if (firstAtMs === null || lastAtMs === null) return null;
  const measurable = completionTokens !== null && completionTokens > 1 && lastAtMs > firstAtMs;
  const tokensPerSecond = measurable ? (1000 * (completionTokens - 1)) / (lastAtMs - firstAtMs) : null;
  return { ttftMs: firstAtMs - askedAtMs, tokensPerSecond };
}
