// A runner process without a model: speaks runner/protocol.ts and makes one token every few milliseconds.
// What goes wrong is chosen by the model's folder: `load-fails`, `load-hangs`, `load-dies`, `goes-silent`, `refuses`.
import { basename } from 'node:path';
import type { EncodeInput, FromRunner, GenerateEvent, RunnerOptions, ToRunner } from '../../engine/runner/protocol.ts';

const TOKEN_MS = 5;
const running = new Map<number, { made: number; limit: number }>();
/** Device time that was not told yet. */
const unpaid = new Map<number, number>();
let busyMs = 0;
let behaviour = 'works';

function send(message: FromRunner): void {
  process.send?.(message);
}

function load(options: RunnerOptions): void {
  behaviour = basename(options.modelDir);
  if (behaviour === 'load-hangs') return;
  if (behaviour === 'load-dies') {
    console.error('cannot open shared object file');
    process.kill(process.pid, 'SIGKILL');
  }
  if (behaviour === 'load-fails') {
    return send({
      kind: 'loadFailed',
      error: { code: 'model_load_failed', message: 'The graph is of another version.', param: null, retryAfterSeconds: null },
    });
  }
  const info = {
    pid: process.pid,
    modelId: behaviour,
    variant: options.variant,
    precision: 'int8',
    device: 'cpu',
    contextLength: 256,
    maxSlots: 4,
    vocabSize: 256,
    loadMs: 1,
  } as const;
  send({ kind: 'ready', info });
}

function startedEvent(id: number): GenerateEvent {
  return { kind: 'started', id, promptTokens: 3, cachedTokens: 0, promptLogprobs: null };
}

/** A limit of 0 tokens stands for a prompt that is still being prefilled: no event comes. */
function generate(id: number, limit: number): void {
  if (behaviour === 'goes-silent') return;
  if (behaviour === 'refuses') {
    return send({
      kind: 'events',
      events: [{ kind: 'error', id, error: { code: 'queue_full', message: 'full', param: null, retryAfterSeconds: null } }],
    });
  }
  running.set(id, { made: 0, limit });
  send({ kind: 'admitted', id });
  if (limit > 0) send({ kind: 'events', events: [startedEvent(id)] });
}

function stepOne(id: number, sequence: { made: number; limit: number }): readonly GenerateEvent[] {
  if (sequence.limit === 0) return [];
  sequence.made++;
  busyMs++;
  unpaid.set(id, (unpaid.get(id) ?? 0) + 1);
  const text: GenerateEvent = { kind: 'text', id, choice: 0, text: `${sequence.made} `, tokens: [sequence.made], logprobs: null };
  if (sequence.made < sequence.limit) return [text];
  running.delete(id);
  const usage = { promptTokens: 3, cachedTokens: 0, completionTokens: sequence.made };
  const timings = { queueMs: 0, prefillMs: 0, decodeMs: 0, meanBatch: 1, draftedTokens: 0, acceptedTokens: 0, deviceMs: sequence.made };
  return [text, { kind: 'finish', id, choice: 0, reason: 'length', stopString: null }, { kind: 'done', id, usage, timings }];
}

/** One batch for each input, so that a list's rows come one by one; the text `die` ends the process after the rows before it. */
function encode(id: number, inputs: readonly EncodeInput[]): void {
  if (behaviour === 'goes-silent') return;
  inputs.forEach((input, at) => {
    const text = input.kind === 'tokens' ? '' : input.text;
    if (text.startsWith('die')) setTimeout(() => process.kill(process.pid, 'SIGKILL'), TOKEN_MS);
    else
      send({
        kind: 'encoded',
        batch: { rows: [{ id, input: at, tokens: text.length, deviceMs: 1 }], values: Float32Array.of(text.length, process.pid) },
      });
  });
}

function step(): void {
  const events = [...running].flatMap(([id, sequence]) => stepOne(id, sequence));
  const ended = new Set(events.flatMap((event) => (event.kind === 'done' ? [event.id] : [])));
  if (ended.size > 0) charge([...ended], []);
  if (events.length > 0) send({ kind: 'events', events });
}

/** Every token takes one millisecond. */
function charge(ids: readonly number[], settled: readonly number[]): void {
  const charges = ids.map((id) => ({ id, deviceMs: unpaid.get(id) ?? 0 }));
  for (const id of ids) unpaid.delete(id);
  send({ kind: 'charges', charges, settled });
}

function cancel(id: number): void {
  if (behaviour === 'goes-silent') return;
  running.delete(id);
  charge([id], [id]);
}

function drain(): void {
  if (running.size === 0) process.exit(0);
  setTimeout(drain, TOKEN_MS);
}

function tellStats(): void {
  const idle = {
    slots: 4,
    kvUsedTokens: 0,
    kvCommittedBytes: 0,
    steps: 0,
    prefillTokens: 0,
    decodeSteps: 0,
    decodeTokens: 0,
    preemptions: 0,
    eventLoopDelayP99Ms: 0,
    busyMs,
    meanBatch: null,
    slotUse: [],
  };
  send({ kind: 'stats', stats: { running: running.size, waiting: 0, ...idle } });
}

process.on('message', (message) => {
  const command = message as ToRunner;
  if (command.kind === 'load') load(command.options);
  else if (command.kind === 'generate') generate(command.id, command.params.maxTokens ?? 4);
  else if (command.kind === 'encode') encode(command.id, command.inputs);
  else if (command.kind === 'tokenize') send({ kind: 'tokens', id: command.id, tokens: [1, 2, 3] });
  else if (command.kind === 'cancel') cancel(command.id);
  else drain();
  if (behaviour !== 'goes-silent') tellStats();
});
process.on('disconnect', () => process.exit(0));
setInterval(step, TOKEN_MS);
