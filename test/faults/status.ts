// Reads `/api/status` of a served model.
import type { EngineStatus, RunningModel } from '../../engine/contract.ts';
import { MODEL } from '../served.ts';

export async function readStatus(url: string): Promise<EngineStatus> {
  return (await (await fetch(`${url}/api/status`)).json()) as EngineStatus;
}

/** What the runner of the test model says; null while none is ready. */
export async function runningModel(url: string): Promise<RunningModel | null> {
  const { models } = await readStatus(url);
  return models.find((model) => model.id === MODEL)?.running ?? null;
}

/** Process id of the test model's runner. @throws when there is none */
export async function runnerPid(url: string): Promise<number> {
  const running = await runningModel(url);
  if (running === null) throw new Error('The test model is not running.');
  return running.pid;
}
