import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatDuration,
  formatParameters,
  formatPrice,
  formatRate,
  formatShare,
  formatUptime,
  PER_1K_TOKENS,
  PER_REQUEST,
} from '../../renderer/src/format.ts';

describe('numbers', () => {
  it('are written with few figures and a unit', () => {
    expect([formatRate(0), formatRate(4.13), formatRate(412.6)]).toEqual(['0', '4.1', '413']);
    expect([formatBytes(135e6), formatBytes(1.24e9)]).toEqual(['135 MB', '1.2 GB']);
    expect([formatParameters(135e6), formatParameters(1.2e9), formatParameters(10)]).toEqual(['135M', '1.2B', '10']);
    expect([formatDuration(85.4), formatDuration(1240)]).toEqual(['85 ms', '1.2 s']);
    expect([formatUptime(1000), formatUptime(3_600_000), formatUptime(86_400_000 * 3)]).toEqual(['less than a minute', '60 min', '3 days']);
  });

  it('say all or nothing of a whole only where it is', () => {
    expect([0, 0.0004, 0.004, 0.54, 0.992, 0.9971, 0.99999, 1, -0.9996].map(formatShare)).toEqual([
      '0%',
      '<0.1%',
      '0.4%',
      '54%',
      '99.2%',
      '99.7%',
      '99.9%',
      '100%',
      '-99.9%',
    ]);
  });

  it('are prices of as many as can be read', () => {
    expect(formatPrice(0.0042, PER_REQUEST)).toEqual({ value: '$0.00420' });
    expect(formatPrice(0.00000567, PER_REQUEST)).toEqual({ value: '$5.67', unit: 'per million requests' });
    expect(formatPrice(0.0000274, PER_1K_TOKENS)).toEqual({ value: '$0.0274', unit: 'per million tokens' });
    expect(formatPrice(0, PER_REQUEST)).toEqual({ value: '$0' });
  });
});
