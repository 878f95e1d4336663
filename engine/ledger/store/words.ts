// Owns the words of the history file: names that occur again and again are kept once and referred to by a number.
// There is a bound, as some come from clients: past it new ones are written out, or called by one common name.
import type { Database } from './database.ts';

/** Stands for null. */
export const NO_WORD = 0;
const MAX_WORDS = 20_000;
/** Words that clients make up freely may use this part, so that the others always find room. */
const MAX_FREE_WORDS = 5_000;
const MAX_LENGTH = 300;
const OVERFLOW = '(other)';

/** The writing side: the only one that makes words. */
export class WordWriter {
  readonly #ids = new Map<string, number>();
  readonly #insert;

  constructor(db: Database) {
    for (const [word, id] of readWords(db)) this.#ids.set(word, id);
    this.#insert = db.prepare<[string]>('INSERT INTO words (word) VALUES (?)');
  }

  /** The number of a name that has few values, such as a model that is installed. */
  idOf(text: string | null): number {
    if (text === null) return NO_WORD;
    const word = text.slice(0, MAX_LENGTH);
    const isRoom = this.#ids.size < MAX_WORDS || word === OVERFLOW;
    return this.#ids.get(word) ?? (isRoom ? this.#add(word) : this.idOf(OVERFLOW));
  }

  /** The same for a text that may be anything: itself when too many are known already. */
  idOrText(text: string | null): number | string {
    if (text === null) return NO_WORD;
    const word = text.slice(0, MAX_LENGTH);
    return this.#ids.get(word) ?? (this.#ids.size < MAX_FREE_WORDS ? this.#add(word) : word);
  }

  /** After a transaction was undone, ids that it made are no longer there. */
  reload(db: Database): void {
    this.#ids.clear();
    for (const [word, id] of readWords(db)) this.#ids.set(word, id);
  }

  #add(word: string): number {
    const id = Number(this.#insert.run(word).lastInsertRowid);
    this.#ids.set(word, id);
    return id;
  }
}

/** The reading side: follows what the other one adds. */
export class WordReader {
  readonly #db: Database;
  readonly #words = new Map<number, string>();
  readonly #ids = new Map<string, number>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** The word of a number; a text is itself. */
  wordOf(cell: number | string): string | null {
    if (typeof cell === 'string') return cell;
    if (cell === NO_WORD) return null;
    if (!this.#words.has(cell)) this.#refresh();
    return this.#words.get(cell) ?? null;
  }

  /** Undefined when nothing was ever recorded under this word. */
  idOf(word: string): number | undefined {
    if (!this.#ids.has(word)) this.#refresh();
    return this.#ids.get(word);
  }

  /** Numbers of all words that contain a text; ASCII letters in any case, as SQLite's LIKE has it. */
  idsContaining(text: string): readonly number[] {
    this.#refresh();
    const wanted = text.toLowerCase();
    return [...this.#ids].filter(([word]) => word.toLowerCase().includes(wanted)).map(([, id]) => id);
  }

  #refresh(): void {
    for (const [word, id] of readWords(this.#db)) {
      this.#words.set(id, word);
      this.#ids.set(word, id);
    }
  }
}

function readWords(db: Database): readonly (readonly [word: string, id: number])[] {
  const rows = db.prepare<[], { id: number; word: string }>('SELECT id, word FROM words').all();
  return rows.map(({ word, id }) => [word, id] as const);
}
