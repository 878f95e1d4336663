// Owns reading fields of a JSON object that came from a file, each checked for its type.
// Knows no field's meaning; null and absent are the same.
import { readFileSync, statSync } from 'node:fs';
import { EngineError } from '../../errors.ts';
import { invalidFile } from './random-file.ts';

export class JsonFields {
  readonly #file: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  /** `file` is what messages name. */
  constructor(file: string, fields: Readonly<Record<string, unknown>>) {
    this.#file = file;
    this.#fields = fields;
  }

  get raw(): Readonly<Record<string, unknown>> {
    return this.#fields;
  }

  has(key: string): boolean {
    return this.value(key) !== null;
  }

  value(key: string): unknown {
    return Object.hasOwn(this.#fields, key) ? (this.#fields[key] ?? null) : null;
  }

  number(key: string): number | null {
    return this.#typed(key, 'a number', (value) => typeof value === 'number');
  }

  needed(key: string): number {
    return this.number(key) ?? this.#refuse(key, 'missing');
  }

  string(key: string): string | null {
    return this.#typed(key, 'a text', (value) => typeof value === 'string');
  }

  boolean(key: string): boolean | null {
    return this.#typed(key, 'true or false', (value) => typeof value === 'boolean');
  }

  array(key: string): readonly unknown[] | null {
    return this.#typed(key, 'a list', Array.isArray);
  }

  object(key: string): JsonFields | null {
    const value = this.#typed<Record<string, unknown>>(key, 'an object', isJsonObject);
    return value === null ? null : new JsonFields(this.#file, value);
  }

  #typed<T>(key: string, wanted: string, test: (value: unknown) => boolean): T | null {
    const value = this.value(key);
    if (value === null) return null;
    return test(value) ? (value as T) : this.#refuse(key, `not ${wanted}`);
  }

  #refuse(key: string, fault: string): never {
    throw new EngineError('model_file_invalid', `${this.#file} is not usable: its ${key} is ${fault}.`);
  }
}

export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object in this file; null when there is no file. Throws `model_file_invalid` beyond `maxBytes` or for anything but an object. */
export function readJsonFile(path: string, maxBytes: number): JsonFields | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return null;
  if (!stat.isFile() || stat.size > maxBytes) throw invalidFile(path, `it is no file of at most ${maxBytes} bytes`);
  return parseJsonObject(path, readFileSync(path, 'utf8'));
}

export function parseJsonObject(path: string, text: string): JsonFields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new EngineError('model_file_invalid', invalidFile(path, 'it is not valid JSON').message, { cause });
  }
  if (!isJsonObject(value)) throw invalidFile(path, 'it is not a JSON object');
  return new JsonFields(path.split(/[\\/]/).at(-1) ?? path, value);
}
