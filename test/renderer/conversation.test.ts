import { describe, expect, it } from 'vitest';
import { converse, speedOf, toMessages, type Action, type Conversation } from '../../renderer/src/conversation.ts';
import { formatBytes, formatDuration, formatParameters, formatRate, formatUptime } from '../../renderer/src/format.ts';

const play = (...actions: Action[]): Conversation => actions.reduce(converse, []);
const question: Action = { kind: 'ask', question: 'q', model: 'm', nowMs: 100 };
const text = (part: string, nowMs: number): Action => ({ kind: 'part', part: { kind: 'text', text: part }, nowMs });

describe('converse', () => {
  it('gathers an answer and its times', () => {
    const [turn] = play(
      question,
      text('a', 150),
      text('b', 250),
      { kind: 'part', part: { kind: 'usage', completionTokens: 3 }, nowMs: 260 },
      { kind: 'end' },
    );
    expect(turn).toMatchObject({ answer: 'ab', state: 'done', tokens: 3 });
    expect(turn && speedOf(turn)).toEqual({ ttftMs: 50, tokensPerSecond: 20 });
  });

  it('takes nothing into a turn that is over', () => {
    const stopped = play(question, text('a', 150), { kind: 'stop' });
    expect(converse(stopped, text('b', 200))).toBe(stopped);
    expect(converse([], { kind: 'end' })).toEqual([]);
  });

  it('tells the model whole turns alone', () => {
    const turns = play(question, text('a', 1), { kind: 'end' }, question, { kind: 'fail', message: 'x' }, question, text('c', 1), {
      kind: 'stop',
    });
    expect(toMessages(turns, 'new').map(({ content }) => content)).toEqual(['q', 'a', 'q', 'c', 'new']);
  });
});

describe('numbers', () => {
  it('are written with few figures and a unit', () => {
    expect([formatRate(0), formatRate(4.13), formatRate(412.6)]).toEqual(['0', '4.1', '413']);
    expect([formatBytes(135e6), formatBytes(1.24e9)]).toEqual(['135 MB', '1.2 GB']);
    expect([formatParameters(135e6), formatParameters(1.2e9), formatParameters(10)]).toEqual(['135M', '1.2B', '10']);
    expect([formatDuration(85.4), formatDuration(1240)]).toEqual(['85 ms', '1.2 s']);
    expect([formatUptime(1000), formatUptime(3_600_000), formatUptime(86_400_000 * 3)]).toEqual(['less than a minute', '60 min', '3 days']);
  });
});
