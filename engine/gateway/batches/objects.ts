// Owns the shapes of files and batches as OpenAI's clients read them: times in seconds, lists with their first and last id.
import { Type, type Static } from 'typebox';
import { BATCH_STATUSES } from '../../contract.ts';
import type { Batch, BatchFile, Page } from '../../jobs/batches/batch-control.ts';

const orNull = <T extends Parameters<typeof Type.Optional>[0]>(type: T) => Type.Union([type, Type.Null()]);
const seconds = Type.Integer({ description: 'Seconds since 1970.' });

export const fileObject = Type.Object({
  id: Type.String(),
  object: Type.Literal('file'),
  bytes: Type.Integer(),
  created_at: seconds,
  expires_at: orNull(seconds),
  filename: Type.String(),
  purpose: Type.String(),
  status: Type.Literal('processed'),
  status_details: Type.Null(),
});

export const batchObject = Type.Object({
  id: Type.String(),
  object: Type.Literal('batch'),
  endpoint: Type.String(),
  model: orNull(Type.String()),
  errors: orNull(
    Type.Object({
      object: Type.Literal('list'),
      data: Type.Array(
        Type.Object({
          code: Type.String(),
          message: Type.String(),
          param: orNull(Type.String()),
          line: orNull(Type.Integer({ description: 'Of the input file, from 1.' })),
        }),
      ),
    }),
  ),
  input_file_id: Type.String(),
  completion_window: Type.String(),
  status: Type.Enum([...BATCH_STATUSES]),
  output_file_id: orNull(Type.String()),
  error_file_id: orNull(Type.String()),
  created_at: seconds,
  in_progress_at: orNull(seconds),
  expires_at: seconds,
  finalizing_at: orNull(seconds),
  completed_at: orNull(seconds),
  failed_at: orNull(seconds),
  expired_at: orNull(seconds),
  cancelling_at: orNull(seconds),
  cancelled_at: orNull(seconds),
  request_counts: Type.Object({ total: Type.Integer(), completed: Type.Integer(), failed: Type.Integer() }),
  usage: Type.Object({
    input_tokens: Type.Integer(),
    input_tokens_details: Type.Object({ cached_tokens: Type.Integer() }),
    output_tokens: Type.Integer(),
    output_tokens_details: Type.Object({ reasoning_tokens: Type.Integer() }),
    total_tokens: Type.Integer(),
  }),
  metadata: orNull(Type.Record(Type.String(), Type.String())),
});

const listOf = <T extends typeof fileObject | typeof batchObject>(item: T) =>
  Type.Object({
    object: Type.Literal('list'),
    data: Type.Array(item),
    first_id: orNull(Type.String()),
    last_id: orNull(Type.String()),
    has_more: Type.Boolean(),
  });

export const fileList = listOf(fileObject);
export const batchList = listOf(batchObject);

export function toFileObject({ id, bytes, createdMs, expiresMs, filename, purpose }: BatchFile): Static<typeof fileObject> {
  const times = { created_at: secondsOf(createdMs), expires_at: secondsOrNull(expiresMs) };
  return { id, object: 'file', bytes, ...times, filename, purpose, status: 'processed', status_details: null };
}

export function toBatchObject(batch: Batch): Static<typeof batchObject> {
  const { promptTokens, cachedTokens, completionTokens } = batch.charges;
  return {
    id: batch.id,
    object: 'batch',
    endpoint: batch.endpoint,
    model: batch.model,
    errors: batch.faults.length === 0 ? null : { object: 'list', data: [...batch.faults] },
    input_file_id: batch.inputFileId,
    completion_window: batch.window,
    status: batch.status,
    output_file_id: batch.outputFileId,
    error_file_id: batch.errorFileId,
    ...timesOf(batch),
    request_counts: { total: batch.total, completed: batch.completed, failed: batch.failed },
    usage: {
      input_tokens: promptTokens,
      input_tokens_details: { cached_tokens: cachedTokens },
      output_tokens: completionTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: promptTokens + completionTokens,
    },
    metadata: batch.metadata === null ? null : { ...batch.metadata },
  };
}

export function toList<T, O extends { readonly id: string }>({ entries, hasMore }: Page<T>, toObject: (entry: T) => O) {
  const data = entries.map(toObject);
  return { object: 'list' as const, data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: hasMore };
}

function timesOf(batch: Batch) {
  return {
    created_at: secondsOf(batch.createdMs),
    in_progress_at: secondsOrNull(batch.inProgressMs),
    expires_at: secondsOf(batch.expiresMs),
    finalizing_at: secondsOrNull(batch.finalizingMs),
    completed_at: secondsOrNull(batch.completedMs),
    failed_at: secondsOrNull(batch.failedMs),
    expired_at: secondsOrNull(batch.expiredMs),
    cancelling_at: secondsOrNull(batch.cancellingMs),
    cancelled_at: secondsOrNull(batch.cancelledMs),
  };
}

const secondsOf = (ms: number): number => Math.floor(ms / 1000);
const secondsOrNull = (ms: number | null): number | null => (ms === null ? null : secondsOf(ms));
