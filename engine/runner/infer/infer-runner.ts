// Owns one loaded ONNX model's work: takes messages, puts waiting requests together for each run, reports.
// A run takes what came while the one before it was computed; nobody waits for company. Knows nothing about processes.
import { EngineError, toWireError } from '../../errors.ts';
import { concatRows, splitRows, type Tensor } from '../../models/infer/tensors.ts';
import type { OnnxSession } from '../../models/infer/onnx-session.ts';
import type { FromRunner, RunnerStats, ToRunner } from '../protocol.ts';
import { planInferRun, rowsOf, type InferLimits } from './plan-run.ts';

/** While there is work. */
const STATS_INTERVAL_MS = 500;

export interface InferRunnerPort {
  send(message: FromRunner): void;
  /** All work is done after `drain`. */
  drained(): void;
}

export interface InferRunnerOptions {
  readonly session: Pick<OnnxSession, 'run' | 'dispose'>;
  readonly limits: InferLimits;
  /** Most requests under way. */
  readonly maxRequests: number;
  /** Monotonic, in ms. */
  readonly now?: () => number;
}

type Message = Exclude<ToRunner, { kind: 'load' }>;
type InferMessage = Extract<Message, { kind: 'infer' }>;
type Waiting = Pick<InferMessage, 'id' | 'inputs' | 'outputs'> & { readonly caller: string; readonly deadlineAtMs: number };

export class InferRunner {
  readonly #options: InferRunnerOptions;
  readonly #port: InferRunnerPort;
  readonly #now: () => number;
  #waiting: Waiting[] = [];
  #running: readonly Waiting[] = [];
  /** Cancelled requests of the run under way: they pay for it. */
  readonly #leaving = new Set<number>();
  #isWorking = false;
  #isDraining = false;
  #statsTimer: NodeJS.Timeout | null = null;
  #runs = 0;
  #busyMs = 0;
  #sinceReport = { runs: 0, requests: 0 };

  constructor(options: InferRunnerOptions, port: InferRunnerPort) {
    this.#options = options;
    this.#port = port;
    this.#now = options.now ?? (() => performance.now());
  }

  handle(message: Message): void {
    switch (message.kind) {
      case 'infer':
        return this.#add(message);
      case 'encode':
      case 'tokenize':
      case 'generate':
        return this.#refuse(message.id, new EngineError('invalid_request', 'This model takes tensors, no text.', { param: 'model' }));
      case 'cancel':
        return this.#cancel(message.id);
      case 'drain':
        this.#isDraining = true;
        return this.#settle();
    }
  }

