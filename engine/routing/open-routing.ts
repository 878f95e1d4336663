// Wires the parts of this room: routing before the caches before the models, upstreams among them. What `main.ts` needs of it.
import { join } from 'node:path';
import type { Banner, RoutingSettings, Settings, StatedAlert, UpstreamPrice } from '../contract.ts';
import { EngineError } from '../errors.ts';
import type { GenerateRequest, ModelHost } from '../fleet/host.ts';
import { energyJoules, energyUsd, hardwareUsd } from '../ledger/cost/formulas.ts';
import { SettingsFile } from '../ledger/settings/settings-file.ts';
import type { Log } from '../log.ts';
import { Canaries } from './canary/canaries.ts';
import { CachedHost } from './cache/cached-host.ts';
import { meterOf, strongAccuracyOf, type ComplexityMeter } from './complexity/meter.ts';
import { readRouterModel } from './complexity/model.ts';
import { QualityBook, type BarredTarget } from './quality/quality-book.ts';
import { Shadow } from './quality/shadow.ts';
import { foreseenAnswerTokens, foreseenPromptTokens } from './request-facts.ts';
import { RoutedHost, type AnsweredRoute, type RouteQuality } from './routed-host.ts';
import type { RouterControl } from './router-control.ts';
import { STRENGTH } from './tiers.ts';
import { findTarget } from './upstream/hosted.ts';
import { UpstreamSpending } from './upstream/spending.ts';
import { UpstreamHost } from './upstream/upstream-host.ts';
import { UpstreamKeys } from './upstream/upstream-keys.ts';
import { whatIf } from './what-if.ts';

export interface RoutingOptions {
  /** The models of this machine. */
  readonly models: ModelHost;
  readonly dataDir: string;
  readonly log: Log;
  /** Lets a variant answer to the plain name of its model. */
  readonly promote: (model: string, variant: string) => Promise<void>;
}

export interface Routing {
  readonly host: RoutedHost;
  readonly control: RouterControl;
  /** The installed models must be known by the first call. */
  applySettings(settings: Settings): void;
  close(): Promise<void>;
}

const DECISIONS_SHOWN = 200;
const DECISIONS_REPLAYED = 2_000;

/** Reads the settings at once: names must mean from the first request on what they will mean. */
export async function openRouting(options: RoutingOptions): Promise<Routing> {
  const { models, dataDir, log } = options;
  let settings = (await SettingsFile.open(join(dataDir, 'settings.json'), log)).current;
  const routing = (): RoutingSettings => settings.routing;
  const price = (target: string): UpstreamPrice | undefined => priceOf(target, settings);
  const usdOf = (deviceMs: number): number => deviceUsd(settings, deviceMs);
  const keys = new UpstreamKeys({ dataDir, log });
  const spending = await UpstreamSpending.open(join(dataDir, 'upstream-spending.json'), log);
  const upstreams = new UpstreamHost({ host: models, settings: routing, price, keyOf: (name) => keys.get(name), spending });
  const cached = new CachedHost({ host: upstreams, path: join(dataDir, 'cache.db'), log });
  const book = openQuality(options, () => routing().qualityBar);
  const shadow: Shadow = new Shadow({
    host: cached,
    settings: routing,
    targets: () => host.book.targets(),
    isIdle: (target) => host.book.down(target) === null && host.book.waitMs(target) === 0,
    foreseenUsd: (target, request) => foreseenUsd(host, target, request),
    deviceUsd: usdOf,
    onGrade: (grade) => book.grade(grade),
    log,
    now: Date.now,
    random: Math.random,
  });
  const quality = qualityOf(book, shadow, () => host);
  const complexity = readOnce();
  const canaries = new Canaries({ path: join(dataDir, 'canaries.json'), log, promote: options.promote, now: Date.now });
  const host: RoutedHost = new RoutedHost({
    host: cached,
    canaries,
    settings: routing,
    complexity,
    price,
    deviceUsd: usdOf,
    quality,
  });
  return {
    host,
    control: controlOf({ host, canaries, book, shadow, spending, keys, upstreams, complexity, settings: routing }),
    applySettings: (next) => {
      settings = next;
      cached.applySettings(next.cache);
    },
    close: async () => {
      upstreams.close();
      await Promise.all([cached.close(), spending.close(), book.close()]);
    },
  };
}

