// Owns how a prompt's answer options are told from its question. Knows nothing about scores.

export interface Question {
  /** What comes before the first option; the whole text where there are none. */
  readonly stem: string;
  /** In their order, without their letters; empty for an open question. */
  readonly options: readonly string[];
}

const OPTION = /\n[ \t]*\(?([A-J])[.):][ \t]+/g;
const ANSWER_CUE = /\b(?:Answer|A):$/;

/** Splits a multiple-choice question; options are lines lettered A, B, C … from A on, at least two. */
export function splitOptions(text: string): Question {
  const body = text.trimEnd().replace(ANSWER_CUE, '').trimEnd();
  const marks = consecutive([...body.matchAll(OPTION)]);
  const first = marks[0];
  if (first === undefined || marks.length < 2) return { stem: body, options: [] };
  const options = marks.map((mark, index) => body.slice(mark.end, marks[index + 1]?.start ?? body.length).trim());
  return { stem: body.slice(0, first.start), options };
}

interface Mark {
  readonly start: number;
  readonly end: number;
}

/** The last run that begins with A: examples given before the question have options too. */
function consecutive(marks: readonly RegExpMatchArray[]): readonly Mark[] {
  let run: Mark[] = [];
  for (const { index = 0, 0: whole, 1: letter = '' } of marks) {
    const place = letter.charCodeAt(0) - 65;
    if (place === 0) run = [];
    if (place === run.length) run.push({ start: index, end: index + whole.length });
  }
  return run;
}
