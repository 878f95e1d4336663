// Runs the vendors' tools: one that answers once, or one that prints lines for as long as it lives.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A tool's last words are kept up to this length. */
const MAX_WORDS = 400;

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** What the program prints; null when it is not installed. Rejects when it fails or `signal` ends it. */
export function runProgram({ file, args }: Command, signal: AbortSignal): Promise<string | null> {
  return new Promise((resolve, reject) => {
    execFile(
      file,
      args,
      { signal, encoding: 'utf8', windowsHide: true, killSignal: 'SIGKILL', maxBuffer: 4 * 2 ** 20 },
      (error, stdout) => {
        if (error === null) resolve(stdout);
        else if (isMissing(error)) resolve(null);
        else reject(error);
      },
    );
  });
}

/** How a program that should have gone on came to its end. */
export type ProgramEnd = { readonly kind: 'missing' } | { readonly kind: 'ended'; readonly words: string };

/** One running program. Its lines go to `onLine`; `onEnd` is called once, unless it was closed. */
export class LineProgram {
  readonly #child: ChildProcess;
  #words = '';
  #over = false;

  constructor({ file, args }: Command, listeners: { readonly onLine: (line: string) => void; readonly onEnd: (end: ProgramEnd) => void }) {
    this.#child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
    const finish = (end: ProgramEnd): void => {
      if (this.#over) return;
      this.#over = true;
      listeners.onEnd(end);
    };
    this.#child.on('error', (error) => finish(isMissing(error) ? { kind: 'missing' } : { kind: 'ended', words: error.message }));
    this.#child.on('close', (code, signal) =>
      finish({ kind: 'ended', words: `ended with ${signal ?? `code ${code}`}. ${this.#words}`.trim() }),
    );
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.#words = line.slice(0, MAX_WORDS);
        if (stream === this.#child.stdout && !this.#over) listeners.onLine(line);
      });
    }
  }

  /** Ends it at once; no listener is called after that. */
  close(): void {
    this.#over = true;
    this.#child.kill('SIGKILL');
    // A program that hangs in its driver cannot be killed; it must not keep this process alive.
    this.#child.unref();
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }
}

function isMissing(error: Error): boolean {
  return 'code' in error && error.code === 'ENOENT';
}
