// The runner as a process of its own, with a tiny model: load, answer, cancel, drain, refuse, and end when its parent has gone.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { installModel } from '../../engine/models/convert/install.ts';
import { openModel } from '../../engine/models/readers/open-model.ts';
import { ModelStore } from '../../engine/models/store/model-store.ts';
import type { FromRunner, GenerateEvent, RunnerOptions, RunnerStats, ToRunner } from '../../engine/runner/protocol.ts';
import { generateParams } from './scheduling.ts';

const ENTRY = join(import.meta.dirname, '../../engine/runner/main.ts');
const FIXTURE = join(import.meta.dirname, '../fixtures/families/llama');

const dataDir = mkdtempSync(join(tmpdir(), 'millrace-main-'));
const children: ChildProcess[] = [];
let modelDir = '';

beforeAll(async () => {
  const source = openModel(FIXTURE);
  const store = new ModelStore(dataDir);
  await installModel({ source, store, id: 'tiny', precisions: ['fp32'], origin: { kind: 'folder', reference: 'llama', sha256: null } });
  source.tensors.dispose();
  modelDir = store.path('tiny');
});
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));
afterAll(() => rmSync(dataDir, { recursive: true }));

class TestRunner {
  readonly child = fork(ENTRY, [], { serialization: 'advanced', execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  readonly messages: FromRunner[] = [];

  constructor() {
    children.push(this.child);
    this.child.on('message', (message) => void this.messages.push(message as FromRunner));
  }

  send(message: ToRunner): void {
    this.child.send(message);
  }

  load(changes: Partial<RunnerOptions> = {}): void {
    const options = {
      modelDir,
      variant: 'fp32',
      threads: 1,
      contextLength: null,
      slots: 4,
      kvBudgetBytes: 1e8,
      maxWaiting: 2,
      speculation: false,
    };
    this.send({ kind: 'load', options: { ...options, ...changes } });
  }

  generate(id: number, text: string, maxTokens: number): void {
    this.send({ kind: 'generate', id, prompt: { kind: 'text', text }, params: generateParams({ maxTokens }) });
  }

  get events(): readonly GenerateEvent[] {
    return this.messages.flatMap((message) => (message.kind === 'events' ? message.events : []));
  }

  get stats(): readonly RunnerStats[] {
    return this.messages.flatMap((message) => (message.kind === 'stats' ? [message.stats] : []));
  }

  get settled(): readonly number[] {
    return this.messages.flatMap((message) => (message.kind === 'charges' ? message.settled : []));
  }

  chargedTo(id: number): number {
    const charges = this.messages.flatMap((message) => (message.kind === 'charges' ? message.charges : []));
    return charges.filter((charge) => charge.id === id).reduce((sum, { deviceMs }) => sum + deviceMs, 0);
  }

  /** Waits until a message makes the question answerable. */
  async until<T>(answer: () => T | undefined): Promise<T> {
    for (;;) {
      const found = answer();
      if (found !== undefined) return found;
      await once(this.child, 'message');
    }
  }

  ready(): Promise<FromRunner> {
    return this.until(() => this.messages.find((message) => message.kind === 'ready' || message.kind === 'loadFailed'));
  }

  ended(id: number): Promise<GenerateEvent> {
    return this.until(() => this.events.find((event) => event.id === id && (event.kind === 'done' || event.kind === 'error')));
  }
}

describe('the runner process', () => {
  it('says what it has loaded, answers, and ends when it is drained', async () => {
    const runner = new TestRunner();
    runner.load();
    expect(await runner.ready()).toMatchObject({
      kind: 'ready',
      info: { modelId: 'tiny', precision: 'fp32', maxSlots: 4, pid: runner.child.pid },
    });
    runner.generate(1, 'a b', 6);
    runner.send({ kind: 'drain' });
    runner.generate(2, 'too late', 6);
    expect(await runner.ended(2)).toMatchObject({ kind: 'error', error: { code: 'draining' } });
    expect(await runner.ended(1)).toMatchObject({ kind: 'done', usage: { completionTokens: 6 } });
    expect(await once(runner.child, 'exit')).toEqual([0, null]);
  });

  it('takes requests that are sent while it loads', async () => {
    const runner = new TestRunner();
    runner.load();
    runner.generate(1, 'early', 3);
    expect(await runner.ended(1)).toMatchObject({ kind: 'done' });
  });

  it('counts tokens without answering', async () => {
    const runner = new TestRunner();
    runner.load();
    runner.send({ kind: 'tokenize', id: 7, prompt: { kind: 'tokens', tokens: [5, 6] } });
    expect(await runner.until(() => runner.messages.find((message) => message.kind === 'tokens'))).toEqual({
      kind: 'tokens',
      id: 7,
      tokens: [5, 6],
    });
  });

  it('refuses what it cannot do, by code', async () => {
    const runner = new TestRunner();
    runner.load({ contextLength: 16 });
    runner.send({
      kind: 'generate',
      id: 1,
      prompt: { kind: 'tokens', tokens: Array.from({ length: 30 }, () => 5) },
      params: generateParams(),
    });
    expect(await runner.ended(1)).toMatchObject({
      error: { code: 'context_length_exceeded', param: 'prompt', message: /16 tokens.*has 30/ },
    });
    runner.send({ kind: 'generate', id: 2, prompt: { kind: 'tokens', tokens: [1_000_000] }, params: generateParams() });
    expect(await runner.ended(2)).toMatchObject({ kind: 'error', error: { code: 'invalid_request', param: 'prompt' } });
  });

  it('refuses more requests than may wait', async () => {
    const runner = new TestRunner();
    runner.load({ slots: 1, maxWaiting: 2 });
    await runner.ready();
    for (let id = 1; id <= 4; id++) runner.generate(id, 'a', 30);
    expect(await runner.ended(4)).toMatchObject({ kind: 'error', error: { code: 'queue_full' } });
    expect(await runner.ended(3)).toMatchObject({ kind: 'done' });
  });

  it('frees the slot of a cancelled request and says nothing more of it', async () => {
    const runner = new TestRunner();
    runner.load({ slots: 1 });
    runner.generate(1, 'a', 100_000);
    await runner.until(() => runner.events.find((event) => event.id === 1));
    runner.send({ kind: 'cancel', id: 1 });
    runner.generate(2, 'b', 3);
    expect(await runner.ended(2)).toMatchObject({ kind: 'done' });
    const second = runner.events.findIndex((event) => event.id === 2);
    expect(runner.events.slice(second).some((event) => event.id === 1)).toBe(false);
  });

  it('charges what it worked, before the end of each request, and settles those that leave', async () => {
    const runner = new TestRunner();
    runner.load({ slots: 1 });
    runner.generate(1, 'a b', 40);
    runner.generate(2, 'c', 100_000);
    runner.generate(3, 'd', 5);
    const end = await runner.ended(1);
    await runner.until(() => runner.events.find((event) => event.id === 2));
    for (const id of [3, 2]) runner.send({ kind: 'cancel', id });
    await runner.until(() => (runner.settled.length === 2 ? true : undefined));
    expect(runner.settled).toEqual(expect.arrayContaining([2, 3]));
    expect(runner.chargedTo(3)).toBe(0);
    expect(runner.chargedTo(1)).toBeGreaterThan(0);
    expect(end.kind === 'done' && end.timings.deviceMs).toBe(runner.chargedTo(1));
    const place = (wanted: (message: FromRunner) => boolean): number => runner.messages.findIndex(wanted);
    const charged = place((message) => message.kind === 'charges' && message.charges.some(({ id }) => id === 1));
    const ended = place((message) => message.kind === 'events' && message.events.includes(end));
    expect(charged).toBeLessThan(ended);
    const idle = await runner.until(() => runner.stats.find(({ running, waiting }) => running + waiting === 0));
    expect(runner.chargedTo(1) + runner.chargedTo(2)).toBe(idle.busyMs);
    expect(runner.messages.flatMap((message) => (message.kind === 'admitted' ? [message.id] : []))).toEqual([1, 2]);
  });

  it('reports work when it is done, slot by slot', async () => {
    const runner = new TestRunner();
    runner.load();
    runner.send({ kind: 'generate', id: 1, prompt: { kind: 'tokens', tokens: [5, 6, 7] }, params: generateParams({ maxTokens: 5 }) });
    await runner.ended(1);
    const last = (await runner.until(() => runner.messages.find((message) => message.kind === 'stats'))) as Extract<
      FromRunner,
      { kind: 'stats' }
    >;
    expect(last.stats).toMatchObject({ running: 0, waiting: 0, slots: 4, prefillTokens: 3, decodeSteps: 4, decodeTokens: 4, meanBatch: 1 });
    const free = { phase: 'free', usedTokens: 0 };
    expect(last.stats.slotUse).toEqual([{ phase: 'free', usedTokens: 7 }, free, free, free]);
    expect(last.stats.kvCommittedBytes).toBeGreaterThan(0);
  });

  it('says why a model cannot be loaded', async () => {
    const missing = new TestRunner();
    missing.load({ modelDir: join(dataDir, 'models', 'nothing') });
    expect(await missing.ready()).toMatchObject({ kind: 'loadFailed', error: { code: 'model_load_failed' } });
    const variant = new TestRunner();
    variant.load({ variant: 'int3' });
    expect(await variant.ready()).toMatchObject({ kind: 'loadFailed', error: { code: 'model_not_found' } });
    const memory = new TestRunner();
    memory.load({ kvBudgetBytes: 1000 });
    expect(await memory.ready()).toMatchObject({ kind: 'loadFailed', error: { code: 'insufficient_memory' } });
  });

  it('says that a graph is damaged', async () => {
    const store = new ModelStore(dataDir);
    const source = openModel(FIXTURE);
    const origin = { kind: 'folder', reference: 'llama', sha256: null } as const;
    const manifest = await installModel({ source, store, id: 'broken', precisions: ['fp32'], origin });
    source.tensors.dispose();
    writeFileSync(join(store.path('broken'), manifest.variants['fp32']?.graphFile ?? ''), 'not a graph');
    const runner = new TestRunner();
    runner.load({ modelDir: store.path('broken') });
    const outcome = await runner.ready();
    expect(outcome).toMatchObject({ kind: 'loadFailed', error: { code: 'model_file_invalid' } });
    expect(JSON.stringify(outcome)).toContain('graph.onnx is not usable');
  });

  it('ends when its parent has gone', async () => {
    const runner = new TestRunner();
    runner.load();
    await runner.ready();
    runner.generate(1, 'a', 100_000);
    runner.child.disconnect();
    expect(await once(runner.child, 'exit')).toEqual([null, 'SIGKILL']);
  });
});
