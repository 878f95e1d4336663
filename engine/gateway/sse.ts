// Owns one event stream's bytes: head, frames, keep-alive comments, and the bound on what a slow reader leaves unread.
// Knows nothing about what the frames mean.
import type { ServerResponse } from 'node:http';
import type { Limits } from './limits.ts';

const COMMENT = ': keep-alive\n\n';
/** Of every event stream. */
export const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  // Asks buffering proxies (nginx) to pass each frame on at once.
  'x-accel-buffering': 'no',
} as const;

export interface SseOptions {
  readonly response: ServerResponse;
  readonly limits: Pick<Limits, 'unreadBytes' | 'firstByteMs' | 'commentMs'>;
  /** Called once before the first byte is sent. */
  readonly onOpen: () => void;
}

export class SseStream {
  readonly #options: SseOptions;
  #timer: NodeJS.Timeout;
  #opened = false;
  #ended = false;
  #unsent = '';

  constructor(options: SseOptions) {
    this.#options = options;
    this.#timer = setTimeout(() => this.send(COMMENT), options.limits.firstByteMs);
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
    this.#timer = setInterval(() => this.send(COMMENT), this.#options.limits.commentMs);
    this.#options.onOpen();
    this.#options.response.writeHead(200, STREAM_HEADERS);
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
