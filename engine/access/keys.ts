// Owns the keys of a running engine or of one command: the copy of the file in memory, and every change to it.
// Follows the file, so that a key made or revoked by another process counts within a second.
import { unwatchFile, watchFile } from 'node:fs';
import type { KeyInfo, KeyWish, NewKey } from '../contract.ts';
import { EngineError } from '../errors.ts';
import { changeKeyFile, readKeyFile } from './key-file.ts';
import { infoOf, isUsable, makeKey, rotated, type KeyRecord, type KeyTable } from './key.ts';
import { checkWish } from './key-wish.ts';
import { newKeyId } from './secret.ts';

const FOLLOW_MS = 500;

export interface KeysOptions {
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Called with why the file cannot be read any more; the keys stay as they were. */
  readonly onFault: (fault: unknown) => void;
}

export class Keys {
  readonly #options: KeysOptions;
  #table: KeyTable;
  readonly #onChange = (): void => {
    try {
      this.#table = readKeyFile(this.#options.path);
    } catch (fault) {
      this.#options.onFault(fault);
    }
  };

  /** @throws EngineError `access_unavailable` for a damaged file */
  constructor(options: KeysOptions) {
    this.#options = options;
    this.#table = readKeyFile(options.path);
  }

  /** By polling, which works on every file system. */
  follow(): void {
    watchFile(this.#options.path, { interval: FOLLOW_MS, persistent: false }, this.#onChange);
  }

  close(): void {
    unwatchFile(this.#options.path, this.#onChange);
  }

  get table(): KeyTable {
    return this.#table;
  }

  /** Whether anybody could enter by a key. */
  get hasUsable(): boolean {
    return this.#table.values().some((key) => isUsable(key, this.#options.now()));
  }

  /** Newest first. */
  list(): readonly KeyInfo[] {
    const nowMs = this.#options.now();
    return [...this.#table.values()].map((key) => infoOf(key, nowMs)).toSorted((a, b) => b.createdMs - a.createdMs);
  }

  /** @throws EngineError `invalid_request` naming the field, `access_unavailable` */
  create(wish: KeyWish): Promise<NewKey> {
    const nowMs = this.#options.now();
    const { record, secret } = makeKey(newKeyId(), checkWish(wish, nowMs), nowMs);
    return this.#put(() => ({ record, result: { key: infoOf(record, nowMs), secret } }), record.id);
  }

  /** A new secret for a key; the old one works for `graceMs` more. @throws EngineError `key_not_found`, `access_unavailable` */
  rotate(id: string, graceMs: number): Promise<NewKey> {
    const nowMs = this.#options.now();
    return this.#put((key) => {
      const { record, secret } = rotated(usable(key, id, nowMs), graceMs, nowMs);
      return { record, result: { key: infoOf(record, nowMs), secret } };
    }, id);
  }

  /** It is refused from now on. @throws EngineError `key_not_found`, `access_unavailable` */
  revoke(id: string): Promise<KeyInfo> {
    const nowMs = this.#options.now();
    return this.#put((key) => {
      const record = { ...found(key, id), revokedMs: key?.revokedMs ?? nowMs, previous: null };
      return { record, result: infoOf(record, nowMs) };
    }, id);
  }

  async #put<T>(change: (key: KeyRecord | undefined) => { readonly record: KeyRecord; readonly result: T }, id: string): Promise<T> {
    const { keys, result } = await changeKeyFile(this.#options.path, (before) => {
      const { record, result: answer } = change(before.get(id));
      const after = new Map(before).set(id, record);
      return { keys: after, result: { keys: after, result: answer } };
    });
    this.#table = keys;
    return result;
  }
}

function found(key: KeyRecord | undefined, id: string): KeyRecord {
  if (key === undefined) throw new EngineError('key_not_found', `There is no API key ${id}; \`millrace key list\` shows those there are.`);
  return key;
}

function usable(key: KeyRecord | undefined, id: string, nowMs: number): KeyRecord {
  const known = found(key, id);
  if (!isUsable(known, nowMs))
    throw new EngineError('key_not_found', `The API key ${id} is revoked or expired and cannot be rotated; make a new one.`);
  return known;
}
