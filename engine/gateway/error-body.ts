// Turns whatever was thrown into an EngineError and into the one error shape of the API.
// Knows Fastify's and Node's error codes, nothing about routes.
import { ERROR_TABLE, EngineError, type ErrorCode } from '../errors.ts';

/** The error shape of every answer that is not a success, as OpenAI's clients read it. */
export interface ErrorBody {
  readonly error: { readonly message: string; readonly type: string; readonly param: string | null; readonly code: ErrorCode };
}

export function errorBody(error: EngineError): ErrorBody {
  return { error: { message: error.message, type: ERROR_TABLE[error.code].type, param: error.param, code: error.code } };
}

/** One fault of a validated request, as Ajv reports it. */
interface SchemaFault {
  readonly instancePath: string;
  readonly keyword: string;
  readonly message?: string;
  readonly params: Record<string, unknown>;
}

interface Thrown {
  readonly code?: unknown;
  readonly statusCode?: unknown;
  readonly message?: unknown;
  readonly validation?: readonly SchemaFault[];
}

const FOREIGN_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** The EngineError of any thrown value. What is nobody's expected failure becomes `internal`, with no detail of it in the message. */
export function toEngineError(thrown: unknown): EngineError {
  if (thrown instanceof EngineError) return thrown;
  const error: Thrown = typeof thrown === 'object' && thrown !== null ? thrown : {};
  if (error.validation?.[0] !== undefined) return fromFault(error.validation);
  const code = typeof error.code === 'string' ? FOREIGN_CODES[error.code] : undefined;
  if (code !== undefined) return new EngineError(code, ERROR_TABLE[code].meaning, { cause: thrown });
  const status = typeof error.statusCode === 'number' ? error.statusCode : 500;
  if (status >= 400 && status < 500) return new EngineError('invalid_request', String(error.message), { cause: thrown });
  return new EngineError('internal', 'The server met a fault of its own; its log has the details.', { cause: thrown });
}

/** A union reports a fault for each of its branches: the deepest path is the one the client meant. */
function fromFault(faults: readonly SchemaFault[]): EngineError {
  const fault = faults.reduce((deepest, next) => (depthOf(next) > depthOf(deepest) ? next : deepest));
  const missing = fault.keyword === 'required' ? `/${String(fault.params['missingProperty'])}` : '';
  const param = fieldPath(fault.instancePath + missing);
  const problem = missing === '' ? describe(fault) : 'is required';
  return new EngineError('invalid_request', `${param === '' ? 'The body' : param} ${problem}.`, param === '' ? {} : { param });
}

const depthOf = (fault: SchemaFault): number => fault.instancePath.split('/').length;

function describe(fault: SchemaFault): string {
  const values = fault.params['allowedValues'];
  return Array.isArray(values)
    ? `must be one of ${values.map((value) => JSON.stringify(value)).join(', ')}`
    : (fault.message ?? 'is invalid');
}

/** `/messages/0/content` as `messages[0].content`. */
function fieldPath(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
    .join('')
    .replace(/^\./, '');
}
