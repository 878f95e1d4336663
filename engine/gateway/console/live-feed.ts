// Owns the followers of the Now screen: makes one frame for all of them twice a second, as long as there are any.
// Knows nothing about what a frame says. A follower that does not read misses frames, and is cut off when it goes on.

export interface LiveFeedOptions {
  /** One whole frame of the event stream. */
  readonly frame: () => string;
  readonly periodMs: number;
  /** Frames that a follower may miss in a row before it is cut off. */
  readonly missedFrames: number;
  /** Called with what `frame` throws; the feed goes on. */
  readonly onFault: (fault: unknown) => void;
}

/** The part of a response that is used. */
export interface FrameSink {
  /** Bytes that wait for the reader. */
  readonly writableLength: number;
  once(event: 'close', listener: () => void): unknown;
  write(frame: string): unknown;
  end(): unknown;
  destroy(): unknown;
}

interface Follower {
  readonly response: FrameSink;
  missed: number;
}

export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #followers = new Set<Follower>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
  }

  get followers(): number {
    return this.#followers.size;
  }

  /** Sends frames until the connection closes; the first at once. The response's head has been sent. */
  follow(response: FrameSink): void {
    const follower: Follower = { response, missed: 0 };
    this.#followers.add(follower);
    response.once('close', () => this.#leave(follower));
    const frame = this.#frame();
    if (frame !== null) response.write(frame);
    this.#timer ??= setInterval(() => this.#tick(), this.#options.periodMs);
  }

  /** Ends every stream. */
  close(): void {
    for (const { response } of this.#followers) response.end();
    this.#stop();
  }

  #tick(): void {
    const frame = this.#frame();
    if (frame !== null) for (const follower of this.#followers) this.#send(follower, frame);
  }

  #send(follower: Follower, frame: string): void {
    const { response } = follower;
    if (response.writableLength === 0) {
      follower.missed = 0;
      response.write(frame);
    } else if (++follower.missed > this.#options.missedFrames) response.destroy();
  }

  #frame(): string | null {
    try {
      return this.#options.frame();
    } catch (fault) {
      this.#options.onFault(fault);
      return null;
    }
  }

  #leave(follower: Follower): void {
    this.#followers.delete(follower);
    if (this.#followers.size === 0) this.#stop();
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
