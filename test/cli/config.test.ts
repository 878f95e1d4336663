import { describe, expect, test } from 'vitest';
import { OPTIONS, readConfig, type OptionName } from '../../engine/config.ts';

/** A value of each option that is outside its limits, and one at its edge. */
const EDGES: Record<OptionName, { readonly good: string; readonly bad: string }> = {
  host: { good: '::1', bad: ' ' },
  port: { good: '65535', bad: '65536' },
  dataDir: { good: './data', bad: ' ' },
  model: { good: 'm', bad: ' ' },
  precision: { good: 'INT8', bad: 'int3' },
  kvCache: { good: 'INT8', bad: 'int4' },
  ctx: { good: '16', bad: '15' },
  slots: { good: '256', bad: '0' },
  threads: { good: '1', bad: '1.5' },
  queue: { good: '1', bad: '-1' },
  lan: { good: 'off', bad: 'perhaps' },
  tlsPort: { good: '65535', bad: '-1' },
  agentPort: { good: '65535', bad: '-1' },
  requireKey: { good: 'on', bad: 'maybe' },
  speculation: { good: 'off', bad: 'toString' },
  maxBatch: { good: '1', bad: '0' },
  maxWait: { good: '0', bad: '1.5' },
  allowHost: { good: 'a.example, b.example', bad: 'a.example:80' },
  allowOrigin: { good: 'https://a.example,http://b:8080', bad: 'a.example' },
  drainSeconds: { good: '0', bad: '1e3' },
  logLevel: { good: 'silent', bad: 'loud' },
};

describe('the configuration', () => {
  test('has the documented defaults', () => {
    expect(readConfig({}, {})).toMatchObject({ host: '127.0.0.1', port: 11_711, model: null, ctx: null, slots: null });
    expect(readConfig({}, {}).dataDir).toMatch(/millrace/);
  });

  test('prefers a flag to the environment, and takes an empty variable for none', () => {
    expect(readConfig({ port: '0' }, { MILLRACE_PORT: '80' }).port).toBe(0);
    expect(readConfig({}, { MILLRACE_PORT: '80' }).port).toBe(80);
    expect(readConfig({}, { MILLRACE_PORT: '' }).port).toBe(11_711);
  });

  test.each(Object.keys(OPTIONS) as OptionName[])('accepts %s at its limit and refuses it beyond, naming option and limit', (name) => {
    const { good, bad } = EDGES[name];
    const [flag] = OPTIONS[name].flag.split(' ');
    expect(readConfig({ [name]: good }, {})[name]).not.toBeUndefined();
    expect(() => readConfig({ [name]: bad }, {})).toThrow(`${flag} must be ${OPTIONS[name].limit}, not ${JSON.stringify(bad)}.`);
    expect(() => readConfig({}, { [OPTIONS[name].env]: bad })).toThrow(`${OPTIONS[name].env} must be ${OPTIONS[name].limit}`);
  });

  test('reads lists', () => {
    const { allowHost, allowOrigin } = readConfig({ allowHost: EDGES.allowHost.good, allowOrigin: EDGES.allowOrigin.good }, {});
    expect(allowHost).toEqual(['a.example', 'b.example']);
    expect(allowOrigin).toEqual(['https://a.example', 'http://b:8080']);
  });
});
