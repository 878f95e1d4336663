// Owns the compiled grammars of one model: compiles them in a thread with a time limit, and keeps those used last.
import { EngineError } from '../../errors.ts';
import type { TokenText } from '../detokenize.ts';
import type { GrammarSpec } from '../protocol.ts';
import { TokenizerPool, type TokenizerLimits } from '../tokenizer-pool.ts';
import { TokenizerThread, type ThreadSource } from '../tokenizer-thread.ts';
import type { GrammarAnswer, GrammarQuestion, GrammarWorkerData } from './grammar-worker.ts';
import { CompiledGrammar, type GrammarVocab } from './token-filter.ts';

export interface GrammarsOptions extends GrammarWorkerData {
  readonly vocab: TokenText & { readonly size: number };
  readonly eosTokens: readonly number[];
  readonly limits?: Partial<TokenizerLimits>;
}

/** What takes longer to compile is refused; what takes a while gets a thread for itself. */
const LIMITS: TokenizerLimits = { limitMs: 900, patienceMs: 50 };
const MAX_KEPT = 32;
/** Characters of what is to be compiled, as JSON. */
const MAX_CHARS = 256 * 1024;

export class Grammars {
  readonly #options: GrammarsOptions;
  /** By the text of the spec, the least recently used first. */
  readonly #kept = new Map<string, Promise<CompiledGrammar>>();
  #pool: TokenizerPool<GrammarQuestion, GrammarAnswer> | null = null;
  #vocab: Promise<GrammarVocab> | null = null;

  constructor(options: GrammarsOptions) {
    this.#options = options;
  }

  /** @throws EngineError `invalid_request`, `unsupported_parameter`, `grammar_too_complex`, naming the request's field */
  compile(spec: GrammarSpec): Promise<CompiledGrammar> {
    const key = JSON.stringify(spec);
    if (key.length > MAX_CHARS) return Promise.reject(tooLarge(spec, key.length));
    const known = this.#kept.get(key) ?? this.#compile(spec);
    this.#kept.delete(key);
    this.#kept.set(key, known);
    known.catch(() => this.#kept.delete(key));
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return known;
  }

  /** Nobody has asked for a while: gives back what was kept for the next request. */
  forget(): void {
    this.#kept.clear();
    this.#vocab = null;
    this.dispose();
  }

  dispose(): void {
    this.#pool?.dispose();
    this.#pool = null;
  }

  async #compile(spec: GrammarSpec): Promise<CompiledGrammar> {
    const pool = this.#threads();
    const [answer, vocab] = await Promise.all([pool.ask({ kind: 'compile', spec }), this.#vocabulary()]);
    if (answer.kind !== 'automaton') throw new EngineError('internal', 'The grammar thread answered another question. This is a bug.');
    return new CompiledGrammar(answer.automaton, vocab, spec.kind === 'tool_calls' ? marksOf(vocab, Object.values(spec.syntax)) : []);
  }

  #threads(): TokenizerPool<GrammarQuestion, GrammarAnswer> {
    this.#pool ??= new TokenizerPool({ source: this.#source, limits: { ...LIMITS, ...this.#options.limits }, tooSlow });
    return this.#pool;
  }

  get #source(): ThreadSource {
    const { vocabFile } = this.#options;
    return { file: new URL('./grammar-worker.ts', import.meta.url), workerData: { vocabFile } satisfies GrammarWorkerData };
  }

  #vocabulary(): Promise<GrammarVocab> {
    this.#vocab ??= this.#loadVocabulary();
    this.#vocab.catch(() => (this.#vocab = null));
    return this.#vocab;
  }

  async #loadVocabulary(): Promise<GrammarVocab> {
    const { vocab, eosTokens } = this.#options;
    // In a thread of its own, which ends with it: this takes longer than a grammar may.
    const thread = new TokenizerThread<GrammarQuestion, GrammarAnswer>(this.#source);
    await thread.ready;
    const answer = await thread.ask({ kind: 'trie' });
    thread.end(new EngineError('internal', 'The thread has done its work.'));
    if (answer.kind !== 'trie') throw new EngineError('internal', 'The grammar thread answered another question. This is a bug.');
    return {
      text: vocab,
      size: vocab.size,
      eosTokens: new Set(eosTokens),
      trie: answer.trie,
      longest: answer.trie.depths.reduce((most, depth) => Math.max(most, depth), 0),
    };
  }
}

function tooLarge({ field }: GrammarSpec, chars: number): EngineError {
  return new EngineError('grammar_too_complex', `The grammar has ${chars} characters; at most ${MAX_CHARS} are compiled.`, {
    param: field,
  });
}

function tooSlow(question: GrammarQuestion, limitMs: number): EngineError {
  const message = `Compiling the grammar took more than ${limitMs / 1000} s.`;
  return new EngineError('grammar_too_complex', message, question.kind === 'compile' ? { param: question.spec.field } : {});
}

/** Markers that a model writes around tool calls and that are no text otherwise. */
function marksOf({ text, size, eosTokens }: GrammarVocab, marks: readonly string[]): readonly number[] {
  const found: number[] = [];
  for (let token = 0; token < size; token++) {
    if (!text.isSpecial(token) || eosTokens.has(token)) continue;
    const mark = Buffer.from(text.bytesOf(token)).toString();
    if (mark.length > 1 && marks.some((known) => known.includes(mark))) found.push(token);
  }
  return found;
}
