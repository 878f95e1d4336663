// Owns a worker thread that compiles grammars, so that a large one never delays a decode step. One at a time; whoever started it ends
// the thread when one takes too long.
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { toWireError } from '../../errors.ts';
import { Vocab } from '../../models/store/vocab.ts';
import type { GrammarSpec } from '../protocol.ts';
import type { ThreadReply } from '../tokenizer-thread.ts';
import type { Automaton } from './automaton.ts';
import { compileSpec } from './compile-spec.ts';
import { buildTrie, type TokenTrie } from './token-trie.ts';

export interface GrammarWorkerData {
  /** Absolute path of the vocabulary's file. */
  readonly vocabFile: string;
}

export type GrammarQuestion = { readonly kind: 'compile'; readonly spec: GrammarSpec } | { readonly kind: 'trie' };
export type GrammarAnswer =
  | { readonly kind: 'automaton'; readonly automaton: Automaton }
  | { readonly kind: 'trie'; readonly trie: TokenTrie };

function answer(question: GrammarQuestion): ThreadReply<GrammarAnswer> {
  try {
    if (question.kind === 'trie')
      return { kind: 'answer', answer: { kind: 'trie', trie: trieOf((workerData as GrammarWorkerData).vocabFile) } };
    return { kind: 'answer', answer: { kind: 'automaton', automaton: compileSpec(question.spec) } };
  } catch (error) {
    return { kind: 'refused', error: toWireError(error) };
  }
}

function trieOf(vocabFile: string): TokenTrie {
  const vocab = Vocab.parse(readFileSync(vocabFile));
  return buildTrie(Array.from({ length: vocab.size }, (_, token) => (vocab.isSpecial(token) ? new Uint8Array(0) : vocab.bytesOf(token))));
}

parentPort?.on('message', (question: GrammarQuestion) => parentPort?.postMessage(answer(question)));
parentPort?.postMessage({ kind: 'ready' } satisfies ThreadReply<GrammarAnswer>);
