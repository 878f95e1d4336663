// Owns the sessions of pages whose user has shown a key: a signed text that names the key and its own end. Nothing is kept of one;
// the secret that signs is this process's, so a restart ends them all.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const MAX_AGE_SECONDS = 30 * 86_400;

export class Sessions {
  readonly #secret = randomBytes(32);
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  open(keyId: string): { readonly session: string; readonly maxAgeSeconds: number } {
    const claim = `${keyId}.${this.#now() + MAX_AGE_SECONDS * 1000}`;
    return { session: `${claim}.${this.#sign(claim)}`, maxAgeSeconds: MAX_AGE_SECONDS };
  }

  /** The key of a session that is ours and has not ended. */
  keyOf(session: string): string | null {
    const [keyId = '', untilMs = '', signature = ''] = session.split('.');
    const expected = Buffer.from(this.#sign(`${keyId}.${untilMs}`));
    const given = Buffer.from(signature);
    const isOurs = given.length === expected.length && timingSafeEqual(given, expected);
    return isOurs && this.#now() < Number(untilMs) ? keyId : null;
  }

  #sign(claim: string): string {
    return createHmac('sha256', this.#secret).update(claim).digest('base64url');
  }
}
