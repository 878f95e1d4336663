import { describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '../../../engine/ledger/settings/defaults.ts';
import type { Grade } from '../../../engine/routing/quality/grade-file.ts';
import { Shadow, type ShadowOptions } from '../../../engine/routing/quality/shadow.ts';
import { FakeHosts } from '../../fakes/hosts.ts';
import { chat } from '../routing.ts';
import { log } from '../upstream/upstreams.ts';

const TARGETS = [
  { name: 'small', tier: 'fast' },
  { name: 'large', tier: 'premium' },
] as const;

function shadowing(says: string, extra: Partial<ShadowOptions> = {}) {
  const hosts = new FakeHosts({ small: {}, large: { answer: () => says, stepDeviceMs: 1 } });
  const grades: Grade[] = [];
  const shadow = new Shadow({
    host: hosts,
    settings: () => ({ ...DEFAULT_SETTINGS.routing, shadowShare: 1, shadowDailyUsd: 1 }),
    targets: () => TARGETS,
    isIdle: () => true,
    foreseenUsd: () => 0.1,
    deviceUsd: (deviceMs) => deviceMs / 10,
    onGrade: (grade) => grades.push(grade),
    log,
    now: () => 1,
    random: () => 0.5,
    ...extra,
  });
  const route = { requestId: 'req_1', budgetUsd: null, maxLatencyMs: null, quality: null, onRoute: () => undefined };
  const answer = { request: chat('auto', 'hi', { route }), target: TARGETS[0], expectedGain: 0.2, text: 'B', usd: 0.01 };
  return { hosts, grades, shadow, answer };
}

describe('Shadow', () => {
  it('lets the strongest target answer too, and grades by whether they agree', async () => {
    for (const [says, score] of [
      ['B', 1],
      ['C', 0],
    ] as const) {
      const { shadow, grades, answer } = shadowing(says);
      shadow.consider(answer);
      await expect
        .poll(() => grades)
        .toMatchObject([{ requestId: 'req_1', target: 'small', source: 'shadow', score, expectedLoss: 0.2, usd: 0.01 }]);
      expect(shadow.usdToday).toBeGreaterThan(0);
    }
  });

  it('does nothing beyond its share, its budget, an idle judge, or for whom nobody is stronger', () => {
    const asked = (extra: Partial<ShadowOptions>, target: (typeof TARGETS)[number] = TARGETS[0]): number => {
      const { hosts, shadow, answer } = shadowing('B', extra);
      shadow.consider({ ...answer, target });
      return hosts.of('large').requests.length;
    };
    expect(asked({})).toBe(1);
    expect(asked({ random: () => 1 })).toBe(0);
    expect(asked({ settings: () => DEFAULT_SETTINGS.routing })).toBe(0);
    expect(asked({ foreseenUsd: () => 1.01 })).toBe(0);
    expect(asked({ isIdle: () => false })).toBe(0);
    expect(asked({}, TARGETS[1])).toBe(0);
  });
});
