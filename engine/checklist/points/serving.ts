// Decides how models are served: their precision, how they are batched, and whether the devices have work. Pure.
import type { Evidence } from '../evidence.ts';
import { count, percent, type Finding } from '../judge.ts';

/** At these a weight takes a byte or less. */
const SMALL: ReadonlySet<string> = new Set(['int8', 'int4']);
const MODELS = { kind: 'open', label: 'Open Models', path: '/models' } as const;

export function quantisation({ models }: Evidence): Finding {
  if (models.length === 0)
    return { state: 'unknown', figure: 'No model installed', sentence: 'There is nothing to quantise yet.', remedy: MODELS };
  const large = models.filter(({ precision }) => !SMALL.has(precision));
  const figure = `${models.length - large.length} of ${count(models.length, 'model')} at INT8 or below`;
  if (large.length === 0)
    return { state: 'good', figure, sentence: 'Each weight takes a byte or less: half of FP16, a quarter of FP32.', remedy: null };
  const names = large.map(({ id, precision }) => `${id} (${precision.toUpperCase()})`).join(', ');
  const sentence = `${names} could take half the memory or less and answer faster at INT8; measure what it costs before promoting it.`;
  return { state: large.length === models.length ? 'bad' : 'attention', figure, sentence, remedy: MODELS };
}

/** Below this mean, a busy server computes most steps for one request alone. */
const LEAST_BATCH = 1.5;

export function batching({ models, traffic }: Evidence): Finding {
  const single = models.filter(({ running }) => running !== null && running.batches === null && running.maxSlots === 1);
  if (single.length > 0) {
    const sentence = `${single.map(({ id }) => id).join(', ')} answers one request after the other.`;
    const text = 'Start the server without --slots 1, or with more slots.';
    return { state: 'bad', figure: 'Batching is off', sentence, remedy: { kind: 'advice', text } };
  }
  const mean = traffic.meanBatchUnderLoad;
  if (mean === null) {
    const sentence = 'Batching is on, but in no minute of the last day two requests ran at once, so its effect was not measured.';
    return { state: 'unknown', figure: 'On, not measured under load', sentence, remedy: { kind: 'load_test', label: 'Load test at 2×' } };
  }
  const figure = `${mean.toFixed(1)} sequences a step under load`;
  if (mean >= LEAST_BATCH) return { state: 'good', figure, sentence: 'Requests that come together are computed together.', remedy: null };
  const sentence = 'Requests overlap, yet most steps compute one sequence: they are short, or they wait on something else.';
  return { state: 'attention', figure, sentence, remedy: { kind: 'open', label: 'Open History', path: '/history' } };
}

const BUSY = 0.85;

export function utilisation({ traffic, settings }: Evidence): Finding {
  const { utilisation: mean, peakUtilisation: peak, waitP99Ms } = traffic;
  if (mean === null || peak === null)
    return { state: 'unknown', figure: 'Not measured yet', sentence: 'No device has been sampled for an hour yet.', remedy: null };
  const figure = `${percent(mean)} on average, ${percent(peak)} in the busiest hour`;
  const goalMs = settings.slos.fallback.ttftMs;
  if (peak > BUSY && goalMs !== null && waitP99Ms !== null && waitP99Ms > goalMs) {
    const sentence = `In the busiest hour requests waited up to ${Math.round(waitP99Ms)} ms (p99), more than the goal of ${goalMs} ms.`;
    const text = 'Add a box, an upstream for the peak, or a smaller model for easy requests.';
    return { state: 'bad', figure, sentence, remedy: { kind: 'advice', text } };
  }
  if (settings.idleUnloadMinutes === null) return neverUnloaded(figure);
  const sentence = `Slots grow and shrink with demand, and a model without requests is unloaded after ${settings.idleUnloadMinutes} min.`;
  return { state: 'good', figure, sentence, remedy: null };
}

function neverUnloaded(figure: string): Finding {
  return {
    state: 'attention',
    figure,
    sentence: 'Models stay in memory however long nobody asks for them.',
    remedy: {
      kind: 'settings',
      label: 'Unload after 30 min',
      done: 'Models without requests are unloaded after 30 minutes; the next request loads them again.',
      patch: { idleUnloadMinutes: 30 },
      undo: { idleUnloadMinutes: null },
    },
  };
}
