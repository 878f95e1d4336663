// Owns the rows of one request while they come in from different places, and makes one answer of them.
import { bug } from '../../errors.ts';
import type { Encoding } from '../../fleet/host.ts';
import type { Row } from './values.ts';

export class GatheredRows {
  readonly #rows: (Row | undefined)[];
  #computedTokens = 0;

  constructor(count: number) {
    this.#rows = new Array<Row | undefined>(count).fill(undefined);
  }

  set(place: number, row: Row): void {
    this.#rows[place] = row;
  }

  /** These tokens were computed for this request itself. */
  addComputed(tokens: Int32Array): void {
    for (const count of tokens) this.#computedTokens += count;
  }

  /** Once every row is there. */
  encoding(): Encoding {
    const width = this.#rows[0]?.values.length ?? 0;
    const values = new Float32Array(this.#rows.length * width);
    const tokens = new Int32Array(this.#rows.length);
    let total = 0;
    this.#rows.forEach((row, place) => {
      if (row === undefined) return bug('A row is missing.');
      values.set(row.values, place * width);
      tokens[place] = row.tokens;
      total += row.tokens;
    });
    return { values, width, tokens, cachedTokens: total - this.#computedTokens };
  }
}

/** One row of an encoding; a view. */
export function rowOf({ values, width, tokens }: Encoding, at: number): Row {
  return { tokens: tokens[at] ?? bug('An encoding lacks a row.'), values: values.subarray(at * width, (at + 1) * width) };
}
