// The balancer's configuration as it is shipped: accepted by HAProxy, and carrying requests past a box that dies and one that drains.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { agentAnswer } from '../../engine/gateway/agent-check.ts';
import { createGateway, type Gateway } from '../../engine/gateway/gateway.ts';
import { FakeHost } from '../fakes/host.ts';
import { FakeLedger } from '../fakes/ledger.ts';
import { fakeServices } from '../gateway/console/consoling.ts';
import { ask, post } from '../gateway/serving.ts';

const CONFIG = new URL('../../build/deploy/haproxy/haproxy.cfg', import.meta.url);
const gateways: Gateway[] = [];
const processes: ChildProcess[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const child of processes.splice(0)) child.kill('SIGKILL');
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close({ drainMs: 0 })));
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

interface Box {
  readonly gateway: Gateway;
  readonly port: number;
  readonly agentPort: number;
}

async function openBox(name: string): Promise<Box> {
  const host = new FakeHost({ answer: () => name });
  const config = { host: '127.0.0.1', port: 0, agentPort: 0, version: '1.2.3' };
  const console = async () => fakeServices(new FakeLedger(), []);
  const gateway = await createGateway({ host, config, log: pino({ level: 'silent' }), console });
  gateways.push(gateway);
  const { port, agentPort } = await gateway.listen();
  return { gateway, port, agentPort: agentPort ?? -1 };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The shipped file with the test's own addresses, and shorter spans between checks: as short as a starved balancer still keeps. */
async function balance(boxes: readonly Box[]): Promise<string> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'millrace-haproxy-'));
  folders.push(folder);
  const shipped = await readFile(CONFIG, 'utf8');
  const text = boxes
    .reduce((config, box, at) => config.replace(`192.0.2.${11 + at}:11711`, `127.0.0.1:${box.port} agent-port ${box.agentPort}`), shipped)
    .replace('bind :8080', `bind 127.0.0.1:${port}`)
    .replace('inter 2s fall 2 rise 2', 'inter 500ms fall 2 rise 1')
    .replace('agent-inter 2s', 'agent-inter 100ms');
  const path = join(folder, 'haproxy.cfg');
  await writeFile(path, text);
  processes.push(spawn('haproxy', ['-db', '-f', path], { stdio: 'ignore' }));
  const url = `http://127.0.0.1:${port}`;
  while (!(await fetch(`${url}/health`).catch(() => null))?.ok) await delay(20);
  return url;
}

/** Who answered. On a busy machine a check that is late takes a box out for a moment, with the requests that it had: 502 or 503. */
async function answererOf(url: string): Promise<string> {
  const response = await post(`${url}/v1/chat/completions`, ask());
  expect([200, 502, 503]).toContain(response.status);
  if (response.status !== 200) return 'refused';
  const body = (await response.json()) as { readonly choices: readonly { readonly message: { readonly content: string } }[] };
  return body.choices[0]?.message.content ?? '';
}

describe('the agent check', () => {
  it('weighs a box by the wait of its requests, and drains one that takes none', () => {
    expect(agentAnswer({ state: 'serving', waiting: 0, waitP50Ms: 900 })).toBe('up ready 100%\n');
    expect(agentAnswer({ state: 'serving', waiting: 3, waitP50Ms: 500 })).toBe('up ready 50%\n');
    expect(agentAnswer({ state: 'serving', waiting: 900, waitP50Ms: 1e9 })).toBe('up ready 1%\n');
    expect(agentAnswer({ state: 'paused', waiting: 0, waitP50Ms: null })).toBe('drain\n');
  });

  it('is answered on its own port', async () => {
    const { agentPort } = await openBox('one');
    const text = await new Promise<string>((resolve, reject) => {
      let all = '';
      connect(agentPort, '127.0.0.1')
        .setEncoding('utf8')
        .on('data', (part) => (all += part))
        .once('close', () => resolve(all))
        .once('error', reject);
    });
    expect(text).toBe('up ready 100%\n');
  });
});

describe('the balancer', () => {
  it('accepts the shipped file', async () => {
    const { stderr } = await promisify(execFile)('haproxy', ['-c', '-f', CONFIG.pathname]);
    expect(stderr).not.toMatch(/ALERT|WARNING/);
  });

  it('sends nothing more to a box that died, and leaves out one that is paused', { timeout: 60_000 }, async () => {
    const boxes = [await openBox('one'), await openBox('two'), await openBox('three')] as const;
    const url = await balance(boxes);
    const missing = new Set(['one', 'two', 'three']);
    while (missing.size > 0) missing.delete(await answererOf(url));
    await boxes[0].gateway.close({ drainMs: 0 });
    const { statusCode } = await boxes[1].gateway.inject({
      method: 'POST',
      url: '/api/pause',
      headers: { host: 'localhost', 'content-type': 'application/json' },
      payload: '{}',
    });
    expect(statusCode).toBe(200);
    // Until the balancer's next look the paused box may be asked, and refuses.
    const after: string[] = [];
    while (after.slice(-20).filter((name) => name === 'three').length < 20) after.push(await answererOf(url));
    expect(after).not.toContain('one');
  });
});
