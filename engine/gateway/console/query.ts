// How query strings become values: numbers are read from their text, faults name the parameter. Also the parameters that several routes share.
import type { FastifySchemaCompiler } from 'fastify';
import { Type, type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import type { TimeRange } from '../../contract.ts';
import { invalid } from '../openai/faults.ts';

/** For routes whose query holds numbers: Ajv, which checks bodies, takes texts for texts. */
export const queryCompiler: FastifySchemaCompiler<TSchema> =
  ({ schema }) =>
  (data: unknown) => {
    const value = Value.Convert(schema, Value.Clone(data));
    if (Value.Check(schema, value)) return { value };
    return { error: Object.assign(new Error('The query is invalid.'), { validation: Value.Errors(schema, value).map(asAjvSays) }) };
  };

/** Of a missing field TypeBox lists the names, Ajv says one. */
function asAjvSays(fault: ReturnType<typeof Value.Errors>[number]): object {
  return fault.keyword === 'required' ? { ...fault, params: { missingProperty: fault.params.requiredProperties[0] } } : fault;
}

/** The latest time that a Date can hold. */
const LAST_MS = 8.64e15;
const HOUR_MS = 3_600_000;

export const rangeFields = {
  from: Type.Optional(Type.Integer({ minimum: 0, maximum: LAST_MS, description: 'ms since 1970. Default: an hour before `to`.' })),
  to: Type.Optional(Type.Integer({ minimum: 0, maximum: LAST_MS, description: 'ms since 1970, not part of the range. Default: now.' })),
};

/** @throws EngineError `invalid_request` for a range that ends before it begins */
export function readRange(query: { readonly from?: number; readonly to?: number }, nowMs: number): TimeRange {
  const toMs = query.to ?? nowMs;
  const fromMs = query.from ?? Math.max(0, toMs - HOUR_MS);
  if (fromMs >= toMs) throw invalid('from', `from must be less than to, ${toMs}.`);
  return { fromMs, toMs };
}
