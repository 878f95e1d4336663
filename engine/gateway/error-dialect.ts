// Which shape an error has, by the API whose path was asked for: OpenAI's everywhere but where clients of other APIs ask. Pure.
import { ERROR_TABLE, type EngineError } from '../errors.ts';
import { errorBody } from './error-body.ts';

/** Paths of Ollama's API; the console shares their `/api`. */
const OLLAMA_PATHS: ReadonlySet<string> = new Set(
  ['chat', 'generate', 'embed', 'embeddings', 'tags', 'show', 'ps', 'pull', 'delete', 'version'].map((name) => `/api/${name}`),
);

/** The body of an error for a request for this path; `requestId` is told where the API's own errors tell it. */
export function errorBodyFor(url: string, error: EngineError, requestId: string): unknown {
  const path = url.split('?')[0] ?? url;
  // The Open Inference Protocol's errors have the same shape.
  if (OLLAMA_PATHS.has(path) || path === '/v2' || path.startsWith('/v2/')) return ollamaError(error);
  return path === '/v1/messages' || path.startsWith('/v1/messages/') ? anthropicError(error, requestId) : errorBody(error);
}

export function ollamaError(error: EngineError): { readonly error: string } {
  return { error: messageOf(error) };
}

/** Shapes without a place for the field name it in the message. */
function messageOf({ message, param }: EngineError): string {
  return param === null || message.includes(param) ? message : `${param}: ${message}`;
}

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
};

export interface AnthropicError {
  readonly type: 'error';
  readonly error: { readonly type: string; readonly message: string };
  readonly request_id: string;
}

export function anthropicError(error: EngineError, requestId: string): AnthropicError {
  const { status } = ERROR_TABLE[error.code];
  const type = ANTHROPIC_TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
  return { type: 'error', error: { type, message: messageOf(error) }, request_id: requestId };
}
