// The one sentence at the top: the engine's state in words, and what to do when something is wrong. Pure.
import type { ModelStatus, NowSnapshot } from '../../../engine/contract.ts';
import { formatRate, plural } from '../format.ts';
import type { LiveState } from '../live/live-feed.ts';
import type { Tone } from '../parts/status.tsx';

export interface Sentence {
  readonly tone: Tone;
  /** The tone in a word, so that colour is never alone. */
  readonly word: string;
  /** What is the case, in one line. */
  readonly text: string;
  /** What it means or what to do, in another; absent: nothing. */
  readonly detail?: string;
}

/** Both, as they are spoken. */
export const wholeSentence = ({ text, detail }: Sentence): string => (detail === undefined ? text : `${text} ${detail}`);

export function describeEngine({ now, connection }: Pick<LiveState, 'now' | 'connection'>): Sentence {
  if (connection === 'lost')
    return {
      tone: 'problem',
      word: 'no connection',
      text: 'The engine does not answer. Is it still running?',
      detail: 'What you see is the last that is known.',
    };
  if (now === null) return { tone: 'idle', word: 'connecting', text: 'Asking the engine how it is.' };
  if (now.state === 'draining')
    return {
      tone: 'warning',
      word: 'stopping',
      text: `Shutting down: ${plural(now.queue.running + now.queue.waiting, 'request')} left to finish.`,
    };
  if (now.state === 'paused') return { tone: 'warning', word: 'paused', text: 'Paused: new requests are refused until you resume.' };
  return describeAlerts(now) ?? describeModels(now);
}

function describeAlerts({ alerts }: NowSnapshot): Sentence | null {
  const awake = alerts.filter(({ snoozedUntilMs }) => snoozedUntilMs === null);
  const [first] = awake;
  if (first === undefined) return null;
  const more = awake.length === 1 ? '' : ` And ${plural(awake.length - 1, 'more alert')}.`;
  return { tone: 'warning', word: plural(awake.length, 'alert'), text: firstSentence(first.sentence) + more, detail: first.remedy };
}

/** The finding with its figure; what it indicates follows. A full stop within a figure or a name ends nothing. */
export const firstSentence = (text: string): string => /^.*?\S\.(?=\s+\p{Lu})/su.exec(text)?.[0] ?? text;

function describeModels(now: NowSnapshot): Sentence {
  const { models } = now;
  if (models.length === 0)
    return { tone: 'warning', word: 'no model', text: 'No model is installed yet.', detail: 'Get one on the Models screen.' };
  const failed = models.find(({ state }) => state === 'failed');
  if (failed !== undefined)
    return { tone: 'problem', word: 'failed', text: `${failed.id} could not be loaded.`, detail: failed.failure ?? 'No reason was given.' };
  if (now.queue.running + now.queue.waiting > 0) return describeLoad(now);
  const loading = models.find(({ state }) => state === 'loading');
  if (loading !== undefined) return { tone: 'busy', word: 'loading', text: `Loading ${loading.id}.` };
  return { tone: 'ok', word: 'serving', text: idleText(models) };
}

function idleText(models: readonly ModelStatus[]): string {
  const ready = models.filter(({ state }) => state === 'ready').length;
  return ready === 0 ? 'Ready. The first request loads its model.' : 'Ready. Nobody is asking right now.';
}

function describeLoad({ queue, tokensPerSecond }: NowSnapshot): Sentence {
  const { running, waiting } = queue;
  const rate = `Serving ${plural(running, 'request')} at ${formatRate(tokensPerSecond)} tok/s`;
  const verb = waiting === 1 ? 'waits' : 'wait';
  return {
    tone: 'busy',
    word: 'serving',
    text: `${rate}; ${waiting === 0 ? 'nobody waits' : `${plural(waiting, 'more request')} ${verb}`}.`,
  };
}
