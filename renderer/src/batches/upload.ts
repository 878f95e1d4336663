// Sends a file of rows and makes a batch of it. Knows the API, nothing about the page.
import type { Change } from '../api/queries.tsx';
import { ApiError, type ErrorBody } from '../api/api-error.ts';

/** Id of the file. @throws ApiError when the engine refuses, TypeError when it does not answer */
export async function uploadRows(file: File): Promise<string> {
  const form = new FormData();
  form.set('purpose', 'batch');
  form.set('file', file);
  const response = await fetch('/v1/files', { method: 'POST', body: form });
  const body = (await response.json().catch(() => ({}))) as ErrorBody & { readonly id?: string };
  if (!response.ok || body.id === undefined)
    throw new ApiError(body, { status: response.status, requestId: response.headers.get('x-request-id') });
  return body.id;
}

/** The endpoint that the first row names; null: it names none, and the engine will say which line is at fault. */
export async function endpointOf(file: Blob): Promise<string | null> {
  const [line = ''] = (await file.slice(0, FIRST_LINE_BYTES).text()).split('\n');
  return /"url"\s*:\s*"([^"]+)"/.exec(line)?.[1] ?? null;
}

const FIRST_LINE_BYTES = 1_000_000;

export const createBatch = (fileId: string, endpoint: string, hours: number): Change => ({
  method: 'POST',
  path: '/v1/batches',
  body: { input_file_id: fileId, endpoint, completion_window: `${hours}h` },
});
