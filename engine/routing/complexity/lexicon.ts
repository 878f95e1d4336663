// Owns the words that hint at what a question asks of its reader. Lists of function and measure words, no topics:
// topics do not carry over to unseen subjects.

const CUES = {
  negation: 'not no never neither nor none without except cannot unless least false incorrect untrue',
  condition: 'if suppose assume assuming given provided whether unless when',
  comparison: 'than compared more less fewer greater larger smaller higher lower longer shorter',
  change:
    'increase increases increased increasing decrease decreases decreased decreasing rise rises rising fall falls falling greater less more higher lower larger smaller same unchanged zero up down faster slower positive negative',
  verdict: 'true false yes no correct incorrect right wrong valid invalid both neither all none only always never either',
  reason: 'because since why therefore hence thus explain reason so',
  judgement: 'best most likely primarily mainly main probably should would',
  person: 'he she his her him they man woman mother father friend friends brother sister patient client boy girl student',
  firstPerson: 'i me my mine we our us',
  sequence: 'first then next after before later finally until still left remaining remain remains rest',
  distribution: 'each every per apiece',
  multiple: 'times twice double triple doubled tripled thrice',
  conjunction: 'and but so because while',
  total: 'total altogether combined together sum average all',
  numberWord: 'one two three four five six seven eight nine ten eleven twelve twenty thirty hundred',
  time: 'hour hours minute minutes day days week weeks month months year years second seconds',
  money: 'dollar dollars cent cents cost costs price pay pays paid spend spends spent earn earns',
  calculation: 'calculate compute find solve determine evaluate derive prove value equation probability rate',
  logic: 'all some every any only implies therefore valid argument premise conclusion statement statements',
  who: 'who whom whose where',
} as const;

export type Cue = keyof typeof CUES;

export const CUE_NAMES = Object.keys(CUES) as readonly Cue[];

const BY_WORD: ReadonlyMap<string, readonly number[]> = index();

function index(): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  for (const [cue, words] of Object.values(CUES).entries())
    for (const word of words.split(' ')) found.set(word, [...(found.get(word) ?? []), cue]);
  return found;
}

/** Occurrences of each cue in lower-case words, in the order of `CUE_NAMES`. */
export function countCues(words: readonly string[]): Int32Array {
  const counts = new Int32Array(CUE_NAMES.length);
  for (const word of words) for (const cue of BY_WORD.get(word) ?? []) counts[cue] = (counts[cue] ?? 0) + 1;
  return counts;
}
