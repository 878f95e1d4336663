// Takes apart, after a run, what a server sent: HTTP framing, server-sent events, and the time at which each text arrived.
// Pure; knows nothing about sockets.
import { createParser } from 'eventsource-parser';

/** Bytes as they came from the socket. */
export interface Read {
  readonly atMs: number;
  readonly bytes: Uint8Array;
}

export interface Exchange {
  readonly sentMs: number;
  readonly reads: readonly Read[];
  /** Why the exchange ended early; null when the server closed it. */
  readonly failure: string | null;
}

export interface Sample {
  readonly ok: boolean;
  /** Status line's code; 0 when none came. */
  readonly status: number;
  readonly failure: string | null;
  readonly sentMs: number;
  readonly endMs: number;
  /** From sending to the first text; NaN without text. */
  readonly ttftMs: number;
  /** Between one text and the next. */
  readonly gapsMs: readonly number[];
  readonly outputTokens: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
}

/** The measured request; not ok when the status is not 200, no text came or the stream carried an error. */
export function digest(exchange: Exchange): Sample {
  const { status, chunked, body } = splitHead(exchange.reads);
  const textMs: number[] = [];
  let usage: Usage = {};
  let failure = exchange.failure;
  let pieceMs = 0;
  const parser = createParser({
    onEvent: ({ data }) => {
      if (data === '[DONE]') return;
      const event = JSON.parse(data) as StreamEvent;
      if (event.error !== undefined) failure = JSON.stringify(event.error);
      if (hasText(event)) textMs.push(pieceMs);
      usage = event.usage ?? usage;
    },
  });
  const decoder = new TextDecoder();
  for (const piece of chunked ? dechunk(body) : body) {
    pieceMs = piece.atMs;
    const text = decoder.decode(piece.bytes, { stream: true });
    if (status === 200) parser.feed(text);
    else failure = (failure ?? '') + text;
  }
  return {
    ok: status === 200 && failure === null && textMs.length > 0,
    status,
    failure,
    sentMs: exchange.sentMs,
    endMs: textMs.at(-1) ?? exchange.reads.at(-1)?.atMs ?? exchange.sentMs,
    ttftMs: (textMs[0] ?? Number.NaN) - exchange.sentMs,
    gapsMs: textMs.slice(1).map((atMs, i) => atMs - (textMs[i] ?? atMs)),
    outputTokens: usage.completion_tokens ?? textMs.length,
    promptTokens: usage.prompt_tokens ?? 0,
    cachedTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
  };
}

interface Usage {
  readonly completion_tokens?: number;
  readonly prompt_tokens?: number;
  readonly prompt_tokens_details?: { readonly cached_tokens?: number };
}

interface StreamEvent {
  readonly error?: unknown;
  readonly usage?: Usage | null;
  readonly choices?: readonly { readonly delta?: { readonly content?: string | null }; readonly text?: string }[];
}

function hasText(event: StreamEvent): boolean {
  const choice = event.choices?.[0];
  return Boolean(choice?.delta?.content ?? choice?.text);
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** Status, framing and the reads of the body; status 0 when the head never ended. */
function splitHead(reads: readonly Read[]): { status: number; chunked: boolean; body: readonly Read[] } {
  let head = Buffer.alloc(0);
  for (const [i, read] of reads.entries()) {
    head = Buffer.concat([head, read.bytes]);
    const end = head.indexOf(HEAD_END);
    if (end < 0) continue;
    const text = head.toString('latin1', 0, end);
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1] ?? 0);
    const rest = { atMs: read.atMs, bytes: head.subarray(end + HEAD_END.length) };
    return { status, chunked: /^transfer-encoding:.*chunked/im.test(text), body: [rest, ...reads.slice(i + 1)] };
  }
  return { status: 0, chunked: false, body: [] };
}

/** Contents of the chunks of a body in chunked transfer coding (RFC 9112, 7.1), each at the time its last byte came. */
function dechunk(reads: readonly Read[]): readonly Read[] {
  const chunks: Read[] = [];
  let held = Buffer.alloc(0);
  for (const { atMs, bytes } of reads) {
    held = Buffer.concat([held, bytes]);
    for (;;) {
      const lineEnd = held.indexOf('\r\n');
      const size = lineEnd < 0 ? Number.NaN : Number.parseInt(held.toString('latin1', 0, lineEnd), 16);
      if (!(held.length >= lineEnd + 2 + size + 2)) break;
      chunks.push({ atMs, bytes: held.subarray(lineEnd + 2, lineEnd + 2 + size) });
      held = held.subarray(lineEnd + 2 + size + 2);
    }
  }
  return chunks;
}
