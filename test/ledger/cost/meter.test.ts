// The exact sharing of device cost: what requests pay is what the samples call busy, and busy + idle is what the devices cost.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addCharges, NO_CHARGE } from '../../../engine/ledger/cost/charge.ts';
import { energyJoules, energyUsd, hardwareUsd, type DevicePrices } from '../../../engine/ledger/cost/formulas.ts';
import { CostMeter, LONGEST_INTERVAL_MS } from '../../../engine/ledger/cost/meter.ts';

const PRICES: DevicePrices = { tariffUsdPerKwh: 0.3, hardwarePriceUsd: 1500, hardwareLifeYears: 4 };
const CPU_100 = [{ device: 'cpu', watts: 100 }];

/** What a second of a machine costs, from the formulas alone. */
function secondUsd(watts: number): number {
  return energyUsd(energyJoules(watts, 1000), PRICES) + hardwareUsd(1000, PRICES);
}

function startedMeter(readings = CPU_100): CostMeter {
  const meter = new CostMeter(() => PRICES);
  meter.settle(0, readings);
  return meter;
}

const device = fc.constantFrom('cpu', 'gpu0', 'gpu1', 'webgpu');
const watts = fc.option(fc.double({ min: 0, max: 500, noNaN: true }), { nil: null });
const action = fc.oneof(
  fc.record({ kind: fc.constant('charge' as const), device, deviceMs: fc.double({ min: 0, max: 3_000, noNaN: true }) }),
  fc.record({ kind: fc.constant('settle' as const), afterMs: fc.integer({ min: 0, max: LONGEST_INTERVAL_MS }), cpu: watts, gpu: watts }),
);

describe('over any sequence of charges and settles', () => {
  test('requests pay the busy parts and what is carried, busy and idle are the total, and nothing is negative', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const meter = new CostMeter(() => PRICES);
        const sums = { charged: 0, busy: 0, idle: 0, total: 0 };
        let nowMs = 0;
        meter.settle(nowMs, [
          { device: 'cpu', watts: 50 },
          { device: 'gpu0', watts: 20 },
        ]);
        for (const step of actions) {
          if (step.kind === 'charge') {
            const charge = meter.charge(step.device, step.deviceMs);
            expect(Math.min(charge.energyJoules, charge.energyUsd, charge.hardwareUsd)).toBeGreaterThanOrEqual(0);
            sums.charged += charge.energyUsd + charge.hardwareUsd;
            continue;
          }
          nowMs += step.afterMs;
          const settled = meter.settle(nowMs, [
            { device: 'cpu', watts: step.cpu },
            { device: 'gpu0', watts: step.gpu },
          ]);
          expect(settled.busyMs).toBeLessThanOrEqual(2 * step.afterMs);
          expect(Math.min(settled.busyUsd, settled.idleUsd, settled.busyMs)).toBeGreaterThanOrEqual(0);
          sums.busy += settled.busyUsd;
          sums.idle += settled.idleUsd;
          const joules = energyJoules((step.cpu ?? 0) + (step.gpu ?? 0), step.afterMs);
          sums.total += energyUsd(joules, PRICES) + hardwareUsd(step.afterMs, PRICES);
        }
        expectClose(sums.busy + sums.idle, sums.total);
        expectClose(sums.busy + meter.carriedUsd, sums.charged);
      }),
    );
  });

  test('what is carried is paid as soon as the device has nothing else to do', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 2_000, noNaN: true }), { maxLength: 30 }), (deviceMs) => {
        const meter = startedMeter();
        let charged = 0;
        let busy = 0;
        deviceMs.forEach((ms, second) => {
          charged += total(meter.charge('cpu', ms));
          busy += meter.settle((second + 1) * 1000, CPU_100).busyUsd;
        });
        for (let second = deviceMs.length + 1; meter.carriedUsd > 0; second++) busy += meter.settle(second * 1000, CPU_100).busyUsd;
        expectClose(busy, charged);
      }),
    );
  });
});

