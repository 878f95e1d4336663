// Owns the form of API keys: `mr_<id>_<secret>`, how they are made, hashed and compared.
// A secret has 256 random bits, so one SHA-256 is enough to keep it by: there is nothing to guess that a slow hash would protect.
import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';

const ID_LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';
const ID_LENGTH = 10;
const FORM = /^mr_([a-z0-9]{10})_[\w-]{43}$/;

/** Compared where no key has the presented id, so that an unknown id takes as long as a wrong secret. */
const NO_HASH = createHash('sha256').update('').digest('base64url');

export function newKeyId(): string {
  return Array.from({ length: ID_LENGTH }, () => ID_LETTERS[randomInt(ID_LETTERS.length)]).join('');
}

/** A whole key for this id. */
export function newSecret(id: string): string {
  return `mr_${id}_${randomBytes(32).toString('base64url')}`;
}

/** The id in a presented key; null when it has not the form of our keys. */
export function keyIdOf(presented: string): string | null {
  return FORM.exec(presented)?.[1] ?? null;
}

/** SHA-256, in base64url. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/** Takes the same time whatever is presented and whichever of the hashes are there. */
export function matchesHash(presented: string, hash: string | null): boolean {
  const isEqual = timingSafeEqual(Buffer.from(hashSecret(presented)), Buffer.from(hash ?? NO_HASH));
  return isEqual && hash !== null;
}
