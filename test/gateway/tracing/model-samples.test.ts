import { describe, expect, it } from 'vitest';
import type { HostedModel } from '../../../engine/fleet/host.ts';
import { ModelSamples } from '../../../engine/gateway/tracing/model-samples.ts';
import { ModelTraffic } from '../../../engine/gateway/tracing/model-traffic.ts';
import type { RunnerStats } from '../../../engine/runner/protocol.ts';
import { FakeHost } from '../../fakes/host.ts';

const NONE = new Map();

function loaded(pid: number, stats: Partial<RunnerStats> | null): HostedModel {
  const model = new FakeHost().list()[0] ?? expect.fail('no model');
  if (model.state.kind !== 'ready' || model.state.stats === null) return expect.fail('not ready');
  const { info } = model.state;
  return { ...model, state: { kind: 'ready', info: { ...info, pid }, stats: stats === null ? null : { ...model.state.stats, ...stats } } };
}

describe('ModelSamples', () => {
  it('tells the busy time of this second alone, and starts afresh with a new process', () => {
    const samples = new ModelSamples();
    const busy = (pid: number, busyMs: number) => samples.take([loaded(pid, { busyMs })], NONE)[0]?.busyMs;
    expect([busy(1, 100), busy(1, 350), busy(1, 350), busy(2, 40), busy(2, 90)]).toEqual([100, 250, 0, 40, 50]);
  });

  it('has a batch only where the runner has reported since', () => {
    const samples = new ModelSamples();
    const model = loaded(1, { meanBatch: 4, waiting: 3, running: 2 });
    expect(samples.take([model], NONE)).toMatchObject([{ meanBatch: 4, queueDepth: 3, running: 2 }]);
    expect(samples.take([model], NONE)).toMatchObject([{ meanBatch: null, queueDepth: 3, running: 2 }]);
    expect(samples.take([loaded(1, null)], NONE)).toMatchObject([{ meanBatch: null, queueDepth: 0, busyMs: 0 }]);
  });

  it('takes each token once, those of a model that is gone too', () => {
    const samples = new ModelSamples();
    const traffic = new ModelTraffic();
    traffic.add('fake', { promptTokens: 5 });
    traffic.add('fake', { completionTokens: 1 });
    traffic.add('gone', { completionTokens: 2 });
    expect(samples.take([loaded(1, {})], traffic.take())).toMatchObject([
      { model: 'fake', promptTokens: 5, completionTokens: 1 },
      { model: 'gone', promptTokens: 0, completionTokens: 2 },
    ]);
    expect(samples.take([loaded(1, {})], traffic.take())).toMatchObject([{ model: 'fake', promptTokens: 0, completionTokens: 0 }]);
  });
});
