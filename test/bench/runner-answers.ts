// Asks a runner process directly, over its own protocol: what HTTP answers do not say (drafted tokens, token ids).
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { forkRunner } from '../../engine/fleet/runner-process.ts';
import type { ModelManifest } from '../../engine/models/manifest.ts';
import {
  PLAIN_SAMPLING,
  type FromRunner,
  type GenerateEvent,
  type GenerateParams,
  type RunnerOptions,
  type ToRunner,
} from '../../engine/runner/protocol.ts';

const RUNNER = fileURLToPath(new URL('../../engine/runner/main.ts', import.meta.url));

export interface RunnerAnswer {
  readonly tokens: readonly number[];
  readonly drafted: number;
  readonly accepted: number;
}

export interface AnswerRequest {
  readonly dataDir: string;
  readonly model: string;
  readonly threads: number;
  readonly speculation: boolean;
  readonly prompts: readonly string[];
  readonly maxTokens: number;
}

/** Greedy answers to the prompts, one after the other, from a runner of its own. @throws when the runner fails or ends */
export async function answerAll(request: AnswerRequest): Promise<readonly RunnerAnswer[]> {
  const inbox = new Inbox();
  const runner = forkRunner(RUNNER)({
    onMessage: (message) => inbox.push(message),
    onExit: (how) => inbox.fail(new Error(`The runner ended with ${how}.`)),
    onOutput: () => undefined,
  });
  try {
    runner.send({ kind: 'load', options: await runnerOptions(request) });
    await inbox.next((message) => (message.kind === 'ready' ? true : null));
    const answers = [];
    for (const [id, prompt] of request.prompts.entries()) {
      runner.send(generateMessage(id, prompt, request.maxTokens));
      answers.push(await collect(inbox, id));
    }
    return answers;
  } finally {
    runner.kill();
  }
}

async function runnerOptions(request: AnswerRequest): Promise<RunnerOptions> {
  const modelDir = join(request.dataDir, 'models', request.model);
  const manifest = JSON.parse(await readFile(join(modelDir, 'model.json'), 'utf8')) as ModelManifest;
  const { threads, speculation } = request;
  return {
    modelDir,
    variant: manifest.defaultVariant,
    threads,
    speculation,
    contextLength: 2048,
    slots: 1,
    kvBudgetBytes: 2 ** 30,
    maxWaiting: 8,
  };
}

function generateMessage(id: number, prompt: string, maxTokens: number): ToRunner {
  const params: GenerateParams = {
    sampling: PLAIN_SAMPLING,
    maxTokens,
    stop: [],
    topLogprobs: null,
    promptLogprobs: false,
    n: 1,
    ignoreEos: true,
  };
  return {
    kind: 'generate',
    id,
    prompt: { kind: 'chat', messages: [{ role: 'user', content: prompt }], tools: null, templateOptions: {} },
    params,
  };
}

async function collect(inbox: Inbox, id: number): Promise<RunnerAnswer> {
  const tokens: number[] = [];
  const onEvent = (event: GenerateEvent): RunnerAnswer | null => {
    if (event.kind === 'error') throw new Error(event.error.message);
    if (event.kind === 'text') tokens.push(...event.tokens);
    return event.kind === 'done' ? { tokens, drafted: event.timings.draftedTokens, accepted: event.timings.acceptedTokens } : null;
  };
  return inbox.next((message) => {
    const events = message.kind === 'events' ? message.events.filter((event) => event.id === id) : [];
    return events.map(onEvent).find((answer) => answer !== null) ?? null;
  });
}

/** Messages of the runner in their order, for one reader at a time. */
class Inbox {
  readonly #messages: FromRunner[] = [];
  #failure: Error | null = null;
  #wake: () => void = () => undefined;

  push(message: FromRunner): void {
    this.#messages.push(message);
    this.#wake();
  }

  fail(error: Error): void {
    this.#failure = error;
    this.#wake();
  }

  /** The first value that `pick` makes of a message; earlier messages are dropped. */
  async next<T>(pick: (message: FromRunner) => T | null): Promise<T> {
    for (;;) {
      const message = this.#messages.shift();
      if (message === undefined) {
        if (this.#failure !== null) throw this.#failure;
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      if (message.kind === 'loadFailed') throw new Error(message.error.message);
      const value = pick(message);
      if (value !== null) return value;
    }
  }
}
