// Owns the process in which one graph is measured. Where a program cannot be started as Node, it is measured in this process, whose
// memory then says less. Knows nothing about what is measured.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { VariantSpeed } from '../../contract.ts';
import { measureSpeed, type SpeedRequest } from './measure-speed.ts';

const WORKER = fileURLToPath(new URL('./measure-speed-worker.ts', import.meta.url));

type Answer = { readonly speed: VariantSpeed } | { readonly failure: string };

/** `signal` ends it early. @throws Error with the reason when the graph does not load or run */
export async function speedOf(request: SpeedRequest, signal?: AbortSignal): Promise<VariantSpeed> {
  if (process.versions['electron'] !== undefined) return await measureSpeed(request);
  const answer = await ask(request, signal);
  if ('failure' in answer) throw new Error(answer.failure);
  return answer.speed;
}

function ask(request: SpeedRequest, signal: AbortSignal | undefined): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const child = fork(WORKER, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
  const onAbort = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', onAbort, { once: true });
  child.once('message', (answer: Answer) => resolve(answer));
  child.once('error', reject);
  child.once('exit', (code, by) => {
    signal?.removeEventListener('abort', onAbort);
    reject(signal?.aborted === true ? signal.reason : new Error(`The measurement ended with ${by ?? `exit code ${String(code)}`}.`));
  });
  child.send(request);
  return promise;
}
