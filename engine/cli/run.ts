// `millrace run`: one question, one answer on the terminal.
import { text as readAll } from 'node:stream/consumers';
import type { EngineConfig } from '../config.ts';
import { EngineError } from '../errors.ts';
import { ask } from './answer.ts';

export interface RunFlags {
  readonly system: string | null;
  readonly maxTokens: number | null;
  readonly temperature: number;
  readonly seed: number | null;
  readonly json: boolean;
}

/** Streams the answer to stdout, or prints one JSON object at the end. `prompt` `-` or null means stdin. */
export async function run(model: string, prompt: string | null, flags: RunFlags, config: EngineConfig): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort(new DOMException('Interrupted.', 'AbortError')));
  const { json, ...sampling } = flags;
  const question = { model, prompt: await readPrompt(prompt), ...sampling, signal: stop.signal };
  const startedAtMs = performance.now();
  let firstTextMs: number | null = null;
  const answer = await ask(question, config, (text) => {
    firstTextMs ??= performance.now() - startedAtMs;
    if (!json) process.stdout.write(text);
  });
  const durationMs = performance.now() - startedAtMs;
  process.stdout.write(json ? `${JSON.stringify({ model, ...answer, firstTextMs, durationMs })}\n` : '\n');
}

async function readPrompt(prompt: string | null): Promise<string> {
  if (prompt !== null && prompt !== '-') return prompt;
  if (process.stdin.isTTY)
    throw new EngineError('invalid_request', 'Give a prompt, or send one through stdin: echo "Hello" | millrace run NAME -');
  const text = (await readAll(process.stdin)).trim();
  if (text === '') throw new EngineError('invalid_request', 'The prompt on stdin is empty.');
  return text;
}
