// Owns how many values a label may take: each is a time series for ever, and a scraper pays for all of them.

/** What stands for every value past the limit. */
export const OTHER = 'other';

/** The first `limit` values that were asked for keep their names; later ones become `other`. */
export class LabelValues {
  readonly #limit: number;
  readonly #known = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  of(value: string): string {
    if (this.#known.has(value)) return value;
    if (this.#known.size >= this.#limit) return OTHER;
    this.#known.add(value);
    return value;
  }
}
