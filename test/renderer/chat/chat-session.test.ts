import { beforeEach, describe, expect, it } from 'vitest';
import type { AnswerPart } from '../../../renderer/src/chat/answer.ts';
import { ChatSession } from '../../../renderer/src/chat/chat-session.ts';
import { ChatError, type ChatQuestion } from '../../../renderer/src/chat/chat-stream.ts';
import { isBusy, pathOf, type Turn } from '../../../renderer/src/chat/conversation.ts';
import { MemoryStore } from './sample.ts';

/** A stream that the test feeds; it ends with null, fails with an error. */
class Answering {
  readonly question: ChatQuestion;
  readonly signal: AbortSignal;
  readonly #parts: (AnswerPart | Error | null)[] = [];
  #wake: () => void = () => undefined;

  constructor(question: ChatQuestion, signal: AbortSignal) {
    this.question = question;
    this.signal = signal;
    signal.addEventListener('abort', () => this.give(new Error('aborted')));
  }

  give(...parts: readonly (AnswerPart | Error | null)[]): void {
    this.#parts.push(...parts);
    this.#wake();
  }

  async *stream(): AsyncGenerator<AnswerPart> {
    for (;;) {
      const part = this.#parts.shift();
      if (part === null) return;
      if (part instanceof Error) throw part;
      if (part === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      else yield part;
    }
  }
}

const text = (words: string): AnswerPart => ({ kind: 'text', text: words, model: 'alpha' });
const begun = (requestId: string): AnswerPart => ({ kind: 'begun', requestId });
const ask = (question: string) => ({ question, attachments: [] });
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

let store: MemoryStore;
let asked: Answering[];
let session: ChatSession;
let costs: Map<string, number>;

function openSession(): ChatSession {
  let count = 0;
  const source = {
    stream: (question: ChatQuestion, signal: AbortSignal) => {
      const answering = new Answering(question, signal);
      asked.push(answering);
      return answering.stream();
    },
    cost: async (requestId: string) => costs.get(requestId) ?? null,
  };
  return new ChatSession({ store, source, now: () => 1_000 + count, newId: () => `id${count++}` });
}

beforeEach(() => {
  store = new MemoryStore();
  asked = [];
  costs = new Map();
  session = openSession();
});

const path = (): readonly Turn[] => pathOf(session.desk.current);
const answers = (): string[] => path().flatMap((turn) => turn.answers.map((answer) => `${answer.state}: ${answer.text}`));
const turn = (at: number): Turn => path()[at] ?? expect.fail(`no turn ${at}`);

describe('a chat session', () => {
  it('follows an answer to its cost, and keeps it', async () => {
    costs.set('r1', 0.002);
    session.ask(ask('hi'), ['alpha']);
    expect(isBusy(session.desk.current)).toBe(true);
    asked[0]?.give(begun('r1'), text('he'), text('llo'), null);
    await settled();
    expect(answers()).toEqual(['done: hello']);
    expect(turn(0).answers[0]?.costUsd).toBe(0.002);
    expect([...store.kept.values()].map(({ turns }) => turns[0]?.answers[0])).toMatchObject([{ text: 'hello', costUsd: 0.002 }]);
    expect(session.desk.read().heads).toMatchObject([{ title: 'hi' }]);
  });

  it('asks two models the same, each with its own past', async () => {
    session.ask(ask('one'), ['alpha', 'beta']);
    asked[0]?.give(text('A'), null);
    asked[1]?.give(text('B'), null);
    await settled();
    session.ask(ask('two'), ['alpha', 'beta']);
    const told = asked.slice(2).map(({ question }) => `${question.model} ${question.messages.map(({ content }) => content).join(' ')}`);
    expect(told).toEqual(['alpha one A two', 'beta one B two']);
  });

  it('stops on demand, and keeps what came', async () => {
    session.ask(ask('hi'), ['alpha', 'beta']);
    asked[0]?.give(text('half'));
    await settled();
    session.stop();
    expect(answers()).toEqual(['stopped: half', 'stopped: ']);
    expect(asked.every(({ signal }) => signal.aborted)).toBe(true);
  });

  it('asks again in place where nothing came, and on a branch otherwise', async () => {
    session.ask(ask('hi'), ['alpha', 'beta']);
    asked[0]?.give(new ChatError({ message: 'full', code: 'queue_full', status: 429, retryAfterSeconds: 2 }));
    asked[1]?.give(text('B'), null);
    await settled();
    expect(turn(0).answers[0]?.fault).toMatchObject({ code: 'queue_full', retryAfterSeconds: 2 });
    session.again({ turnId: turn(0).id, column: 0 });
    asked[2]?.give(text('A'), null);
    await settled();
    expect(session.desk.current.turns).toHaveLength(1);
    expect(answers()).toEqual(['done: A', 'done: B']);
    session.again({ turnId: turn(0).id, column: 1 });
    asked[3]?.give(text('B2'), null);
    await settled();
    expect(session.desk.current.turns).toHaveLength(2);
    expect(answers()).toEqual(['done: A', 'done: B2']);
  });

  it('does not let a stopped answer touch the one asked for in its place', async () => {
    session.ask(ask('hi'), ['alpha']);
    session.stop();
    session.again({ turnId: turn(0).id, column: 0 });
    await settled();
    expect(answers()).toEqual(['waiting: ']);
    asked[1]?.give(text('new'), null);
    await settled();
    expect(answers()).toEqual(['done: new']);
  });

  it('edits on a branch, told of what came before alone', async () => {
    session.ask(ask('one'), ['alpha']);
    asked[0]?.give(text('A'), null);
    await settled();
    session.ask(ask('two'), ['alpha']);
    asked[1]?.give(text('B'), null);
    await settled();
    session.edit(turn(1), ask('two, but better'), ['alpha']);
    expect(asked[2]?.question.messages.map(({ content }) => content)).toEqual(['one', 'A', 'two, but better']);
    expect(path().map(({ question }) => question)).toEqual(['one', 'two, but better']);
    expect(session.desk.current.turns).toHaveLength(3);
  });

  it('goes on answering in a conversation that was left', async () => {
    session.ask(ask('first'), ['alpha']);
    const { id } = session.desk.current;
    session.create();
    asked[0]?.give(text('done elsewhere'), null);
    await settled();
    expect(session.desk.current.turns).toEqual([]);
    expect(session.desk.isOpen(id)).toBe(false);
    await session.open(id);
    expect(answers()).toEqual(['done: done elsewhere']);
  });

  it('deletes and brings back, and a late answer revives nothing', async () => {
    session.ask(ask('hi'), ['alpha']);
    asked[0]?.give(text('he'));
    await settled();
    const { id } = session.desk.current;
    const undo = await session.remove(id);
    asked[0]?.give(text('llo'), null);
    await settled();
    expect([store.kept.size, session.desk.read().heads, session.desk.current.turns.length]).toEqual([0, [], 0]);
    await undo?.();
    expect(session.desk.current.id).toBe(id);
    expect(answers()).toEqual(['stopped: he']);
    expect(store.kept.has(id)).toBe(true);
    expect(await session.remove('unknown')).toBeNull();
  });

  it('renames what is open and what is not', async () => {
    session.ask(ask('hi'), ['alpha']);
    asked[0]?.give(null);
    await settled();
    const { id } = session.desk.current;
    await session.rename(id, ' Sky ');
    session.create();
    await settled();
    expect(session.desk.read().heads).toMatchObject([{ title: 'Sky' }]);
    await session.rename(id, '');
    expect(session.desk.read().heads).toMatchObject([{ title: 'hi' }]);
    expect(store.kept.get(id)?.name).toBeNull();
  });

  it('chats on when the browser keeps nothing, and says so', async () => {
    store.fault = new Error('QuotaExceededError');
    await session.desk.readHeads();
    session.ask(ask('hi'), ['alpha']);
    asked[0]?.give(text('yes'), null);
    await settled();
    expect(answers()).toEqual(['done: yes']);
    expect(session.desk.read().storeFault).toBe('QuotaExceededError');
    store.fault = null;
    session.configure({ systemPrompt: 'x' });
    await settled();
    expect(session.desk.read().storeFault).toBeNull();
    expect(store.kept.size).toBe(1);
  });
});
