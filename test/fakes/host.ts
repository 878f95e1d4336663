// An honest stand-in for the fleet: bytes are tokens, every request in a slot gets one token a step, and failures are scripted.
// Steps come from a timer, or from the test itself.
import { toWireError, EngineError, type WireError } from '../../engine/errors.ts';
import type {
  EncodeRequest,
  Encoding,
  GenerateRequest,
  Generation,
  GenerationProgress,
  HostedModel,
  InferRequest,
  ModelHost,
  ModelState,
} from '../../engine/fleet/host.ts';
import type { EncoderHead, EncoderManifest } from '../../engine/models/manifest.ts';
import type { Tensor } from '../../engine/models/infer/tensors.ts';
import type { EncodeInput, GenerateEvent, PromptInput, RunnerStats, TokenLogprob } from '../../engine/runner/protocol.ts';
import { fakeEncoderConfig, fakeManifest } from './manifests.ts';

export interface FakeHostOptions {
  readonly models?: readonly string[];
  /** Encoders among the models, by name. */
  readonly encoders?: Readonly<Record<string, EncoderHead>>;
  /** What every request answers. Default: the prompt's last 24 bytes in capitals. */
  readonly answer?: (prompt: string, choice: number) => string;
  /** Milliseconds between steps; null: the test calls `step`. Default 0, a step for each turn of the event loop. */
  readonly stepMs?: number | null;
  readonly slots?: number;
  readonly maxWaiting?: number;
  /** An error for a request after so many of its steps; 0 fails before `started`. */
  readonly failure?: { readonly error: EngineError; readonly afterSteps: number } | null;
  readonly state?: ModelState;
  /** Device time of one step, shared evenly by the requests in it; of an encode request that of each token. Default 0. */
  readonly stepDeviceMs?: number;
}

interface Job {
  readonly id: number;
  readonly request: GenerateRequest;
  readonly onEvent: (event: GenerateEvent) => void;
  readonly prompt: Buffer;
  readonly answers: readonly Buffer[];
  step: number;
  /** Device time it has used and was not charged for. */
  owedMs: number;
}

export class FakeHost implements ModelHost {
  readonly #options: FakeHostOptions;
  readonly #running: Job[] = [];
  readonly #waiting: Job[] = [];
  #timer: NodeJS.Timeout | null = null;
  #nextId = 1;
  /** Every request, as it came in. */
  readonly requests: GenerateRequest[] = [];
  /** Every encode request, as it came in; `cancelled` counts theirs too. */
  readonly encodeRequests: EncodeRequest[] = [];
  /** Resolves before an encode request is answered. */
  encodeGate: Promise<void> = Promise.resolve();
  /** Encode requests with such an input are refused, naming the first of them. */
  refuses: (input: EncodeInput) => boolean = () => false;
  cancelled = 0;
  /** Device time that was used, charged or not. */
  busyMs = 0;
  failure: FakeHostOptions['failure'];

  constructor(options: FakeHostOptions = {}) {
    this.#options = options;
    this.failure = options.failure ?? null;
  }

  get openCount(): number {
    return this.#running.length + this.#waiting.length;
  }