  dispose(): void {
    if (this.#statsTimer !== null) clearInterval(this.#statsTimer);
    this.#options.session.dispose();
  }

  #add({ id, inputs, outputs, params }: InferMessage): void {
    if (this.#isDraining) return this.#refuse(id, new EngineError('draining', 'The model is being unloaded.'));
    if (this.#waiting.length + this.#running.length >= this.#options.maxRequests)
      return this.#refuse(id, new EngineError('queue_full', 'Too many requests are waiting for this model.'));
    this.#waiting.push({ id, inputs, outputs, caller: params.caller, deadlineAtMs: this.#now() + params.deadlineMs });
    this.#statsTimer ??= setInterval(() => this.#sendStats(), STATS_INTERVAL_MS);
    void this.#work();
  }

  #cancel(id: number): void {
    if (this.#running.some((one) => one.id === id)) return void this.#leaving.add(id);
    const before = this.#waiting.length;
    this.#waiting = this.#waiting.filter((one) => one.id !== id);
    if (this.#waiting.length < before) this.#port.send({ kind: 'charges', charges: [], settled: [id] });
  }

  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    for (;;) {
      const { expired, chosen } = planInferRun(this.#waiting, this.#now(), this.#options.limits);
      this.#waiting = this.#waiting.filter((one) => !expired.includes(one) && !chosen.includes(one));
      for (const { id } of expired)
        this.#refuse(id, new EngineError('deadline_exceeded', 'The request waited longer than its deadline, and was not computed.'));
      if (chosen.length === 0) break;
      await this.#run(chosen);
    }
    this.#isWorking = false;
    this.#settle();
  }

  async #run(chosen: readonly Waiting[]): Promise<void> {
    this.#running = chosen;
    const startedMs = this.#now();
    const answers = await this.#answers(chosen);
    const tookMs = this.#now() - startedMs;
    this.#running = [];
    this.#busyMs += tookMs;
    this.#runs++;
    this.#sinceReport = { runs: this.#sinceReport.runs + 1, requests: this.#sinceReport.requests + chosen.length };
    const rows = chosen.reduce((sum, one) => sum + rowsOf(one), 0);
    for (const [at, one] of chosen.entries()) this.#tell(one.id, answers[at], rows === 0 ? 0 : (tookMs * rowsOf(one)) / rows);
    const settled = [...this.#leaving];
    this.#leaving.clear();
    if (settled.length > 0) this.#port.send({ kind: 'charges', charges: [], settled });
  }

  /** A fault of one request must not be that of those beside it: each then runs alone. */
  async #answers(chosen: readonly Waiting[]): Promise<readonly (readonly Tensor[] | Error)[]> {
    if (chosen.length > 1) {
      const shared = await this.#together(chosen).catch(() => null);
      if (shared !== null) return shared;
    }
    const answers: (readonly Tensor[] | Error)[] = [];
    for (const { inputs, outputs } of chosen) answers.push(await this.#options.session.run(inputs, outputs).catch(asError));
    return answers;
  }

  /** Null when the outputs do not have the rows of the inputs. */
  async #together(chosen: readonly Waiting[]): Promise<readonly (readonly Tensor[])[] | null> {
    const [first] = chosen;
    if (first === undefined) return null;
    const counts = chosen.map(rowsOf);
    const rows = counts.reduce((sum, count) => sum + count, 0);
    const inputs = first.inputs.flatMap((_, at) => concatRows(chosen.flatMap((one) => one.inputs[at] ?? [])) ?? []);
    const outputs = await this.#options.session.run(inputs, first.outputs);
    if (outputs.some(({ shape }) => shape[0] !== rows)) return null;
    const parts = outputs.map((output) => splitRows(output, counts));
    return chosen.map((_, at) => parts.flatMap((part) => part[at] ?? []));
  }

  #tell(id: number, answer: readonly Tensor[] | Error | undefined, deviceMs: number): void {
    if (answer instanceof Error || answer === undefined) this.#refuse(id, answer);
    else this.#port.send({ kind: 'inferred', id, outputs: answer, deviceMs });
  }

  #refuse(id: number, error: unknown): void {
    this.#port.send({ kind: 'events', events: [{ kind: 'error', id, error: toWireError(error) }] });
  }

  /** Nothing to do for now. */
  #settle(): void {
    if (this.#isWorking || this.#waiting.length > 0) return;
    if (this.#statsTimer !== null) clearInterval(this.#statsTimer);
    this.#statsTimer = null;
    this.#sendStats();
    if (this.#isDraining) this.#port.drained();
  }

  #sendStats(): void {
    this.#port.send({ kind: 'stats', stats: this.#stats() });
    this.#sinceReport = { runs: 0, requests: 0 };
  }

  #stats(): RunnerStats {
    const { runs, requests } = this.#sinceReport;
    return {
      running: this.#running.length,
      waiting: this.#waiting.length,
      slots: this.#options.limits.maxRows,
      kvUsedTokens: 0,
      kvCommittedBytes: 0,
      steps: this.#runs,
      prefillTokens: 0,
      decodeSteps: 0,
      decodeTokens: 0,
      preemptions: 0,
      eventLoopDelayP99Ms: 0,
      busyMs: this.#busyMs,
      meanBatch: runs === 0 ? null : requests / runs,
      slotUse: [],
    };
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
