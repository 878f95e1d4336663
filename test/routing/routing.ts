// A routed host over fakes, with settings that a test changes and a complexity that the prompt itself names: `gain 0.2: …`.
import { DEFAULT_SETTINGS } from '../../engine/ledger/settings/defaults.ts';
import type { RoutingSettings } from '../../engine/contract.ts';
import type { GenerateRequest, Generation, ModelHost, RouteReport } from '../../engine/fleet/host.ts';
import type { Complexity } from '../../engine/routing/complexity/predict.ts';
import { RoutedHost, type RoutedHostOptions } from '../../engine/routing/routed-host.ts';
import { PLAIN_SAMPLING, type GenerateEvent } from '../../engine/runner/protocol.ts';

/** Of every prompt that names none. */
const USUAL_GAIN = 0.05;
/** A strong model that is always right: the bar is what may be lost. */
export const TRAFFIC = { gain: { mean: 0.1, deviation: 0.05 }, strongAccuracy: 1 };

export function complexityOf(text: string): Complexity {
  const expectedGain = Number(/gain (\d+(?:\.\d+)?)/.exec(text)?.[1] ?? USUAL_GAIN);
  return { value: expectedGain, expectedGain, expert: 'problem', basis: 'surface', reasons: [] };
}

export function routing(host: ModelHost, settings: Partial<RoutingSettings> = {}, extras: Partial<RoutedHostOptions> = {}): RoutedHost {
  return new RoutedHost({
    host,
    settings: () => ({ ...DEFAULT_SETTINGS.routing, latencyGoalMs: null, ...settings }),
    complexity: () => ({
      scorer: { encoder: null, score: ({ text }) => complexityOf(text), scoreSurface: () => complexityOf('') },
      traffic: { choice: TRAFFIC, problem: TRAFFIC },
    }),
    price: () => undefined,
    canaries: { routeOf: () => null },
    deviceUsd: (deviceMs) => deviceMs * 1e-9,
    quality: {
      bars: () => null,
      bias: () => 1,
      answered: () => undefined,
      pinned: () => undefined,
      of: () => ({ quality: { kind: 'not_measured' }, perQualityAdjustedUsd: null }),
    },
    random: () => 0.5,
    ...extras,
  });
}

export function chat(model: string, content: string, extra: Partial<GenerateRequest> = {}): GenerateRequest {
  return {
    model,
    prompt: { kind: 'chat', messages: [{ role: 'user', content }], tools: null, templateOptions: {} },
    params: {
      sampling: PLAIN_SAMPLING,
      maxTokens: 64,
      stop: [],
      topLogprobs: null,
      promptLogprobs: false,
      n: 1,
      ignoreEos: false,
    },
    ...extra,
  };
}

export interface Answer {
  readonly events: readonly GenerateEvent[];
  readonly text: string;
  readonly reports: readonly RouteReport[];
}

/** Resolves with the last event. */
export function answer(
  host: ModelHost,
  request: GenerateRequest,
  onEvent: (event: GenerateEvent, it: Generation) => void = () => undefined,
): Promise<Answer> {
  const events: GenerateEvent[] = [];
  const reports: RouteReport[] = [];
  const route = { requestId: 'req_1', budgetUsd: null, maxLatencyMs: null, quality: null, ...request.route };
  return new Promise((resolve) => {
    const generation = host.generate({ ...request, route: { ...route, onRoute: (report) => reports.push(report) } }, (event) => {
      events.push(event);
      onEvent(event, generation);
      if (event.kind !== 'done' && event.kind !== 'error') return;
      const text = events.map((each) => (each.kind === 'text' ? each.text : '')).join('');
      resolve({ events, text, reports });
    });
  });
}
