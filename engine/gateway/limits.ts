// Owns every limit that the gateway puts on a client: sizes, times and counts, in one table.
// Knows nothing about how each is enforced.

/** The limits of the HTTP server; tests override single rows. */
export interface Limits {
  /** Bytes of a request body. */
  readonly bodyBytes: number;
  /** Bytes of a refused body that are read and dropped to keep the connection; it is closed on longer ones. */
  readonly skippedBodyBytes: number;
  /** Bodies above this many bytes are parsed in a worker thread. */
  readonly inlineParseBytes: number;
  /** Levels of arrays and objects in a body. */
  readonly jsonDepth: number;
  /** Numbers, strings, arrays and objects in a body; bounds what a parsed body costs in memory and validation. */
  readonly jsonValues: number;
  /** Bytes of the request line and headers together. */
  readonly headerBytes: number;
  /** Time for the headers to arrive. */
  readonly headersMs: number;
  /** Time for the whole request, body included, to arrive. */
  readonly requestMs: number;
  /** How often the two times above are checked. */
  readonly checkEveryMs: number;
  /** Time an idle connection is kept for its next request. */
  readonly keepAliveMs: number;
  /** Open connections; one more is closed at once. */
  readonly connections: number;
  /** Bytes that may wait for a reader of a stream; past them its request is cancelled. */
  readonly unreadBytes: number;
  /** Time for a whole answer's last bytes to be read. */
  readonly unreadMs: number;
  /** A stream without an event for so long sends its headers, so that proxies and clients see a living server. */
  readonly firstByteMs: number;
  /** Pause after which a stream sends a keep-alive comment. */
  readonly commentMs: number;
  /** Prompts of one completion request. */
  readonly prompts: number;
  /** Choices (prompts × best_of) of one request. */
  readonly choices: number;
  /** Prompts of one completion request that are in the queue together. */
  readonly promptsInFlight: number;
  /** Messages of one chat. */
  readonly messages: number;
  readonly stopStrings: number;
  /** Characters of one stop string. */
  readonly stopLength: number;
  /** Alternatives reported for each token. */
  readonly topLogprobs: number;
  /** Texts of one embeddings, rerank or classify request. */
  readonly encodeInputs: number;
  /** Numbers in the answer of one infer request. */
  readonly inferValues: number;
  /** Time after which such a request is refused when it has not been computed; a client may ask for less. */
  readonly encodeMs: number;
  /** Time for the last bytes to leave when the server closes. */
  readonly lastBytesMs: number;
  /** Seconds that a client of a draining server is told to wait. */
  readonly drainRetrySeconds: number;
}

export const DEFAULT_LIMITS: Limits = {
  bodyBytes: 16 * 1024 * 1024,
  skippedBodyBytes: 64 * 1024,
  inlineParseBytes: 256 * 1024,
  jsonDepth: 64,
  jsonValues: 400_000,
  headerBytes: 16 * 1024,
  headersMs: 10_000,
  requestMs: 120_000,
  checkEveryMs: 1_000,
  keepAliveMs: 72_000,
  connections: 2_048,
  unreadBytes: 1024 * 1024,
  unreadMs: 60_000,
  firstByteMs: 2_000,
  commentMs: 10_000,
  prompts: 256,
  choices: 256,
  promptsInFlight: 16,
  messages: 10_000,
  stopStrings: 16,
  stopLength: 1_024,
  topLogprobs: 20,
  encodeInputs: 2_048,
  inferValues: 2_000_000,
  encodeMs: 600_000,
  lastBytesMs: 2_000,
  drainRetrySeconds: 5,
};
