// Follows one answer from its question to its cost, and reports each change. Knows nothing about where answers are kept.
import type { AnswerChange, AnswerPart, Fault } from './answer.ts';
import { ChatError, type ChatQuestion } from './chat-stream.ts';

/** What answers come from, and what they cost; injected so that tests need no engine. */
export interface AnswerSource {
  stream(question: ChatQuestion, signal: AbortSignal): AsyncGenerator<AnswerPart>;
  cost(requestId: string, askedAtMs: number): Promise<number | null>;
}

export interface Following {
  readonly source: AnswerSource;
  readonly question: ChatQuestion;
  /** Aborted: the reader stopped the answer, and what came is kept. */
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly onChange: (change: AnswerChange) => void;
}

/** Resolves when nothing more will change. Never throws. */
export async function followAnswer(following: Following): Promise<void> {
  const { source, now, onChange } = following;
  const askedAtMs = now();
  const requestId = await followStream(following);
  if (requestId === null) return;
  const costUsd = await source.cost(requestId, askedAtMs);
  if (costUsd !== null) onChange({ kind: 'cost', requestId, costUsd });
}

/** The id under which the ledger keeps the request; null when the engine never took it. */
async function followStream({ source, question, signal, now, onChange }: Following): Promise<string | null> {
  let requestId: string | null = null;
  try {
    for await (const part of source.stream(question, signal)) {
      if (signal.aborted) break;
      if (part.kind === 'begun') ({ requestId } = part);
      onChange({ kind: 'part', part, nowMs: now() });
    }
    onChange(signal.aborted ? { kind: 'stop' } : { kind: 'end' });
  } catch (error) {
    onChange(signal.aborted ? { kind: 'stop' } : { kind: 'fail', fault: faultOf(error) });
  }
  return requestId;
}

function faultOf(error: unknown): Fault {
  if (error instanceof ChatError) return error.fault;
  const message = error instanceof Error ? error.message : String(error);
  return { message, code: null, status: null, retryAfterSeconds: null };
}
