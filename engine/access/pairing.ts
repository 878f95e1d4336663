// Owns the code by which a new device gets a key: six digits, shown at one place and typed at the other, good for one device,
// five minutes and few tries. With five tries the chance of a guess is one in 200,000.
import { randomInt, timingSafeEqual } from 'node:crypto';
import type { KeyWish, PairingCode } from '../contract.ts';
import { EngineError } from '../errors.ts';

const VALID_MS = 5 * 60_000;
const TRIES = 5;

interface Offer {
  readonly code: string;
  readonly expiresMs: number;
  readonly wish: KeyWish;
  triesLeft: number;
}

export class Pairing {
  readonly #now: () => number;
  #offer: Offer | null = null;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A new code, in place of any other; whoever types it gets the key that is wished for. */
  offer(wish: KeyWish): PairingCode {
    const code = String(randomInt(1_000_000)).padStart(6, '0');
    this.#offer = { code, expiresMs: this.#now() + VALID_MS, wish, triesLeft: TRIES };
    return { code, expiresMs: this.#offer.expiresMs };
  }

  /** What key the code is good for; it is used up. @throws EngineError `pairing_refused` for a wrong code, or when there is none */
  claim(code: string): KeyWish {
    const offer = this.#offer;
    if (offer === null || this.#now() >= offer.expiresMs)
      throw refused('There is no code to pair by, or it is too old; ask for a new one.');
    if (!isSame(code, offer.code)) {
      if (--offer.triesLeft === 0) this.#offer = null;
      throw refused(`The code is wrong. ${offer.triesLeft === 0 ? 'It was tried too often; ask for a new one.' : 'Look at it again.'}`);
    }
    this.#offer = null;
    return offer.wish;
  }
}

function isSame(code: string, expected: string): boolean {
  return /^\d{6}$/.test(code) && timingSafeEqual(Buffer.from(code), Buffer.from(expected));
}

const refused = (message: string): EngineError => new EngineError('pairing_refused', message, { param: 'code' });
