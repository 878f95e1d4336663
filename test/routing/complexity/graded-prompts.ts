// Makes graded prompts whose difficulty is known: long conditional questions that only the strong model answers, short ones that both do.
import { seededRandom } from '../../../engine/routing/complexity/random.ts';

export interface GradedLine {
  readonly benchmark: string;
  readonly subject: string;
  readonly prompt: string;
  readonly weak: boolean;
  readonly strong: boolean;
}

const NOUNS = ['river', 'bridge', 'lamp', 'engine', 'garden', 'letter', 'window', 'harbour', 'orchard', 'mirror'];
const HARD = 'If the second rises while the first falls, unless neither changes, by how much does the total increase?';

/** Half hard, half easy, over 16 subjects; a fifth of the grades is chance. */
export function gradedPrompts(count: number, seed: number): readonly GradedLine[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const isHard = random() < 0.5;
    const noun = NOUNS[Math.floor(random() * NOUNS.length)] ?? 'river';
    const prompt = isHard ? `Suppose that a ${noun} has two parts, ${index} and ${index + 7}. ${HARD}` : `Name the ${noun} of ${noun}s.`;
    const isChance = random() < 0.2;
    return { benchmark: 'made', subject: `subject ${index % 16}`, prompt, weak: isChance ? random() < 0.5 : !isHard, strong: true };
  });
}

export function toJsonLines(lines: readonly object[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
