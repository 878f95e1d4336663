// Owns what kinds of prompt are scored apart, which features each expert may use and how hard it is held back. Knows no weights.
import type { Feature, Surface } from './features.ts';

export type ExpertName = 'choice' | 'problem';

export interface ExpertSpec {
  /** Features of the linear part; 1 or -1 forbids weights of the other sign, 0 allows both. */
  readonly signs: Readonly<Partial<Record<Feature, 1 | 0 | -1>>>;
  /** Features of the kernel part. */
  readonly kernel: readonly Feature[];
  /** Kernel: exp(-gamma · squared distance) of standardised features. */
  readonly gamma: number;
  /** Ridge penalties of both parts. */
  readonly penalty: { readonly linear: number; readonly kernel: number };
  /** Shares of the parts, each in standard deviations of its own output. */
  readonly weights: Readonly<Record<Part, number>>;
}

/** `length` is a prior: longer prompts gain more from a stronger model, whatever one sample of subjects says. */
export type Part = 'linear' | 'kernel' | 'length' | 'embedding';

/**
 * NOTE: signs are fixed beforehand because they must hold for subjects that nobody has graded. Free weights learn what tells the
 * graded subjects apart, and were worth less on unseen ones than chance.
 */
export const EXPERTS: Readonly<Record<ExpertName, ExpertSpec>> = {
  choice: {
    // prettier-ignore
    signs: {
      length: 1, stem: 1, sentences: 1, optionLength: 1, combined: 1, labelled: 1, overlap: 1, echo: 1, optionChange: 1, optionVerdict: 1,
      optionReason: 1, oneWord: -1, change: 1, condition: 1, negation: 1, comparison: 1, verdict: 1, reason: 1, judgement: 1, person: 1,
      firstPerson: 1, sequence: 1, total: 1, multiple: 1, blank: 1, symbols: 1, code: 1, who: -1, names: -1, wordLength: -1,
      turns: 1, tools: 1, schema: 1,
    },
    // prettier-ignore
    kernel: [
      'length', 'stem', 'combined', 'labelled', 'optionChange', 'oneWord', 'change', 'firstPerson', 'condition', 'negation', 'optionLength',
      'numeric', 'names', 'quoted', 'wordLength', 'turns', 'tools', 'schema',
    ],
    gamma: 0.03,
    penalty: { linear: 1000, kernel: 3 },
    weights: { linear: 1, kernel: 1, length: 0.5, embedding: 1 },
  },
  problem: {
    // prettier-ignore
    signs: {
      length: 1, distinctWords: 1, commas: 1, names: 1, comparison: 1, change: 1, largestNumber: 1, multiple: 1, fractions: 1, variety: 0,
      decimals: 0, money: 0, wordLength: 0, conjunction: 1, condition: 1, turns: 1, tools: 1, schema: 1,
    },
    // prettier-ignore
    kernel: [
      'length', 'distinctWords', 'commas', 'names', 'comparison', 'change', 'largestNumber', 'multiple', 'fractions', 'variety', 'decimals',
      'money', 'wordLength', 'conjunction', 'condition', 'turns', 'tools', 'schema',
    ],
    gamma: 0.01,
    penalty: { linear: 3000, kernel: 30 },
    weights: { linear: 1, kernel: 1, length: 0.5, embedding: 0 },
  },
};

/** An open question with two numbers, or one and a "how many", is a word problem; all else is scored like a question with options. */
export function chooseExpert({ question, values }: Surface): ExpertName {
  const quantities = Math.expm1(values.numbers) + Math.expm1(values.numberWord) + Math.expm1(values.quantity);
  return question.options.length === 0 && quantities > 1.5 ? 'problem' : 'choice';
}
