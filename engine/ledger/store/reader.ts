// Owns the one connection that reads: answers the questions of the screens and gives exports piece by piece. Runs in its own thread.
import { assertNever, EngineError } from '../../errors.ts';
import { readAlerts } from './alerts.ts';
import { readCosts } from './costs.ts';
import { type Database, openReadOnly } from './database.ts';
import { readExport } from './export.ts';
import { faultOf } from './fault.ts';
import type { ReadAnswer, ReadQuestion } from './messages.ts';
import { readRequest, readRequests } from './requests.ts';
import { readSeries } from './series.ts';
import { WordReader } from './words.ts';

interface OpenFile {
  readonly db: Database;
  readonly words: WordReader;
}

export class Reader {
  readonly #path: string;
  #open: OpenFile | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** What went wrong with the file is in the answer. @throws EngineError `invalid_request` when the question is at fault */
  answer(question: ReadQuestion): ReadAnswer {
    try {
      return { kind: 'done', value: question.kind === 'close' ? this.#close() : answerFrom(this.#file(), question) };
    } catch (error) {
      if (error instanceof EngineError) throw error;
      return { kind: 'fault', fault: faultOf(error, this.#path) };
    }
  }

  #file(): OpenFile {
    if (this.#open !== null) return this.#open;
    const db = openReadOnly(this.#path);
    this.#open = { db, words: new WordReader(db) };
    return this.#open;
  }

  #close(): void {
    this.#open?.db.close();
    this.#open = null;
  }
}

function answerFrom({ db, words }: OpenFile, question: Exclude<ReadQuestion, { readonly kind: 'close' }>): unknown {
  // One snapshot for all statements of an answer, so that its parts agree.
  return db.transaction(() => {
    switch (question.kind) {
      case 'series':
        return readSeries(db, words, question.query);
      case 'requests':
        return readRequests(db, words, question.query);
      case 'request':
        return readRequest(db, words, question.rowId);
      case 'costs':
        return readCosts(db, words, question.range, question.by);
      case 'alerts':
        return readAlerts(db, question.limit);
      case 'export':
        return readExport(db, words, question.query, question.after);
      default:
        return assertNever(question);
    }
  })();
}
