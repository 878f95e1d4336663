// The whole of routing over scripted models, behind a real gateway, closed when the test ends.
import { onTestFinished } from 'vitest';
import { createGateway } from '../../engine/gateway/gateway.ts';
import { openRouting } from '../../engine/routing/open-routing.ts';
import type { FakeHosts } from '../fakes/hosts.ts';
import { FakeLedger } from '../fakes/ledger.ts';
import { fakeServices } from '../gateway/console/consoling.ts';
import { folder, log } from './upstream/upstreams.ts';

export async function serveRouting(hosts: FakeHosts) {
  const routing = await openRouting({ models: hosts, dataDir: folder(), log, promote: async () => undefined });
  const gateway = await createGateway({
    host: routing.host,
    router: routing.control,
    config: { host: '127.0.0.1', port: 0, version: '1.2.3' },
    log,
    console: async () => fakeServices(new FakeLedger(), []),
  });
  onTestFinished(async () => {
    await gateway.close({ drainMs: 0 });
    await routing.close();
  });
  const { url } = await gateway.listen();
  return { url, routing };
}
