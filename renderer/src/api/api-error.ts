// The one error shape of the engine as the page handles it, and what to say about any error. Pure.

export interface ErrorBody {
  readonly error?: { readonly message: string; readonly type: string; readonly param: string | null; readonly code: string };
}

/** The engine refused or failed. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** Such as `invalid_request`. */
  readonly code: string;
  /** The field that the engine complains of; null when it named none. */
  readonly param: string | null;
  readonly requestId: string | null;

  constructor(body: ErrorBody, response: { readonly status: number; readonly requestId: string | null }) {
    super(body.error?.message ?? `The engine answered with status ${response.status}.`);
    this.status = response.status;
    this.code = body.error?.code ?? 'unknown';
    this.param = body.error?.param ?? null;
    this.requestId = response.requestId;
  }
}

export interface ErrorWords {
  readonly message: string;
  /** What it means and what to do. */
  readonly advice: string;
  /** To copy into a report. */
  readonly detail: string;
}

export function describeError(error: unknown): ErrorWords {
  if (error instanceof ApiError) {
    const detail = [`${error.status} ${error.code}`, error.message, `param: ${error.param ?? '-'}`, `request: ${error.requestId ?? '-'}`];
    return { message: error.message, advice: adviceFor(error), detail: detail.join('\n') };
  }
  const message = error instanceof Error ? error.message : String(error);
  const detail = error instanceof Error ? (error.stack ?? message) : message;
  // `fetch` rejects with a TypeError when no answer came at all.
  if (error instanceof TypeError)
    return { message: 'The engine does not answer.', advice: 'See whether it is still running, then try again.', detail };
  return { message, advice: 'Try again; if it stays, copy the detail into a report.', detail };
}

function adviceFor({ status, param }: ApiError): string {
  if (status === 404) return 'It may have been removed, or this engine is older than this page.';
  if (status === 503 || status === 429) return 'The engine is busy or has no store for this right now. Try again in a moment.';
  if (status < 500) return param === null ? 'Change the request and try again.' : `Change \`${param}\` and try again.`;
  return 'The engine goes on serving. Try again; if it stays, copy the detail into a report.';
}
