// Owns the running conversation: sends a question, follows its answer, stops it.
import { useEffect, useReducer, useRef } from 'react';
import { streamChat } from './chat-stream.ts';
import { converse, isOpen, toMessages, type Action, type Conversation } from './conversation.ts';

export interface Chat {
  readonly turns: Conversation;
  readonly busy: boolean;
  readonly ask: (model: string, question: string) => void;
  readonly stop: () => void;
  readonly clear: () => void;
}

export function useConversation(): Chat {
  const [turns, dispatch] = useReducer(converse, []);
  const current = useRef<AbortController | null>(null);
  useEffect(() => () => current.current?.abort(), []);
  return {
    turns,
    busy: isOpen(turns.at(-1)),
    ask: (model, question) => {
      const abort = new AbortController();
      current.current = abort;
      dispatch({ kind: 'ask', question, model, nowMs: performance.now() });
      void followAnswer({ model, turns, question, signal: abort.signal, dispatch });
    },
    stop: () => {
      current.current?.abort();
      dispatch({ kind: 'stop' });
    },
    clear: () => dispatch({ kind: 'clear' }),
  };
}

interface Following {
  readonly model: string;
  readonly turns: Conversation;
  readonly question: string;
  readonly signal: AbortSignal;
  readonly dispatch: (action: Action) => void;
}

async function followAnswer({ model, turns, question, signal, dispatch }: Following): Promise<void> {
  try {
    for await (const part of streamChat(model, toMessages(turns, question), signal)) {
      if (signal.aborted) return;
      dispatch({ kind: 'part', part, nowMs: performance.now() });
    }
    dispatch({ kind: 'end' });
  } catch (error) {
    if (!signal.aborted) dispatch({ kind: 'fail', message: error instanceof Error ? error.message : String(error) });
  }
}
