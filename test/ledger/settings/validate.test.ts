import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AlertRule } from '../../../engine/contract.ts';
import { DEFAULT_SETTINGS } from '../../../engine/ledger/settings/defaults.ts';
import { acceptStored, applyPatch } from '../../../engine/ledger/settings/validate.ts';

const refusal = (patch: unknown): { readonly param: unknown; readonly message: string } => {
  try {
    applyPatch(DEFAULT_SETTINGS, patch);
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_request' });
    return error as { param: unknown; message: string };
  }
  throw new Error('It was accepted.');
};

const rule = (part: Partial<AlertRule>): AlertRule => ({
  id: 'r',
  name: 'R',
  enabled: true,
  metric: 'queueDepth',
  comparison: 'above',
  threshold: 10,
  windowSeconds: 60,
  clearThreshold: 5,
  minLoad: 0,
  indicates: '',
  remedy: '',
  ...part,
});

describe('applyPatch', () => {
  it('accepts the defaults as they are, and changes nothing without a patch', () => {
    expect(applyPatch(DEFAULT_SETTINGS, structuredClone(DEFAULT_SETTINGS))).toEqual(DEFAULT_SETTINGS);
    expect(applyPatch(DEFAULT_SETTINGS, {})).toEqual(DEFAULT_SETTINGS);
    expect(applyPatch(DEFAULT_SETTINGS, { cost: { idleWatts: undefined } })).toEqual(DEFAULT_SETTINGS);
  });

  it('merges objects, replaces lists, and leaves what it was given alone', () => {
    const before = structuredClone(DEFAULT_SETTINGS);
    const next = applyPatch(DEFAULT_SETTINGS, { cost: { tariffUsdPerKwh: 0.12 }, pinnedModels: ['a', 'b'] });
    expect(next).toEqual({ ...DEFAULT_SETTINGS, cost: { ...DEFAULT_SETTINGS.cost, tariffUsdPerKwh: 0.12 }, pinnedModels: ['a', 'b'] });
    expect(applyPatch(next, { pinnedModels: ['c'] }).pinnedModels).toEqual(['c']);
    expect(DEFAULT_SETTINGS).toEqual(before);
  });

  it('adds, changes and removes the objectives of a model', () => {
    const slo = { ttftMs: 500, interTokenMs: null, totalMs: null };
    const added = applyPatch(DEFAULT_SETTINGS, { slos: { models: { 'a.b/c~d': slo, e: slo } } });
    const changed = applyPatch(added, { slos: { models: { 'a.b/c~d': { ttftMs: 900 }, e: null } } });
    expect(changed.slos.models).toEqual({ 'a.b/c~d': { ...slo, ttftMs: 900 } });
    expect(refusal({ slos: { models: { 'a/b': { ...slo, ttftMs: 0 } } } }).message).toBe(
      'slos.models.a/b.ttftMs must be a number from 1 to 3600000 ms, or null.',
    );
  });

  it('keeps the secret when the console sends back that it is set', () => {
    const secret = applyPatch(DEFAULT_SETTINGS, { alerts: { webhookSecret: 'correct horse' } });
    expect(applyPatch(secret, { alerts: { webhookSecret: 'set', desktop: false } }).alerts).toMatchObject({
      webhookSecret: 'correct horse',
      desktop: false,
    });
    expect(applyPatch(secret, { alerts: { webhookSecret: null } }).alerts.webhookSecret).toBeNull();
  });

  it.each([
    [{ cost: { tariffUsdPerKwh: -1 } }, 'cost.tariffUsdPerKwh', 'must be a number from 0 to 100 USD per kWh.'],
    [{ cost: { tariffUsdPerKwh: '0.3' } }, 'cost.tariffUsdPerKwh', 'must be a number'],
    [{ cost: { hardwareLifeYears: Number.NaN } }, 'cost.hardwareLifeYears', 'must be a number'],
    [{ cost: { premium: 'no such price' } }, 'cost.premium', 'one of cost.upstreamPrices'],
    [
      {
        cost: {
          rentPrices: [
            { name: 'T4', usdPerHour: 1 },
            { name: 'T4', usdPerHour: 2 },
          ],
        },
      },
      'cost.rentPrices.1.name',
      'must be unique',
    ],
    [{ cost: { upstreamPrices: [{ name: '' }] } }, 'cost.upstreamPrices.0.name', 'must be a text of 1 to 100 characters.'],
    [{ cost: { tarif: 1 } }, 'cost.tarif', 'is not a setting.'],
    [{ costs: {} }, 'costs', 'is not a setting.'],
    [{ cost: null }, 'cost', 'must be an object.'],
    [{ retention: { secondsHours: 1.5 } }, 'retention.secondsHours', 'must be a whole number from 1 to 720 hours.'],
    [{ alerts: { webhookUrl: 'file:///etc/passwd' } }, 'alerts.webhookUrl', 'must be an http or https address, or null.'],
    [{ alerts: { rules: [rule({}), rule({})] } }, 'alerts.rules.1.id', 'must be unique'],
    [{ alerts: { rules: [rule({ metric: 'mood' as 'queueDepth' })] } }, 'alerts.rules.0.metric', 'must be one of latencyP99OverSlo'],
    [{ alerts: { rules: [rule({ clearThreshold: 11 })] } }, 'alerts.rules.0.clearThreshold', 'must be at most the threshold, 10.'],
    [{ alerts: { rules: [rule({ comparison: 'below', clearThreshold: 9 })] } }, 'alerts.rules.0.clearThreshold', 'must be at least'],
    [{ cache: { semanticSimilarity: 0.1 } }, 'cache.semanticSimilarity', 'must be a number from 0.5 to 1, or null.'],
    [{ pinnedModels: [7] }, 'pinnedModels.0', 'must be a text'],
    [{ idleUnloadMinutes: 0 }, 'idleUnloadMinutes', 'minutes, or null.'],
  ])('refuses %j by name and limit', (patch, param, limit) => {
    const error = refusal(patch);
    expect(error.param).toBe(param);
    expect(error.message).toContain(`${param} ${limit.startsWith('is') || limit.startsWith('must') ? limit : ''}`.trim());
    expect(error.message).toContain(limit);
  });

  it.each([null, 7, 'text', []])('refuses %j as a whole', (patch) => {
    expect(refusal(patch).message).toBe('The settings must be an object.');
  });

  it('gives settings or a refusal for any JSON, and never touches prototypes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('cost', 'slos', 'alerts', 'cache', '__proto__'), (value, key) => {
        const patch = JSON.parse(`{${JSON.stringify(key)}:${JSON.stringify(value)}}`) as unknown;
        try {
          expect(applyPatch(DEFAULT_SETTINGS, patch)).toBeDefined();
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_request' });
        }
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
    );
  });
});

describe('acceptStored', () => {
  it('takes what it knows and names what it does not', () => {
    const stored = { ...DEFAULT_SETTINGS, idleUnloadMinutes: 5, cost: { ...DEFAULT_SETTINGS.cost, idleWatts: -3 }, later: true };
    const { settings, refused } = acceptStored(DEFAULT_SETTINGS, stored);
    expect(settings).toEqual({ ...DEFAULT_SETTINGS, idleUnloadMinutes: 5 });
    expect(refused).toEqual([expect.stringContaining('cost.idleWatts'), expect.stringContaining('later')]);
  });

  it('gives the defaults for what is no object', () => {
    expect(acceptStored(DEFAULT_SETTINGS, 'text')).toEqual({ settings: DEFAULT_SETTINGS, refused: ['all of it'] });
  });
});
