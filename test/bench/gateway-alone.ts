// A gateway over a fake host, in a process of its own: what the gateway costs when tokens cost nothing. Prints its port.
// `instant`: each answer is there at once. `steady`: every open request gets one token each 20 ms.
import type { GenerateRequest, Generation } from '../../engine/fleet/host.ts';
import { createGateway } from '../../engine/gateway/gateway.ts';
import { createLog } from '../../engine/log.ts';
import type { GenerateEvent } from '../../engine/runner/protocol.ts';
import { FakeHost } from '../fakes/host.ts';

class InstantHost extends FakeHost {
  constructor() {
    super({ stepMs: null });
  }

  override generate(request: GenerateRequest, onEvent: (event: GenerateEvent) => void): Generation {
    const generation = super.generate(request, onEvent);
    queueMicrotask(() => {
      while (this.openCount > 0) this.step();
    });
    return generation;
  }
}

const host =
  process.argv[2] === 'instant'
    ? new InstantHost()
    : new FakeHost({ stepMs: 20, slots: 64, maxWaiting: 64, answer: () => 'abcdefghij'.repeat(100) });
const gateway = await createGateway({ host, config: { host: '127.0.0.1', port: 0, version: '0' }, log: createLog('silent') });
const { port } = await gateway.listen();
console.log(port);
