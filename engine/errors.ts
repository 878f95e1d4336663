// Owns every error the engine can hand to a client: one table from code to HTTP status and OpenAI error type.
// Knows nothing about HTTP libraries, models or processes.

interface ErrorRow {
  /** HTTP status the gateway answers with when no byte has been sent yet. */
  readonly status: number;
  /** `error.type` of the OpenAI error shape. */
  readonly type: string;
  /** What it means, for the API reference. */
  readonly meaning: string;
}

const row = (status: number, type: string, meaning: string): ErrorRow => ({ status, type, meaning });

/** Every error code, its HTTP status, its OpenAI type and its meaning. */
export const ERROR_TABLE = {
  invalid_request: row(
    400,
    'invalid_request_error',
    'The request is malformed or a field has a value outside its limits; `param` names the field.',
  ),
  unsupported_parameter: row(
    400,
    'invalid_request_error',
    'A documented field is not supported by this model or this server; `param` names it.',
  ),
  context_length_exceeded: row(
    400,
    'invalid_request_error',
    'The prompt is longer than the context of the model; both counts are in the message.',
  ),
  template_failed: row(400, 'invalid_request_error', 'The chat template of the model refuses these messages, or took too long.'),
  grammar_too_complex: row(
    400,
    'invalid_request_error',
    'The grammar, schema or expression that the answer must follow is too large, too ambiguous, or takes too long to compile.',
  ),
  unauthorized: row(401, 'authentication_error', 'The API key is missing or wrong.'),
  permission_denied: row(403, 'permission_error', 'The API key is valid, but not for this endpoint or model, or not for the console.'),
  pairing_refused: row(403, 'permission_error', 'The code to pair by is wrong, used or too old.'),
  host_not_allowed: row(403, 'permission_error', 'The Host or Origin header is not one of this server’s own.'),
  not_found: row(404, 'invalid_request_error', 'No such path.'),
  model_not_found: row(404, 'invalid_request_error', 'No model of this name is installed.'),
  response_not_found: row(
    404,
    'invalid_request_error',
    'No response of this id is stored: it never was, it was deleted, or its time is over.',
  ),
  file_not_found: row(404, 'invalid_request_error', 'There is no file of this id.'),
  batch_not_found: row(404, 'invalid_request_error', 'There is no batch of this id.'),
  key_not_found: row(404, 'invalid_request_error', 'There is no API key of this id.'),
  method_not_allowed: row(405, 'invalid_request_error', 'The path exists, the method does not; `Allow` lists those that do.'),
  quality_below_bar: row(
    409,
    'invalid_request_error',
    'The variant loses more than the settings allow, or was not measured yet; the message says what was measured.',
  ),
  request_timeout: row(408, 'invalid_request_error', 'The headers or the body took longer to arrive than the limit.'),
  body_too_large: row(413, 'invalid_request_error', 'The body is larger than the limit.'),
  unsupported_media_type: row(415, 'invalid_request_error', 'A body must be application/json.'),
  queue_full: row(429, 'rate_limit_error', 'Too many requests are waiting for this model; `Retry-After` says when to come back.'),
  rate_limit_exceeded: row(
    429,
    'rate_limit_error',
    'A limit of the API key is used up: requests or tokens a minute, or requests at once; `param` names it, `Retry-After` says when to come back.',
  ),
  insufficient_quota: row(429, 'insufficient_quota', 'The budget of the API key is spent; `Retry-After` says when the next one begins.'),
  headers_too_large: row(431, 'invalid_request_error', 'The header block is larger than the limit.'),
  internal: row(500, 'server_error', 'An impossible state. This is a bug; the log has the details.'),
  upstream_failed: row(
    502,
    'server_error',
    'An upstream API could not be reached, refused the request or broke off; the message says which.',
  ),
  grammar_failed: row(500, 'server_error', 'No token of the model can continue the answer within its grammar; other requests go on.'),
  runner_died: row(502, 'server_error', 'The process that ran the model ended in the middle of this request.'),
  model_load_failed: row(503, 'server_error', 'The model could not be loaded; the message says why.'),
  insufficient_memory: row(503, 'server_error', 'The model does not fit into the memory that is left.'),
  no_route: row(503, 'server_error', 'No model may or can answer this request now; the message names each and why.'),
  draining: row(503, 'server_error', 'The server is shutting down and takes no new requests.'),
  paused: row(503, 'server_error', 'The server has been paused in its console, and takes no requests until it is resumed.'),
  access_unavailable: row(503, 'server_error', 'The file of API keys cannot be read or written now; the message says why.'),
  responses_unavailable: row(503, 'server_error', 'The file of stored responses cannot be read or written now; the message says why.'),
  batches_unavailable: row(503, 'server_error', 'The file of batches cannot be read or written now; the message says why.'),
  history_unavailable: row(503, 'server_error', 'The history file cannot be read or written now; the message says why.'),
  deadline_exceeded: row(504, 'server_error', 'The request waited longer than its deadline, and was not computed.'),
  insufficient_storage: row(507, 'server_error', 'The disk has no room for the files; the message says how much is needed and free.'),
  model_file_invalid: row(422, 'invalid_request_error', 'A model file is truncated, inconsistent or hostile; the message names the fault.'),
  source_unreachable: row(502, 'server_error', 'The place a model should come from cannot be reached; the message says the remedy.'),
  unsupported_model: row(422, 'invalid_request_error', 'The architecture, tensor type or tokenizer of this model is not supported.'),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR_TABLE;

/** An expected failure: what the caller did, or what the machine cannot do. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: ErrorCode;
  /** The request field at fault, as the client spelled it. */
  readonly param: string | null;
  /** Seconds after which a retry makes sense, when known. */
  readonly retryAfterSeconds: number | null;

  constructor(code: ErrorCode, message: string, options: { param?: string; retryAfterSeconds?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.param = options.param ?? null;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }
}

/** An error as it crosses a process border. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly param: string | null;
  readonly retryAfterSeconds: number | null;
}

/** The plain-object form of any thrown value; unknown values become `internal` and keep their message. */
export function toWireError(thrown: unknown): WireError {
  if (thrown instanceof EngineError) {
    return { code: thrown.code, message: thrown.message, param: thrown.param, retryAfterSeconds: thrown.retryAfterSeconds };
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: 'internal', message, param: null, retryAfterSeconds: null };
}

/** The error object of a wire error, on the receiving side. */
export function fromWireError(wire: WireError): EngineError {
  return new EngineError(wire.code, wire.message, {
    ...(wire.param === null ? {} : { param: wire.param }),
    ...(wire.retryAfterSeconds === null ? {} : { retryAfterSeconds: wire.retryAfterSeconds }),
  });
}

/** An impossible state. */
export function bug(what: string): never {
  throw new Error(`${what} This is a bug.`);
}

/** Exhaustiveness check for unions with a `kind`. */
export function assertNever(value: never): never {
  return bug(`Unexpected value ${JSON.stringify(value)}.`);
}
