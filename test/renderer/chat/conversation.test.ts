import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeAnswer, newAnswer, speedOf, type AnswerChange } from '../../../renderer/src/chat/answer.ts';
import { addTurn, changeAt, isBusy, matches, pathBefore, pathOf, settle } from '../../../renderer/src/chat/conversation.ts';
import { showTurn, siblingsOf, titleOf } from '../../../renderer/src/chat/conversation.ts';
import { toMessages } from '../../../renderer/src/chat/messages.ts';
import { aConversation, anAnswer, aTurn } from './sample.ts';

const ids = (turns: readonly { readonly id: string }[]): string => turns.map(({ id }) => id).join('');
const a = aTurn('a');
const b = aTurn('b', { parentId: 'a' });
const edited = aTurn('c', { parentId: null });

describe('a conversation', () => {
  it('shows one path, and keeps the branches beside it', () => {
    const branched = aConversation([a, b, edited]);
    expect(ids(pathOf(branched))).toBe('c');
    expect(ids(siblingsOf(branched, edited))).toBe('ac');
    const back = showTurn(branched, a);
    expect(ids(pathOf(back))).toBe('ab');
    expect(ids(pathBefore(back, 'b'))).toBe('a');
    expect(ids(pathOf(addTurn(back, aTurn('d', { parentId: 'b' }), 2)))).toBe('abd');
  });

  it('loses no turn, whatever is asked, edited and switched', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('ask', 'edit', 'show'), fc.nat()), { maxLength: 40 });
    fc.assert(
      fc.property(steps, (actions) => {
        let conversation = aConversation();
        let made = 0;
        for (const [kind, pick] of actions) {
          const path = pathOf(conversation);
          const chosen = conversation.turns[pick % Math.max(1, conversation.turns.length)];
          if (kind === 'show' && chosen !== undefined) conversation = showTurn(conversation, chosen);
          if (kind === 'show') continue;
          const parentId = kind === 'ask' ? (path.at(-1)?.id ?? null) : (chosen?.parentId ?? null);
          conversation = addTurn(conversation, aTurn(String(made++), { parentId }), made);
        }
        const path = pathOf(conversation);
        expect(conversation.turns.length).toBe(made);
        path.forEach((turn, at) => expect(turn.parentId).toBe(path[at - 1]?.id ?? null));
        for (const turn of conversation.turns) expect(siblingsOf(conversation, turn)).toContain(turn);
      }),
    );
  });

  it('changes one answer and leaves every other turn the same object', () => {
    const asked = aConversation([a, aTurn('b', { parentId: 'a', answers: [newAnswer('alpha', 1), newAnswer('beta', 1)] })]);
    const part: AnswerChange = { kind: 'part', part: { kind: 'text', text: 'x', model: 'beta-7b' }, nowMs: 5 };
    const next = changeAt(asked, { turnId: 'b', column: 1 }, part);
    expect(next.turns[0]).toBe(asked.turns[0]);
    expect(next.turns[1]?.answers.map(({ text }) => text)).toEqual(['', 'x']);
    expect(changeAt(next, { turnId: 'gone', column: 0 }, part)).toBe(next);
    expect(isBusy(next)).toBe(true);
    expect(settle(next).turns[1]?.answers.map(({ state, text }) => [state, text])).toEqual([
      ['stopped', ''],
      ['stopped', 'x'],
    ]);
  });

  it('is found by its words, and named by its first question', () => {
    const conversation = aConversation([aTurn('a', { question: 'Why is\nthe sky   blue? '.repeat(9) })]);
    expect(titleOf(conversation)).toMatch(/^Why is the sky blue\? .*…$/);
    expect(titleOf({ ...conversation, name: 'Sky' })).toBe('Sky');
    expect(titleOf(aConversation())).toBe('New conversation');
    expect(matches(conversation, 'BLUE answer')).toBe(true);
    expect(matches(conversation, 'blue sea')).toBe(false);
  });
});

describe('an answer', () => {
  const play = (...changes: AnswerChange[]) => changes.reduce(changeAnswer, newAnswer('auto', 100));
  const text = (part: string, nowMs: number): AnswerChange => ({ kind: 'part', part: { kind: 'text', text: part, model: 'alpha' }, nowMs });

  it('gathers its text, its times and its counts', () => {
    const usage: AnswerChange = { kind: 'part', part: { kind: 'usage', promptTokens: 9, completionTokens: 3 }, nowMs: 260 };
    const answer = play(text('a', 150), text('b', 250), usage, { kind: 'end' });
    expect(answer).toMatchObject({ text: 'ab', state: 'done', completionTokens: 3, promptTokens: 9, model: 'alpha', modelAsked: 'auto' });
    expect(speedOf(answer)).toEqual({ ttftMs: 50, tokensPerSecond: 20 });
    expect(speedOf(play())).toBeNull();
  });

  it('takes nothing but its own cost once it is over', () => {
    const over = play({ kind: 'part', part: { kind: 'begun', requestId: 'r1' }, nowMs: 1 }, text('a', 150), { kind: 'stop' });
    expect(changeAnswer(over, text('b', 200))).toBe(over);
    expect(changeAnswer(over, { kind: 'cost', requestId: 'r2', costUsd: 1 })).toBe(over);
    expect(changeAnswer(over, { kind: 'cost', requestId: 'r1', costUsd: 1 }).costUsd).toBe(1);
  });

  it('keeps what came when it fails', () => {
    const fault = { message: 'gone', code: 'runner_died', status: null, retryAfterSeconds: null };
    expect(play(text('half', 150), { kind: 'fail', fault })).toMatchObject({ text: 'half', state: 'failed', fault });
  });
});

describe('toMessages', () => {
  const empty = aTurn('n', { parentId: 'b', answers: [anAnswer({ text: '', state: 'failed' })] });
  const half = aTurn('h', { parentId: 'n', answers: [anAnswer({ text: 'half', state: 'failed' }), anAnswer({ text: 'other' })] });
  const asked = aTurn('q', { attachments: [{ name: 'a.txt', text: 'code ```\n' }] });

  it('tells what the reader sees: the column’s own answers, and no turn without one', () => {
    const tell = (column: number) =>
      toMessages({ systemPrompt: ' ', before: [a, empty, half], asked, column }).map(({ content }) => content);
    expect(tell(0).slice(0, -1)).toEqual(['question a', 'answer a', 'question h', 'half']);
    expect(tell(1).slice(0, -1)).toEqual(['question a', 'answer a', 'question h', 'other']);
    expect(tell(0).at(-1)).toBe('a.txt:\n````\ncode ```\n````\n\nquestion q');
  });

  it('begins with the system prompt', () => {
    expect(toMessages({ systemPrompt: 'Be brief.', before: [], asked: a, column: 0 })).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'question a' },
    ]);
  });
});
