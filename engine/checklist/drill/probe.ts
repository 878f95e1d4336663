// Owns one probe: a streamed chat request through the server's own address, and what its user would have seen.
// Knows nothing about faults or verdicts.
import type { DrillProbe } from '../../contract.ts';
import type { ProbeDoor } from '../checklist-control.ts';

export interface ProbeWish {
  readonly model: string;
  readonly maxTokens: number;
  /** Called at the first token. */
  readonly onFirst?: () => void;
  readonly signal?: AbortSignal;
}

export type Probe = (door: ProbeDoor, wish: ProbeWish) => Promise<DrillProbe>;

const LIMIT_MS = 120_000;

/** Never rejects: what went wrong is what the user would have seen; status 0 means no answer at all. */
export async function probe(door: ProbeDoor, wish: ProbeWish): Promise<DrillProbe> {
  const startedAt = performance.now();
  const seen = new Seen(wish.onFirst ?? (() => undefined));
  try {
    const response = await ask(door, wish);
    seen.status = response.status;
    seen.model = response.headers.get('x-millrace-model');
    if (response.ok && response.body !== null) for await (const text of response.body.pipeThrough(new TextDecoderStream())) seen.add(text);
    else seen.errorCode = errorCode(await response.text());
  } catch (cause) {
    seen.errorCode ??= cause instanceof Error && cause.name === 'TimeoutError' ? 'no_answer' : 'connection_lost';
  }
  const ttftMs = seen.firstAt === null ? null : seen.firstAt - startedAt;
  return { status: seen.status, errorCode: seen.outcome(), ttftMs, totalMs: performance.now() - startedAt, model: seen.model };
}

function ask({ url, headers }: ProbeDoor, { model, maxTokens, signal }: ProbeWish): Promise<Response> {
  const limit = AbortSignal.timeout(LIMIT_MS);
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    // A cached answer would say nothing about the model.
    headers: { ...headers, 'content-type': 'application/json', 'cache-control': 'no-cache' },
    body: JSON.stringify({
      model,
      stream: true,
      temperature: 0,
      max_tokens: maxTokens,
      messages: [{ role: 'user', content: 'Count from one to a hundred.' }],
    }),
    signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
  });
}

/** What has arrived of an answer. */
class Seen {
  status = 0;
  errorCode: string | null = null;
  model: string | null = null;
  firstAt: number | null = null;
  readonly #onFirst: () => void;
  #rest = '';
  #isDone = false;

  constructor(onFirst: () => void) {
    this.#onFirst = onFirst;
  }

  add(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('data: ')) this.#take(line.slice('data: '.length));
  }

  /** An answer that stops in the middle is an error that has no name. */
  outcome(): string | null {
    return this.errorCode ?? (this.#isDone ? null : 'answer_cut');
  }

  #take(data: string): void {
    if (data === '[DONE]') {
      this.#isDone = true;
      return;
    }
    const code = errorCode(data);
    if (code !== null) this.errorCode = code;
    else if (this.firstAt === null && /"content":"[^"]/.test(data)) {
      this.firstAt = performance.now();
      this.#onFirst();
    }
  }
}

function errorCode(text: string): string | null {
  try {
    const { error } = JSON.parse(text) as { readonly error?: { readonly code?: unknown; readonly type?: unknown } };
    if (error === undefined) return null;
    return typeof error.code === 'string' ? error.code : 'error';
  } catch {
    return null;
  }
}
