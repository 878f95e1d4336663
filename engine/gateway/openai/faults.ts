// The two faults of a field: a value outside its limits, and a documented use that this server does not have.
import { EngineError } from '../../errors.ts';

export function invalid(param: string, message: string): EngineError {
  return new EngineError('invalid_request', message, { param });
}

export function unsupported(param: string, message: string): EngineError {
  return new EngineError('unsupported_parameter', message, { param });
}
