// The schema of the console's answer about batches, held by the compiler to its shape in contract.ts.
import { Type } from 'typebox';
import { BATCH_STATUSES, type BatchesAnswer } from '../../contract.ts';
import { nullable, shaped } from '../console/response-schemas.ts';

const text = Type.String();
const number = Type.Number();

export const batchesAnswer = shaped<BatchesAnswer>()(
  Type.Object({
    activity: Type.Object({ kind: Type.Enum(['idle', 'running', 'waiting']), reason: text, rows: Type.Integer() }),
    batches: Type.Array(
      Type.Object({
        id: text,
        tenant: text,
        endpoint: text,
        model: nullable(text),
        filename: text,
        status: Type.Enum([...BATCH_STATUSES]),
        total: Type.Integer(),
        completed: Type.Integer(),
        failed: Type.Integer(),
        createdMs: number,
        expiresMs: number,
        endedMs: nullable(number),
        rowsPerSecond: nullable(number),
        etaMs: nullable(number),
        outputFileId: nullable(text),
        errorFileId: nullable(text),
        faults: Type.Array(Type.Object({ code: text, message: text, param: nullable(text), line: nullable(Type.Integer()) })),
        cost: Type.Object({
          spotUsd: Type.Number({ description: 'Energy and upstream models.' }),
          interactiveUsd: Type.Number({ description: 'With the hardware’s share.' }),
          premiumUsd: nullable(number),
          deviceMs: number,
        }),
      }),
      { description: 'Newest first.' },
    ),
  }),
);