function openQuality({ dataDir, log }: RoutingOptions, qualityBar: () => number): QualityBook {
  const told = (target: string, reason: string | null): void => {
    if (reason === null) log.info({ target }, 'a target is routed to again');
    else log.warn({ target, reason }, 'a target is no longer routed to');
  };
  return new QualityBook({ path: join(dataDir, 'quality.jsonl'), log, qualityBar, now: Date.now, onBarred: told });
}

function qualityOf(book: QualityBook, shadow: Shadow, host: () => RoutedHost): RouteQuality {
  return {
    bars: (target) => book.bars(target),
    bias: () => book.bias(),
    of: (target) => book.of(target),
    pinned: (requestId, target, usd) => book.answered(requestId, { target, expectedLoss: null, usd, isStrongest: false }),
    answered: (answer: AnsweredRoute) => {
      const { target, request, expectedGain, usd } = answer;
      const isStrongest = host()
        .book.targets()
        .every(({ tier }) => STRENGTH[tier] <= STRENGTH[target.tier]);
      const expectedLoss = Math.max(0, (1 - STRENGTH[target.tier]) * expectedGain);
      if (request.route) book.answered(request.route.requestId, { target: target.name, expectedLoss, usd, isStrongest });
      shadow.consider(answer);
    },
  };
}

interface Parts {
  readonly host: RoutedHost;
  readonly canaries: Canaries;
  readonly book: QualityBook;
  readonly shadow: Shadow;
  readonly spending: UpstreamSpending;
  readonly keys: UpstreamKeys;
  readonly upstreams: UpstreamHost;
  readonly complexity: () => ComplexityMeter;
  readonly settings: () => RoutingSettings;
}

function controlOf({ host, canaries, book, shadow, spending, keys, upstreams, complexity, settings }: Parts): RouterControl {
  return {
    canaries,
    now: () => ({
      settings: settings(),
      targets: host.targets(),
      upstreams: settings().upstreams.map(({ name }) => ({ name, hasKey: keys.has(name) })),
      upstreamUsd: spending.usd,
      quality: book.overall(),
      shadowUsdToday: shadow.usdToday,
      decisions: host.decisions.latest(DECISIONS_SHOWN),
    }),
    decision: (requestId) => host.decisions.of(requestId),
    whatIf: (ask) => whatIf(host.decisions.latest(DECISIONS_REPLAYED), ask, strongAccuracyOf(complexity())),
    setUpstreamKey: (upstream, key) => {
      if (!settings().upstreams.some(({ name }) => name === upstream))
        throw new EngineError('not_found', `There is no upstream ${JSON.stringify(upstream)}.`, { param: 'name' });
      keys.set(upstream, key);
    },
    feedback: (requestId, score) => book.feedback(requestId, score),
    quality: () => book.overall(),
    cutUpstream: (upstream) => upstreams.cut(upstream),
    banners: () => book.barred.map(bannerOf),
    alerts: () => book.barred.map(alertOf),
  };
}

function alertOf({ target, reason, loss, allowedLoss }: BarredTarget): StatedAlert {
  return {
    ruleId: 'route-barred',
    name: 'Answers below the quality bar',
    subject: target,
    value: loss,
    threshold: allowedLoss,
    sentence: `${target} is no longer routed to: ${reason}.`,
    remedy:
      'Others answer meanwhile, and it is tried again after an hour. Try a better variant of it, put it in a lower tier, or lower the bar.',
  };
}

function bannerOf({ target, reason }: BarredTarget): Banner {
  const text = `${target} is no longer routed to: its answers are not good enough. It is tried again after an hour; until then others answer.`;
  return { id: `route-${target}`, tone: 'warning', text, detail: reason };
}

function foreseenUsd({ book }: RoutedHost, target: string, { prompt, params }: GenerateRequest): number | null {
  return book.costUsd(target, foreseenPromptTokens(prompt), foreseenAnswerTokens(params, book.stats(target).answerTokens));
}

/** Of an upstream's model; undefined for every other name. */
function priceOf(target: string, { routing, cost }: Settings): UpstreamPrice | undefined {
  const found = findTarget(target, routing.upstreams);
  return found && cost.upstreamPrices.find(({ name }) => name === found.model.name);
}

/** When it is first asked for. */
function readOnce(): () => ComplexityMeter {
  let meter: ComplexityMeter | null = null;
  return () => (meter ??= meterOf(readRouterModel()));
}

/** For comparing targets: what devices really cost is measured elsewhere. */
function deviceUsd({ cost }: Settings, deviceMs: number): number {
  return energyUsd(energyJoules(cost.busyWatts, deviceMs), cost) + hardwareUsd(deviceMs, cost);
}