  list(): readonly HostedModel[] {
    const encoders = Object.entries(this.#options.encoders ?? {}).map(([id, head]) => this.#hostedEncoder(id, head));
    return [...(this.#options.models ?? ['fake']).map((id) => this.#hosted(id)), ...encoders];
  }

  get(model: string): HostedModel | undefined {
    return this.list().find(({ manifest }) => manifest.id === model);
  }

  generate(request: GenerateRequest, onEvent: (event: GenerateEvent) => void): Generation {
    this.requests.push(request);
    const prompt = promptBytes(request.prompt);
    const answer = this.#options.answer ?? ((text) => text.slice(-24).toUpperCase());
    const answers = Array.from({ length: request.params.n }, (_, choice) => limited(answer(prompt.toString(), choice), request));
    const job: Job = { id: this.#nextId++, request, onEvent, prompt, answers, step: 0, owedMs: 0 };
    if (this.#waiting.length >= (this.#options.maxWaiting ?? 64)) {
      const full = new EngineError('queue_full', 'The queue is full.', { retryAfterSeconds: 2.4 });
      queueMicrotask(() => onEvent(errorEvent(job.id, toWireError(full))));
    } else {
      this.#waiting.push(job);
      this.#schedule();
    }
    return { cancel: () => this.#cancel(job), progress: () => this.#progress(job) };
  }

  /** Each row is made of its text alone: see `fakeRow`. */
  async encode(request: EncodeRequest, signal: AbortSignal): Promise<Encoding> {
    this.encodeRequests.push(request);
    const gone = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
    await Promise.race([this.encodeGate, gone]).catch((reason: unknown) => {
      this.cancelled++;
      setTimeout(() => request.onSettled?.());
      throw reason;
    });
    if (this.failure) throw this.failure.error;
    const refused = request.inputs.findIndex(this.refuses);
    if (refused >= 0)
      throw new EngineError('context_length_exceeded', `The text at index ${refused} is too long.`, { param: `input[${refused}]` });
    const head = this.#options.encoders?.[request.model];
    const width = head?.kind === 'classification' ? head.labels.length : FAKE_WIDTH;
    const values = new Float32Array(request.inputs.length * width);
    request.inputs.forEach((input, at) => values.set(fakeRow(input, width), at * width));
    const tokens = Int32Array.from(request.inputs, (input) => inputBytes(input).length);
    const deviceMs = tokens.reduce((sum, count) => sum + count, 0) * (this.#options.stepDeviceMs ?? 0);
    this.busyMs += deviceMs;
    if (deviceMs > 0) request.onCharge?.(deviceMs);
    return { values, width, tokens };
  }

  infer({ model }: InferRequest, signal: AbortSignal): Promise<readonly Tensor[]> {
    const refusal = new EngineError('invalid_request', `${model} takes no tensors.`);
    return Promise.reject(signal.aborted ? signal.reason : refusal);
  }

  async tokenize(_model: string, prompt: PromptInput): Promise<readonly number[]> {
    return [...promptBytes(prompt)];
  }

  /** One decode step: each running request gets one token for each of its choices. */
  step(): void {
    while (this.#running.length < (this.#options.slots ?? 8) && this.#waiting.length > 0) this.#running.push(...this.#waiting.splice(0, 1));
    const share = (this.#options.stepDeviceMs ?? 0) / Math.max(1, this.#running.length);
    for (const job of this.#running.slice()) {
      if (!this.#running.includes(job)) continue;
      this.#use(job, share);
      this.#advance(job);
    }
  }

  #schedule(): void {
    const { stepMs = 0 } = this.#options;
    if (stepMs === null || this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.step();
      if (this.openCount > 0) this.#schedule();
    }, stepMs);
  }

  #advance(job: Job): void {
    if (this.failure && job.step >= this.failure.afterSteps) {
      this.#remove(job);
      charge(job);
      job.onEvent(errorEvent(job.id, toWireError(this.failure.error)));
      return;
    }
    if (job.step === 0) job.onEvent(startedEvent(job));
    const at = job.step++;
    job.answers.forEach((answer, choice) => this.#token(job, answer, choice, at));
    if (job.answers.some((answer) => at + 1 < answer.length)) return;
    this.#remove(job);
    charge(job);
    job.onEvent(doneEvent(job));
  }

  #token(job: Job, answer: Buffer, choice: number, at: number): void {
    const byte = answer[at];
    const { topLogprobs, maxTokens } = job.request.params;
    if (byte !== undefined) {
      const logprobs = topLogprobs === null ? null : [logprobOf(byte, topLogprobs, choice)];
      job.onEvent({ kind: 'text', id: job.id, choice, text: String.fromCharCode(byte), tokens: [byte], logprobs });
    }
    if (at !== Math.max(0, answer.length - 1)) return;
    const reason = answer.length === maxTokens ? 'length' : 'stop';
    job.onEvent({ kind: 'finish', id: job.id, choice, reason, stopString: null });
  }

  #cancel(job: Job): void {
    if (!this.#remove(job)) return;
    this.cancelled++;
    // As with a real runner, which hears of it later than its caller.
    setTimeout(() => {
      charge(job);
      job.request.onSettled?.();
    });
  }

  /** Charged every few steps, as a real runner does. */
  #use(job: Job, deviceMs: number): void {
    this.busyMs += deviceMs;
    job.owedMs += deviceMs;
    if (job.step % 4 === 3) charge(job);
  }

  #progress(job: Job): GenerationProgress {
    const place = this.#waiting.indexOf(job);
    if (place >= 0) return { phase: 'queued', position: place + 1, etaMs: null };
    return { phase: job.step === 0 ? 'prefill' : 'decode', position: null, etaMs: null };
  }

  #remove(job: Job): boolean {
    const list = [this.#running, this.#waiting].find((jobs) => jobs.includes(job));
    list?.splice(list.indexOf(job), 1);
    return list !== undefined;
  }

  #hosted(id: string): HostedModel {
    const info = { pid: 4711, modelId: id, variant: 'int8', precision: 'int8' as const, device: 'cpu' as const };
    const ready = { ...info, contextLength: 2048, maxSlots: this.#options.slots ?? 8, vocabSize: 256, loadMs: 12 };
    const state: ModelState = this.#options.state ?? { kind: 'ready', info: ready, stats: this.#stats() };
    return { manifest: fakeManifest(id), variant: 'int8', state, pinned: false, memoryBytes: null, unloadInMs: null };
  }

  #hostedEncoder(id: string, head: EncoderHead): HostedModel {
    const info = { pid: 4712, modelId: id, variant: 'int8', precision: 'int8' as const, device: 'cpu' as const };
    const encoder = { width: FAKE_WIDTH, tokenBudget: 512 };
    const ready = { ...info, contextLength: 512, maxSlots: 32, vocabSize: 256, loadMs: 12, encoder };
    const figures = { meanBatchSize: 6.5, meanFill: 0.5, meanWaitMs: 3, tokenBudget: 512, textsPerSecond: 120 };
    const stats = { ...this.#stats(), running: 6, waiting: 2, slots: 32, encoder: figures };
    const { config: _, tokenizer, ...common } = fakeManifest(id);
    const manifest: EncoderManifest = {
      ...common,
      kind: 'encoder',
      config: fakeEncoderConfig(head, FAKE_WIDTH),
      tokenizer: { file: tokenizer.file },
    };
    return {
      manifest,
      variant: 'int8',
      state: this.#options.state ?? { kind: 'ready', info: ready, stats },
      pinned: false,
      memoryBytes: null,
      unloadInMs: null,
    };
  }

  #stats(): RunnerStats {
    const kvUsedTokens = this.#running.reduce((total, job) => total + job.prompt.length + job.step, 0);
    const counts = { running: this.#running.length, waiting: this.#waiting.length, slots: this.#options.slots ?? 8 };
    return {
      ...counts,
      kvUsedTokens,
      kvCommittedBytes: 0,
      steps: 0,
      prefillTokens: 0,
      decodeSteps: 0,
      decodeTokens: 0,
      preemptions: 0,
      eventLoopDelayP99Ms: 0,
      busyMs: 0,
      meanBatch: null,
      slotUse: [],
    };
  }
}

export const FAKE_WIDTH = 4;

/** Small whole numbers that follow from the bytes of the input: exact in every format. */
export function fakeRow(input: EncodeInput, width = FAKE_WIDTH): Float32Array {
  const bytes = inputBytes(input);
  return Float32Array.from({ length: width }, (_, at) => bytes.reduce((sum, byte) => (sum * 3 + byte + at) % 251, 1) - 125);
}

function inputBytes(input: EncodeInput): readonly number[] {
  if (input.kind === 'tokens') return input.tokens;
  return [...Buffer.from(input.kind === 'text' ? input.text : `${input.text}\n${input.other}`)];
}

function charge(job: Job): void {
  if (job.owedMs > 0) job.request.onCharge?.(job.owedMs);
  job.owedMs = 0;
}

const errorEvent = (id: number, error: WireError): GenerateEvent => ({ kind: 'error', id, error });

function promptBytes(prompt: PromptInput): Buffer {
  if (prompt.kind === 'tokens') return Buffer.from(prompt.tokens);
  return Buffer.from(prompt.kind === 'text' ? prompt.text : prompt.messages.map(({ role, content }) => `${role}: ${content}\n`).join(''));
}

function limited(answer: string, request: GenerateRequest): Buffer {
  return Buffer.from(answer, 'latin1').subarray(0, request.params.maxTokens ?? answer.length);
}

function startedEvent({ id, prompt, request }: Job): GenerateEvent {
  const { promptLogprobs, topLogprobs } = request.params;
  const entries = promptLogprobs ? [...prompt].map((byte, at) => (at === 0 ? null : logprobOf(byte, topLogprobs ?? 0, 0))) : null;
  const echo = promptLogprobs ? { promptText: prompt.toString('latin1') } : {};
  return { kind: 'started', id, promptTokens: prompt.length, cachedTokens: 0, promptLogprobs: entries, ...echo };
}

function doneEvent({ id, prompt, answers }: Job): GenerateEvent {
  const completionTokens = answers.reduce((total, answer) => total + answer.length, 0);
  const timings = { queueMs: 0, prefillMs: 0, decodeMs: 0, meanBatch: 1, draftedTokens: 0, acceptedTokens: 0, deviceMs: 0 };
  return { kind: 'done', id, usage: { promptTokens: prompt.length, cachedTokens: 0, completionTokens }, timings };
}

/** Later choices are likelier, so that `best_of` has something to choose. */
function logprobOf(byte: number, topCount: number, choice: number): TokenLogprob {
  const one = (token: number, logprob: number) => ({ token, text: String.fromCharCode(token), bytes: [token], logprob });
  const top = Array.from({ length: topCount }, (_, rank) => one((byte + rank) % 256, -1 / (choice + 1) - rank));
  return { ...one(byte, -1 / (choice + 1)), top };
}

export const fakeEmbedding = {
  kind: 'embedding',
  pooling: 'mean',
  normalize: true,
  dimensions: FAKE_WIDTH,
  matryoshka: [],
  prompts: {},
  defaultPrompt: null,
} as const satisfies EncoderHead;
