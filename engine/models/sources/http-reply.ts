// Owns what the status and headers of a download's reply mean: where its body belongs, whether to try again, what to tell.
// Pure: no requests, no files.

export type DownloadFault =
  | { readonly kind: 'final'; readonly reason: string }
  | { readonly kind: 'retry'; readonly reason: string; /** Null: the caller's own schedule. */ readonly retryAfterMs: number | null };

export type PlaceInFile =
  | { readonly kind: 'body'; /** Byte where the body begins. */ readonly from: number; readonly totalBytes: number | null }
  | { readonly kind: 'refused'; /** What is there does not fit the source any more. */ readonly restart: boolean };

const MAX_RETRY_AFTER_S = 60;
/** Failures to connect that time does not mend: no such name, nobody listening. */
const DEAD_ENDS = new Set([
  'ENOTFOUND',
  'ECONNREFUSED',
  'ERR_INVALID_URL',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** Where the body of a reply belongs when `have` bytes were there already. RFC 9110, sections 14 and 15.3.7. */
export function placeInFile(status: number, headers: Headers, have: number): PlaceInFile {
  if (status === 200) return { kind: 'body', from: 0, totalBytes: countOf(headers.get('content-length')) };
  if (status === 416) return { kind: 'refused', restart: have > 0 };
  if (status !== 206) return { kind: 'refused', restart: false };
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
  if (Number(range?.[1]) !== have) return { kind: 'refused', restart: have > 0 };
  return { kind: 'body', from: have, totalBytes: countOf(range?.[2] ?? null) };
}

/** What a reply without a usable body means, with what the user can do. */
export function faultOfStatus(status: number, headers: Headers, url: string): DownloadFault {
  const host = hostOf(url);
  if (status === 401)
    return {
      kind: 'final',
      reason: `${host} wants a token (401): the model is private, gated or not there. Check its name, and set HF_TOKEN to a token that may read it.`,
    };
  if (status === 403)
    return { kind: 'final', reason: `${host} refuses access (403). Accept the model's licence on its page, and set HF_TOKEN.` };
  if (status === 404) return { kind: 'final', reason: `${host} has no such file (404). Check the name and the revision.` };
  if (status === 429 || status === 408 || status >= 500)
    return { kind: 'retry', reason: `${host} answers ${status}.`, retryAfterMs: retryAfterMs(headers) };
  return { kind: 'final', reason: `${host} answers ${status}.` };
}

/** What a failed or cut connection means. */
export function faultOfNetwork(cause: unknown, url: string): DownloadFault {
  const code = networkCode(cause);
  const reason = `${hostOf(url)} cannot be reached (${code ?? messageOf(cause)}).`;
  return code !== null && DEAD_ENDS.has(code) ? { kind: 'final', reason } : { kind: 'retry', reason, retryAfterMs: null };
}

/** The system's error code of a failed fetch, which lies in its cause. */
export function networkCode(thrown: unknown): string | null {
  if (!(thrown instanceof Error)) return null;
  if ('code' in thrown && typeof thrown.code === 'string') return thrown.code;
  return networkCode(thrown.cause);
}

function retryAfterMs(headers: Headers): number | null {
  const seconds = countOf(headers.get('retry-after'));
  return seconds === null ? null : Math.min(seconds, MAX_RETRY_AFTER_S) * 1_000;
}

function countOf(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