describe('a charge', () => {
  test('costs the last reading of power at the tariff and the hardware price of its time', () => {
    const charge = startedMeter().charge('cpu', 500);
    expect(charge.deviceMs).toBe(500);
    expect(charge.energyJoules).toBeCloseTo(50, 9);
    expect(charge.energyUsd).toBeCloseTo((50 / 3.6e6) * 0.3, 15);
    expect(charge.hardwareUsd).toBeCloseTo((1500 * 0.5) / (4 * 365.25 * 86_400), 15);
  });

  test('that comes late fills the seconds after it and leaves no second more than its cost', () => {
    const meter = startedMeter();
    meter.charge('cpu', 2_500);
    const seconds = [1, 2, 3, 4].map((second) => meter.settle(second * 1000, CPU_100));
    expect(seconds.map(({ busyMs }) => Math.round(busyMs))).toEqual([1000, 1000, 500, 0]);
    for (const { busyUsd, idleUsd } of seconds) expect(busyUsd + idleUsd).toBeCloseTo(secondUsd(100), 15);
  });

  test('of processes that share a device all the time approaches their part of its cost', () => {
    const meter = startedMeter();
    const lastMinute: number[] = [];
    for (let second = 1; second <= 1200; second++) {
      const cost = total(meter.charge('cpu', 1000)) + total(meter.charge('cpu', 1000));
      if (second > 1140) lastMinute.push(cost);
      meter.settle(second * 1000, CPU_100);
    }
    const mean = lastMinute.reduce((sum, cost) => sum + cost, 0) / lastMinute.length;
    expect(mean / secondUsd(100)).toBeCloseTo(1, 2);
    expect(meter.carriedUsd / secondUsd(100)).toBeLessThan(60);
  });

  test('of nonsense costs nothing', () => {
    const meter = startedMeter();
    for (const ms of [Number.NaN, -5, Number.POSITIVE_INFINITY]) expect(meter.charge('cpu', ms)).toEqual(NO_CHARGE);
  });

  test('to a way to a device counts at the first card, and at the CPU where a card has no power of its own', () => {
    const withCard = startedMeter([...CPU_100, { device: 'gpu0', watts: 300 }]);
    expect(withCard.charge('webgpu', 1000).energyJoules).toBeCloseTo(300, 9);
    const oneChip = new CostMeter(() => PRICES);
    oneChip.settle(0, [...CPU_100, { device: 'gpu0', watts: null }]);
    expect(oneChip.charge('webgpu', 1000).energyJoules).toBeCloseTo(100, 9);
    expect(startedMeter().charge('webgpu', 1000).energyJoules).toBeCloseTo(100, 9);
  });

  test('charges of one request add up', () => {
    const meter = startedMeter();
    const sum = addCharges(meter.charge('cpu', 100), meter.charge('cpu', 300));
    expect(sum.deviceMs).toBe(400);
    expect(sum.energyJoules).toBeCloseTo(40, 9);
  });
});

describe('an interval', () => {
  test('that nobody observed costs nothing, and neither does one of a clock set back', () => {
    const meter = startedMeter();
    expect(meter.settle(LONGEST_INTERVAL_MS + 1, CPU_100)).toEqual({ busyUsd: 0, idleUsd: 0, busyMs: 0 });
    expect(meter.settle(1000, CPU_100)).toEqual({ busyUsd: 0, idleUsd: 0, busyMs: 0 });
    expect(meter.settle(2000, CPU_100).idleUsd).toBeCloseTo(secondUsd(100), 15);
  });

  test('gives the hardware price to the devices that run models', () => {
    const readings = [...CPU_100, { device: 'gpu0', watts: 300 }];
    const meter = startedMeter(readings);
    meter.charge('gpu0', 100);
    meter.settle(1000, readings);
    expect(meter.charge('gpu0', 1000).hardwareUsd).toBeCloseTo(hardwareUsd(1000, PRICES), 15);
    meter.charge('cpu', 100);
    meter.settle(2000, readings);
    expect(meter.charge('gpu0', 1000).hardwareUsd).toBeCloseTo(hardwareUsd(500, PRICES), 15);
  });

  test('has the prices that hold at its end', () => {
    let prices = PRICES;
    const meter = new CostMeter(() => prices);
    meter.settle(0, CPU_100);
    prices = { tariffUsdPerKwh: 3.6, hardwarePriceUsd: 0, hardwareLifeYears: 4 };
    expect(meter.settle(1000, CPU_100).idleUsd).toBeCloseTo(1e-4, 12);
  });
});

function total(charge: { readonly energyUsd: number; readonly hardwareUsd: number }): number {
  return charge.energyUsd + charge.hardwareUsd;
}

/** Equal to 1e-9 of the larger. */
function expectClose(actual: number, expected: number): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-9 * Math.max(Math.abs(actual), Math.abs(expected)));
}
