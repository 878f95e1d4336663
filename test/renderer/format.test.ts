import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration, formatParameters, formatRate, formatUptime } from '../../renderer/src/format.ts';

describe('numbers', () => {
  it('are written with few figures and a unit', () => {
    expect([formatRate(0), formatRate(4.13), formatRate(412.6)]).toEqual(['0', '4.1', '413']);
    expect([formatBytes(135e6), formatBytes(1.24e9)]).toEqual(['135 MB', '1.2 GB']);
    expect([formatParameters(135e6), formatParameters(1.2e9), formatParameters(10)]).toEqual(['135M', '1.2B', '10']);
    expect([formatDuration(85.4), formatDuration(1240)]).toEqual(['85 ms', '1.2 s']);
    expect([formatUptime(1000), formatUptime(3_600_000), formatUptime(86_400_000 * 3)]).toEqual(['less than a minute', '60 min', '3 days']);
  });
});
