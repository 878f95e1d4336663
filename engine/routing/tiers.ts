// Decides which targets a tier has, and what a name in a request means. Pure.
import { TIERS, type RoutingSettings, type Tier } from '../contract.ts';
import type { HostedModel } from '../fleet/host.ts';
import { isDecoder } from '../models/manifest.ts';

export interface TierTarget {
  readonly name: string;
  readonly tier: Tier;
}

/** What a request asks for. */
export type NameMeaning =
  /** Null: whichever tier is enough. */
  { readonly kind: 'route'; readonly tier: Tier | null } | { readonly kind: 'pinned'; readonly model: string };

export const AUTO = 'auto';

/** Names that route, as `/v1/models` lists them. */
export const ROUTE_NAMES: readonly string[] = [AUTO, ...TIERS.map((tier) => `${AUTO}:${tier}`)];

/** `auto` and `auto:<tier>` route, an alias stands for another name (once), every other name pins. */
export function meaningOf(name: string, aliases: RoutingSettings['aliases']): NameMeaning {
  const target = aliases.find((alias) => alias.name === name)?.target ?? name;
  if (target === AUTO) return { kind: 'route', tier: null };
  const tier = TIERS.find((candidate) => target === `${AUTO}:${candidate}`);
  return tier === undefined ? { kind: 'pinned', model: target } : { kind: 'route', tier };
}

/** How much of what the strongest tier knows beyond the weakest a tier is taken to have, before anything is measured. */
export const STRENGTH: Readonly<Record<Tier, number>> = { fast: 0, balanced: 0.5, premium: 1 };

/** The targets in the order of tiers; where no tier names any, by size. A target in two tiers counts in the first. */
export function targetsOf(tiers: RoutingSettings['tiers'], models: readonly HostedModel[]): readonly TierTarget[] {
  const named = TIERS.flatMap((tier) => tiers[tier].map((name) => ({ name, tier })));
  const targets = named.length > 0 ? named : bySize(models);
  return targets.filter(({ name }, at) => targets.findIndex((other) => other.name === name) === at);
}

/** The smallest is fast, the largest premium and what lies between balanced; upstream models are premium, and the largest here then balanced. */
function bySize(models: readonly HostedModel[]): readonly TierTarget[] {
  const writers = models.filter(({ manifest }) => isDecoder(manifest));
  const local = writers
    .filter(({ origin }) => origin === undefined)
    .toSorted((left, right) => left.manifest.parameterCount - right.manifest.parameterCount)
    .map(({ manifest }) => manifest.id);
  const upstream = writers.filter(({ origin }) => origin === 'upstream').map(({ manifest }) => manifest.id);
  const largest: Tier = upstream.length > 0 ? 'balanced' : 'premium';
  const tierOf = (place: number): Tier => (place === 0 ? 'fast' : place === local.length - 1 ? largest : 'balanced');
  return [
    ...local.map((name, place) => ({ name, tier: tierOf(place) })),
    ...upstream.map((name): TierTarget => ({ name, tier: 'premium' })),
  ];
}
