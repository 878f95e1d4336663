/** Time, handed in so that tests can move it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls once after so many ms; returns how to stop. */
  after(ms: number, call: () => void): () => void;
}
