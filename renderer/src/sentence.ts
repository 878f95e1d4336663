// The one sentence at the top: the engine's state in words, and what to do when something is wrong. Pure.
import type { EngineStatus, ModelStatus } from '../../engine/contract.ts';
import { formatRate } from './format.ts';

type Tone = 'idle' | 'busy' | 'warning' | 'problem';

export interface Sentence {
  readonly tone: Tone;
  /** The tone in a word, so that colour is never alone. */
  readonly word: string;
  readonly text: string;
}

/** `lost`: the last question to the engine failed. `status`: the last answer, null before the first. */
export function describeEngine(status: EngineStatus | null, lost: boolean): Sentence {
  if (lost)
    return { tone: 'problem', word: 'no connection', text: 'The engine does not answer. Is it still running? Asking again every second.' };
  if (status === null) return { tone: 'idle', word: 'connecting', text: 'Asking the engine how it is.' };
  if (status.state === 'draining')
    return { tone: 'warning', word: 'stopping', text: `Shutting down: ${count(status.openRequests)} left to finish.` };
  return describeModels(status);
}

function describeModels(status: EngineStatus): Sentence {
  const { models } = status;
  if (models.length === 0) return { tone: 'warning', word: 'no model', text: 'No model is installed yet.' };
  const failed = models.find(({ state }) => state === 'failed');
  if (failed !== undefined)
    return { tone: 'problem', word: 'failed', text: `${failed.id} could not be loaded: ${failed.failure ?? 'no reason given'}` };
  const loading = models.find(({ state }) => state === 'loading');
  if (loading !== undefined) return { tone: 'busy', word: 'loading', text: `Loading ${loading.id}.` };
  return describeLoad(status);
}

function describeLoad(status: EngineStatus): Sentence {
  if (status.openRequests === 0) return { tone: 'idle', word: 'serving', text: 'Ready. Nobody is asking right now.' };
  const waiting = total(status.models, 'waitingRequests');
  const rate = `Serving ${count(status.openRequests)} at ${formatRate(status.tokensPerSecond)} tokens/s`;
  return { tone: 'busy', word: 'serving', text: `${rate}; ${waiting === 0 ? 'nobody waits' : `${waiting} of them wait for a slot`}.` };
}

function total(models: readonly ModelStatus[], field: 'waitingRequests' | 'runningRequests'): number {
  return models.reduce((sum, { running }) => sum + (running?.[field] ?? 0), 0);
}

const count = (requests: number): string => (requests === 1 ? '1 request' : `${requests} requests`);
