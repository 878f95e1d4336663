import { expect, it } from 'vitest';
import { replayReports, type Replayed } from '../../../engine/routing/replay/report.ts';

function replayed(benchmark: string, target: Replayed['target'], weak: number, strong: number): Replayed {
  const facts = { text: 'x', turns: 0, tools: 0, schema: false };
  const row = { benchmark, subject: 's', facts, weak, strong };
  return { row, target, grade: row[target] };
}

it('tells of each benchmark what was saved and what was kept', () => {
  const four = [replayed('a', 'weak', 1, 1), replayed('a', 'weak', 0, 1), replayed('a', 'strong', 0, 1), replayed('a', 'strong', 1, 1)];
  const [a, b] = replayReports([...four, replayed('b', 'weak', 1, 0)]);
  // Half of the answers cost a twentieth.
  expect(a).toMatchObject({ benchmark: 'a', prompts: 4, weakAccuracy: 0.5, strongAccuracy: 1, accuracy: 0.75, strongShare: 0.5 });
  expect(a?.saved).toBeCloseTo(0.475, 12);
  expect(a?.kept?.share).toBe(0.75);
  // Three answers off by a quarter, one by three quarters: 1.96 · sqrt(3 / 16 + 9 / 16) / 4.
  expect(a?.kept?.plusMinus).toBeCloseTo((1.96 * Math.sqrt(0.75)) / 4, 12);
  expect(b).toMatchObject({ benchmark: 'b', kept: null, accuracy: 1, saved: 0.95 });
});

it('knows its own interval: all strong keeps everything, without doubt', () => {
  const [report] = replayReports([replayed('a', 'strong', 0, 1), replayed('a', 'strong', 0, 1)]);
  expect(report).toMatchObject({ kept: { share: 1, plusMinus: 0 }, saved: 0 });
});
