// Owns how a command gets an answer: from the server that runs on this data folder, or from a model it starts itself.
import { createParser } from 'eventsource-parser';
import type { EngineConfig } from '../config.ts';
import { EngineError, fromWireError } from '../errors.ts';
import { engineLockPath, lockOwner } from '../instance-lock.ts';
import { createLog } from '../log.ts';
import { createFleet } from '../main.ts';
import { PLAIN_SAMPLING, type GenerateParams } from '../runner/protocol.ts';

export interface Question {
  readonly model: string;
  readonly system: string | null;
  readonly prompt: string;
  readonly maxTokens: number | null;
  readonly temperature: number;
  readonly seed: number | null;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly text: string;
  readonly finishReason: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Where it was made: the server's address, or null for a model of this process's own. */
  readonly server: string | null;
}

/** Asks the running server of this data folder if there is one. `onText` gets the text as it comes. */
export async function ask(question: Question, config: EngineConfig, onText: (text: string) => void): Promise<Answer> {
  const server = lockOwner(engineLockPath(config.dataDir))?.address ?? null;
  return server === null ? askOwnModel(question, config, onText) : askServer(question, server, onText);
}

function messagesOf({ system, prompt }: Question): readonly { readonly role: string; readonly content: string }[] {
  return [...(system === null ? [] : [{ role: 'system', content: system }]), { role: 'user', content: prompt }];
}

interface ChatChunk {
  readonly choices?: readonly { readonly delta: { readonly content?: string | null }; readonly finish_reason: string | null }[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
  readonly error?: { readonly message: string };
}

async function askServer(question: Question, server: string, onText: (text: string) => void): Promise<Answer> {
  const { model, maxTokens, temperature, seed, signal } = question;
  const body = {
    model,
    messages: messagesOf(question),
    max_tokens: maxTokens,
    temperature,
    seed,
    stream: true,
    stream_options: { include_usage: true },
  };
  const response = await fetch(`${server}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal,
  });
  if (!response.ok || response.body === null) throw await refusalOf(response, model);
  const reader = new AnswerReader(server, onText);
  const parser = createParser({ onEvent: ({ data }) => data !== '[DONE]' && reader.take(JSON.parse(data) as ChatChunk) });
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) parser.feed(text);
  return reader.answer();
}

/** Builds the answer from the chunks of a stream. */
class AnswerReader {
  readonly #server: string;
  readonly #onText: (text: string) => void;
  #text = '';
  #finishReason: string | null = null;
  #usage: ChatChunk['usage'] = null;

  constructor(server: string, onText: (text: string) => void) {
    this.#server = server;
    this.#onText = onText;
  }

  /** @throws EngineError `runner_died` for an error frame, with the server's message */
  take(chunk: ChatChunk): void {
    if (chunk.error !== undefined) throw new EngineError('runner_died', chunk.error.message);
    const choice = chunk.choices?.[0];
    const text = choice?.delta.content ?? '';
    this.#text += text;
    if (text !== '') this.#onText(text);
    this.#finishReason = choice?.finish_reason ?? this.#finishReason;
    this.#usage = chunk.usage ?? this.#usage;
  }

  /** @throws EngineError `runner_died` when the stream ended before its answer did */
  answer(): Answer {
    if (this.#finishReason === null) throw new EngineError('runner_died', `${this.#server} ended the answer in the middle.`);
    const { prompt_tokens: promptTokens = 0, completion_tokens: completionTokens = 0 } = this.#usage ?? {};
    return { text: this.#text, finishReason: this.#finishReason, promptTokens, completionTokens, server: this.#server };
  }
}

async function refusalOf(response: Response, model: string): Promise<EngineError> {
  const body = (await response.json().catch(() => ({}))) as { readonly error?: { readonly message?: string } };
  const message = body.error?.message ?? `The server answered ${response.status} ${response.statusText}.`;
  return new EngineError(response.status === 404 ? 'model_not_found' : 'invalid_request', message, { param: model });
}

async function askOwnModel(question: Question, config: EngineConfig, onText: (text: string) => void): Promise<Answer> {
  const fleet = createFleet({ ...config, slots: config.slots ?? 1 }, createLog('error'));
  await fleet.open();
  const prompt = { kind: 'chat', messages: messagesOf(question), tools: null, templateOptions: {} } as const;
  try {
    return await new Promise<Answer>((resolve, reject) => {
      let text = '';
      let finishReason = 'stop';
      const generation = fleet.generate({ model: question.model, prompt, params: paramsOf(question) }, (event) => {
        if (event.kind === 'error') reject(fromWireError(event.error));
        if (event.kind === 'finish') finishReason = event.reason;
        if (event.kind === 'text') {
          text += event.text;
          onText(event.text);
        }
        if (event.kind === 'done')
          resolve({
            text,
            finishReason,
            promptTokens: event.usage.promptTokens,
            completionTokens: event.usage.completionTokens,
            server: null,
          });
      });
      question.signal.addEventListener('abort', () => {
        generation.cancel();
        reject(question.signal.reason);
      });
    });
  } finally {
    await fleet.close(0);
  }
}

const PLAIN_PARAMS = { stop: [], topLogprobs: null, promptLogprobs: false, n: 1, ignoreEos: false };

function paramsOf({ maxTokens, temperature, seed }: Question): GenerateParams {
  return { ...PLAIN_PARAMS, maxTokens, sampling: { ...PLAIN_SAMPLING, temperature, seed } };
}
