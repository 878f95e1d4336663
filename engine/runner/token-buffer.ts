// Owns a growing list of token ids: a sequence's prompt and answer, which a KV slot also remembers as its content.

export class TokenBuffer {
  #data: Int32Array;
  #length: number;

  constructor(tokens: ArrayLike<number>) {
    this.#data = new Int32Array(Math.max(64, tokens.length + 64));
    this.#data.set(tokens);
    this.#length = tokens.length;
  }

  get length(): number {
    return this.#length;
  }

  /** @throws RangeError outside [0, length) */
  at(index: number): number {
    const token = this.#data[index];
    if (token === undefined || index >= this.#length) throw new RangeError(`Token ${index} of ${this.#length}.`);
    return token;
  }

  push(token: number): void {
    if (this.#length === this.#data.length) {
      const grown = new Int32Array(this.#data.length * 2);
      grown.set(this.#data);
      this.#data = grown;
    }
    this.#data[this.#length++] = token;
  }

  /** A view of tokens [from, to), valid until the next push. */
  view(from = 0, to = this.#length): Int32Array {
    return this.#data.subarray(from, Math.min(to, this.#length));
  }

  /** Length of the longest common prefix with the first `limit` tokens of another buffer. */
  commonPrefix(other: TokenBuffer, limit: number): number {
    const mine = this.view();
    const theirs = other.view(0, limit);
    const end = Math.min(mine.length, theirs.length);
    let length = 0;
    while (length < end && mine[length] === theirs[length]) length++;
    return length;
  }
}
