// Owns the one exception of this room. Knows nothing about what was called.

/** ONNX Runtime's own codes (`OrtErrorCode` in onnxruntime_error_code.h), in their numeric order. */
const NATIVE_CODES = [
  'OK',
  'FAIL',
  'INVALID_ARGUMENT',
  'NO_SUCHFILE',
  'NO_MODEL',
  'ENGINE_ERROR',
  'RUNTIME_EXCEPTION',
  'INVALID_PROTOBUF',
  'MODEL_LOADED',
  'NOT_IMPLEMENTED',
  'INVALID_GRAPH',
  'EP_FAIL',
  'MODEL_LOAD_CANCELED',
  'MODEL_REQUIRES_COMPILATION',
  'NOT_FOUND',
] as const;

/**
 * `DISPOSED`: used after dispose. `BUSY`: changed or run again while a run is under way. `TERMINATED`: the run's options were told to
 * terminate. `PLATFORM`: no library for this machine, or one of another major version. `SYSTEM`: the operating system refused.
 */
export type OrtErrorCode = (typeof NATIVE_CODES)[number] | 'DISPOSED' | 'BUSY' | 'TERMINATED' | 'PLATFORM' | 'SYSTEM';

/** A refusal by ONNX Runtime, by the operating system, or by this room's own checks. */
export class OrtError extends Error {
  override readonly name = 'OrtError';
  readonly code: OrtErrorCode;

  constructor(code: OrtErrorCode, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

/** The name of a numeric `OrtErrorCode`; codes newer than the table read as FAIL. */
export function nativeCodeName(code: number): OrtErrorCode {
  return NATIVE_CODES[code] ?? 'FAIL';
}
