// Owns one stream's bytes: head, frames, keep-alive comments, and the bound on what a slow reader leaves unread.
// Knows nothing about what the frames mean.
import type { ServerResponse } from 'node:http';
import type { Limits } from './limits.ts';

/** Of every event stream. */
export const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  // Asks buffering proxies (nginx) to pass each frame on at once.
  'x-accel-buffering': 'no',
} as const;

/** How a stream is told on the wire. */
export interface StreamWire {
  readonly headers: Readonly<Record<string, string>>;
  /** Sent while there is nothing to say; `''`: readers take no such thing, and are told by the headers alone that the server lives. */
  readonly comment: string;
}

const SSE_WIRE: StreamWire = { headers: STREAM_HEADERS, comment: ': keep-alive\n\n' };

/** One JSON value a line. */
export const NDJSON_WIRE: StreamWire = { headers: { ...STREAM_HEADERS, 'content-type': 'application/x-ndjson' }, comment: '' };

export interface SseOptions {
  readonly response: ServerResponse;
  readonly limits: Pick<Limits, 'unreadBytes' | 'firstByteMs' | 'commentMs'>;
  /** Called once before the first byte is sent. */
  readonly onOpen: () => void;
  /** Default: server-sent events. */
  readonly wire?: StreamWire;
  /** What to say in place of the plain comment, where the wire takes comments; null: nothing better. */
  readonly waiting?: () => string | null;
}

export class SseStream {
  readonly #options: SseOptions;
  readonly #wire: StreamWire;
  #timer: NodeJS.Timeout;
  #opened = false;
  #ended = false;
  #unsent = '';

  constructor(options: SseOptions) {
    this.#options = options;
    this.#wire = options.wire ?? SSE_WIRE;
    this.#timer = setTimeout(() => this.#comment(), options.limits.firstByteMs);
    options.response.once('close', () => this.#stop());
  }

  /** Whether the status line has been sent, so that an error can only be a frame. */
  get opened(): boolean {
    return this.#opened;
  }

  /** Frames of one turn of the event loop leave in one write. */
  send(frames: string): void {
    if (this.#ended || frames === '') return;
    if (this.#unsent === '') queueMicrotask(() => this.#flush());
    this.#unsent += frames;
  }

  /** Sends the last frames and finishes the response. */
  end(frames: string): void {
    if (this.#ended) return;
    this.#open();
    this.#stop();
    this.#options.response.end(this.#unsent + frames);
  }

  /** Leaves the response to others; only before it is opened. */
  abandon(): void {
    this.#stop();
  }

  #comment(): void {
    if (this.#wire.comment !== '') return this.send(this.#options.waiting?.() ?? this.#wire.comment);
    if (this.#ended) return;
    this.#open();
    this.#options.response.flushHeaders();
  }

  #flush(): void {
    if (this.#ended) return;
    this.#open();
    const frames = this.#unsent;
    this.#unsent = '';
    this.#options.response.write(frames);
    this.#timer.refresh();
    if (this.#options.response.writableLength > this.#options.limits.unreadBytes) this.#cut();
  }

  #open(): void {
    if (this.#opened) return;
    this.#opened = true;
    clearTimeout(this.#timer);
    this.#timer = setInterval(() => this.#comment(), this.#options.limits.commentMs);
    this.#options.onOpen();
    this.#options.response.writeHead(200, this.#wire.headers);
  }

  /** The reader does not read: its `close` event cancels the request. */
  #cut(): void {
    this.#stop();
    this.#options.response.destroy();
  }

  #stop(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }
}
