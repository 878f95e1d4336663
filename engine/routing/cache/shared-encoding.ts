// Owns one encode call whose rows several requests wait for: it ends early only when everybody has left.
// Knows nothing about keys or about what is kept.
import type { Charging, EncodeRequest, Encoding, ModelHost } from '../../fleet/host.ts';

export class SharedEncoding {
  /** Rejects with the host's error, or with the reason of the last one to leave. */
  readonly encoding: Promise<Encoding>;
  readonly #ended = new AbortController();
  /** The first pays for what is computed. */
  readonly #waiting = new Set<Charging>();
  #lastPayer: Charging;
  #isSettled = false;

  /** Begins it for its first caller. */
  constructor(host: Pick<ModelHost, 'encode'>, { model, inputs, params, caller: asker }: EncodeRequest, caller: Charging) {
    this.#waiting.add(caller);
    this.#lastPayer = caller;
    const charging: Charging = {
      onCharge: (deviceMs) => this.#payer.onCharge?.(deviceMs),
      onSettled: () => this.#payer.onSettled?.(),
    };
    this.encoding = host
      .encode({ model, inputs, params, ...charging, ...(asker && { caller: asker }) }, this.#ended.signal)
      .finally(() => (this.#isSettled = true));
    // Whoever awaits it hears of a failure; when all have left, nobody does.
    this.encoding.catch(() => undefined);
  }

  join(caller: Charging): void {
    this.#waiting.add(caller);
  }

  /** Before its end only; `reason` is what the work ends with when this was the last one. */
  leave(caller: Charging, reason: unknown): void {
    if (this.#isSettled || !this.#waiting.delete(caller)) return;
    if (this.#waiting.size > 0) return caller.onSettled?.();
    this.#lastPayer = caller;
    this.#ended.abort(reason);
  }

  get #payer(): Charging {
    const [first] = this.#waiting;
    return first ?? this.#lastPayer;
  }
}
