// Owns a worker thread that renders chat templates and splits text into tokens, so that neither ever delays a decode step.
// One job at a time; whoever started it ends the thread when a job takes too long.
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { Tokenizer } from '@huggingface/tokenizers';
import { EngineError, toWireError } from '../errors.ts';
import { collectGarbageSoon } from '../heap.ts';
import { ChatTemplate } from './chat-template.ts';
import type { PromptInput } from './protocol.ts';
import type { ThreadReply } from './tokenizer-thread.ts';

export interface TokenizerWorkerData {
  /** Absolute path of tokenizer.json. */
  readonly file: string;
  readonly bosToken: number | null;
  readonly eosToken: number | null;
  readonly addBos: boolean;
  readonly chatTemplate: string | null;
}

type TokenizerReply = ThreadReply<Int32Array>;

class PromptTokenizer {
  readonly #options: TokenizerWorkerData;
  readonly #tokenizer: Tokenizer;
  #template: ChatTemplate | null = null;

  constructor(options: TokenizerWorkerData) {
    this.#options = options;
    this.#tokenizer = new Tokenizer(JSON.parse(readFileSync(options.file, 'utf8')) as object, {});
  }

  tokens(prompt: PromptInput): readonly number[] {
    switch (prompt.kind) {
      case 'tokens':
        return prompt.tokens;
      case 'text':
        return [...this.#bos(), ...this.#encode(prompt.text)];
      case 'chat':
        return this.#encode(this.#chatTemplate().render(prompt));
    }
  }

  // The template or the line above has put the special tokens in their places already.
  #encode(text: string): readonly number[] {
    return text === '' ? [] : this.#tokenizer.encode(text, { add_special_tokens: false }).ids;
  }

  #bos(): readonly number[] {
    const { addBos, bosToken } = this.#options;
    return addBos && bosToken !== null ? [bosToken] : [];
  }

  #chatTemplate(): ChatTemplate {
    const { chatTemplate, bosToken, eosToken } = this.#options;
    if (chatTemplate === null)
      throw new EngineError('template_failed', 'This model has no chat template. Use /v1/completions with its own prompt format.');
    this.#template ??= new ChatTemplate(chatTemplate, { bosToken: this.#piece(bosToken), eosToken: this.#piece(eosToken) });
    return this.#template;
  }

  #piece(token: number | null): string {
    return token === null ? '' : (this.#tokenizer.id_to_token(token) ?? '');
  }
}

function reply(message: TokenizerReply): void {
  parentPort?.postMessage(message, message.kind === 'answer' ? [message.answer.buffer as ArrayBuffer] : []);
}

function answer(tokenizer: PromptTokenizer, prompt: PromptInput): TokenizerReply {
  try {
    return { kind: 'answer', answer: Int32Array.from(tokenizer.tokens(prompt)) };
  } catch (error) {
    return { kind: 'refused', error: toWireError(error) };
  }
}

function serve(): void {
  try {
    const tokenizer = new PromptTokenizer(workerData as TokenizerWorkerData);
    parentPort?.on('message', (prompt: PromptInput) => reply(answer(tokenizer, prompt)));
    reply({ kind: 'ready' });
    collectGarbageSoon();
  } catch (error) {
    reply({ kind: 'loadFailed', error: toWireError(error) });
  }
}

if (parentPort !== null) serve();
