// Decides what is saved: by the router, by caches, by batches on spare capacity, and whether cost and quality are known. Pure.
import type { SizingAdvice } from '../../contract.ts';
import type { Evidence } from '../evidence.ts';
import { count, percent, usd, type Finding } from '../judge.ts';

export function routing({ routing: router, settings, costs }: Evidence): Finding {
  if (router === null) return { state: 'unknown', figure: 'No router', sentence: 'This server chooses no models.', remedy: null };
  if (router.targets < 2) {
    const sentence = 'A router needs a choice: a small model for easy requests and a stronger one, here or at an upstream.';
    return {
      state: 'attention',
      figure: count(router.targets, 'target'),
      sentence,
      remedy: { kind: 'open', label: 'Get a model', path: '/models' },
    };
  }
  if (router.routed === 0) return notRouted(router.targets, settings.routing.aliases);
  const saved = costs.total.savedShare;
  const figure = `${count(router.routed, 'request')} routed${saved === null ? '' : `, ${percent(saved)} saved`}`;
  const sentence = `The cheapest model that should do answers; the saving is over the last seven days, against ${settings.cost.premium}.`;
  return { state: 'good', figure, sentence, remedy: null };
}

/** Names that programs have built in most often. */
const COMMON_NAMES = [
  { name: 'gpt-4o-mini', target: 'auto:fast' },
  { name: 'gpt-4o', target: 'auto' },
] as const;

function notRouted(targets: number, aliases: Evidence['settings']['routing']['aliases']): Finding {
  const figure = `${count(targets, 'target')}, no routed request`;
  const missing = COMMON_NAMES.filter(({ name }) => aliases.every((alias) => alias.name !== name));
  if (missing.length === 0) {
    const text = 'Let your programs ask for the model `auto`.';
    return { state: 'attention', figure, sentence: 'Every request names its model.', remedy: { kind: 'advice', text } };
  }
  const names = missing.map(({ name }) => name).join(' and ');
  return {
    state: 'attention',
    figure,
    sentence: 'Every request names its model, so that the router has nothing to choose.',
    remedy: {
      kind: 'settings',
      label: `Route ${names}`,
      done: `Requests for ${names} are now routed to the cheapest model that should do.`,
      patch: { routing: { aliases: [...aliases, ...missing] } },
      undo: { routing: { aliases } },
    },
  };
}

export function spareCapacity({ batches, settings }: Evidence): Finding {
  if (batches === null) return { state: 'unknown', figure: 'No batches', sentence: 'Batches are not open.', remedy: null };
  const { windows } = settings.batch;
  const figure = batches.rows === 0 ? 'Never used' : `${count(batches.rows, 'row')} for ${usd(batches.spotUsd)}`;
  if (batches.waiting !== null && windows.length > 0) {
    const remedy = {
      kind: 'settings',
      label: 'Let them run at any time',
      done: 'Batches may run at any time of the day; interactive requests still go first.',
      patch: { batch: { windows: [] } },
      undo: { batch: { windows } },
    } as const;
    return { state: 'attention', figure, sentence: batches.waiting, remedy };
  }
  if (batches.rows === 0) {
    const sentence = 'Work that can wait could use the hours in which nobody asks: send it to /v1/batches.';
    return { state: 'attention', figure, sentence, remedy: { kind: 'open', label: 'How to send a batch', path: '/api' } };
  }
  const sentence = `The same work done at once would have cost ${usd(batches.interactiveUsd)}.`;
  return { state: 'good', figure, sentence, remedy: null };
}

export function rightSizing(_evidence: Evidence, advice: readonly SizingAdvice[]): Finding {
  const open = advice.filter(({ kind }) => kind === 'change');
  if (advice.length === 0)
    return { state: 'unknown', figure: 'Not measured yet', sentence: 'There is no history to size by.', remedy: null };
  const [first] = open;
  if (first === undefined)
    return { state: 'good', figure: 'Nothing to change', sentence: 'Models and devices fit what is asked of them.', remedy: null };
  const remedy = { kind: 'open', label: 'Open Models', path: '/models' } as const;
  return { state: 'attention', figure: `${count(open.length, 'piece')} of advice open`, sentence: first.sentence, remedy };
}

/** Below so many requests a share of hits says nothing. */
const ENOUGH_REQUESTS = 100;

export function caching({ settings, traffic }: Evidence): Finding {
  if (!settings.cache.enabled) {
    return {
      state: 'bad',
      figure: 'Off',
      sentence: 'Answers that could be given again are computed again.',
      remedy: {
        kind: 'settings',
        label: 'Turn the cache on',
        done: 'Equal embeddings, and equal questions at temperature 0 or with a seed, are answered from the cache.',
        patch: { cache: { enabled: true } },
        undo: { cache: { enabled: false } },
      },
    };
  }
  if (traffic.requests < ENOUGH_REQUESTS) {
    const sentence = `The cache is on; ${count(traffic.requests, 'request')} in seven days are too few to judge it by.`;
    return { state: 'unknown', figure: 'On, not measured yet', sentence, remedy: null };
  }
  const share = traffic.cacheHits / traffic.requests;
  const figure = `${percent(share)} of requests`;
  if (share > 0)
    return { state: 'good', figure, sentence: `${count(traffic.cacheHits, 'request')} of seven days needed no device.`, remedy: null };
  const text = 'Send temperature 0 or a seed where an earlier answer may be given again.';
  return { state: 'attention', figure, sentence: 'No answer of seven days was given again.', remedy: { kind: 'advice', text } };
}

/** Share of routed requests that a stronger model answers too, when one click turns it on. */
const SHADOW_SHARE = 0.02;

export function costAndQuality({ costs, routing: router, settings, traffic }: Evidence): Finding {
  const { perRequestUsd } = costs.total;
  if (perRequestUsd === null)
    return { state: 'unknown', figure: 'No request yet', sentence: 'There is nothing to account for.', remedy: null };
  const latency = traffic.ttftP99Ms === null ? '' : `, p99 first token ${Math.round(traffic.ttftP99Ms)} ms`;
  const quality = router?.quality ?? { kind: 'not_measured' };
  const price = `${usd(perRequestUsd)} a request${latency}`;
  if (quality.kind === 'measured') {
    const figure = `${price}, quality ${quality.mean.toFixed(2)} ±${quality.plusMinus.toFixed(2)}`;
    return { state: 'good', figure, sentence: 'Cost stands beside latency and quality.', remedy: null };
  }
  const sentence = 'Cost and latency are tracked, but nobody measures how good the answers are.';
  const figure = `${price}, quality not measured`;
  if ((router?.targets ?? 0) < 2 || settings.routing.shadowShare > 0) {
    const text = 'Send feedback on answers to POST /v1/feedback.';
    return { state: 'attention', figure, sentence, remedy: { kind: 'advice', text } };
  }
  return { state: 'attention', figure, sentence, remedy: shadow(settings.routing) };
}

function shadow({ shadowShare, shadowDailyUsd }: Evidence['settings']['routing']) {
  return {
    kind: 'settings',
    label: `Compare ${percent(SHADOW_SHARE)} of answers`,
    done: `A stronger model answers ${percent(SHADOW_SHARE)} of routed requests too, for at most ${usd(shadowDailyUsd)} a day.`,
    patch: { routing: { shadowShare: SHADOW_SHARE } },
    undo: { routing: { shadowShare } },
  } as const;
}
