// Owns what is kept of a key, and decides what a presented one is worth. Pure; knows nothing about files or HTTP.
import type { KeyInfo, KeyWish } from '../contract.ts';
import { hashSecret, keyIdOf, matchesHash, newSecret } from './secret.ts';

export interface KeyRecord extends KeyWish {
  readonly id: string;
  /** SHA-256 of the whole key, base64url. */
  readonly hash: string;
  readonly createdMs: number;
  readonly revokedMs: number | null;
  /** The key before the last rotation, as long as it still works. */
  readonly previous: { readonly hash: string; readonly untilMs: number } | null;
}

export type KeyVerdict = { readonly kind: 'valid'; readonly key: KeyRecord } | { readonly kind: 'invalid'; readonly reason: string };

/** Every record of keys by its id. */
export type KeyTable = ReadonlyMap<string, KeyRecord>;

/** What a presented text is worth. Hashes are compared before anything is said of the key, so that its state tells nothing to a guesser. */
export function judgeKey(presented: string, keys: KeyTable, nowMs: number): KeyVerdict {
  const key = keys.get(keyIdOf(presented) ?? '');
  const isCurrent = matchesHash(presented, key?.hash ?? null);
  const isPrevious = matchesHash(presented, key?.previous?.hash ?? null);
  if (key === undefined || (!isCurrent && !isPrevious)) return invalid('The API key is not one of this server’s.');
  if (key.revokedMs !== null) return invalid(`The API key ${key.id} was revoked.`);
  if (key.expiresMs !== null && nowMs >= key.expiresMs) return invalid(`The API key ${key.id} expired on ${dayOf(key.expiresMs)}.`);
  if (!isCurrent && nowMs >= (key.previous?.untilMs ?? 0)) return invalid(`The API key ${key.id} was replaced by a newer one.`);
  return { kind: 'valid', key };
}

export function isUsable(key: KeyRecord, nowMs: number): boolean {
  return key.revokedMs === null && (key.expiresMs === null || nowMs < key.expiresMs);
}

export interface Made {
  readonly record: KeyRecord;
  readonly secret: string;
}

export function makeKey(id: string, wish: KeyWish, nowMs: number): Made {
  const secret = newSecret(id);
  return { record: { ...wish, id, hash: hashSecret(secret), createdMs: nowMs, revokedMs: null, previous: null }, secret };
}

/** A new secret for the same key; the old one works for `graceMs` more. */
export function rotated(key: KeyRecord, graceMs: number, nowMs: number): Made {
  const secret = newSecret(key.id);
  const previous = graceMs > 0 ? { hash: key.hash, untilMs: nowMs + graceMs } : null;
  return { record: { ...key, hash: hashSecret(secret), previous }, secret };
}

/** What may be shown of a key. */
export function infoOf({ hash: _, previous, ...key }: KeyRecord, nowMs: number): KeyInfo {
  const previousUntilMs = previous !== null && nowMs < previous.untilMs ? previous.untilMs : null;
  const isExpired = key.expiresMs !== null && nowMs >= key.expiresMs;
  return { ...key, previousUntilMs, state: key.revokedMs !== null ? 'revoked' : isExpired ? 'expired' : 'active' };
}

const invalid = (reason: string): KeyVerdict => ({ kind: 'invalid', reason });

const dayOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);
