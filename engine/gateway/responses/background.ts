// Owns the responses that are made without a client: what each is now, and how it is cancelled.
// Knows nothing about HTTP or about how answers are made.

export interface BackgroundResponse {
  readonly tenant: string;
  /** The object of the response as it is now. */
  readonly look: () => object;
  /** Resolves once it is kept as cancelled. */
  readonly cancel: () => Promise<void>;
}

export class BackgroundResponses {
  readonly #open = new Map<string, BackgroundResponse>();

  /** Until `ended` resolves. */
  add(id: string, response: BackgroundResponse, ended: Promise<void>): void {
    this.#open.set(id, response);
    void ended.then(() => this.#open.delete(id));
  }

  /** Undefined also for another tenant's. */
  get(tenant: string, id: string): BackgroundResponse | undefined {
    const response = this.#open.get(id);
    return response?.tenant === tenant ? response : undefined;
  }
}
