// Sends the requests of a plan over raw sockets and only stamps what arrives, so that it takes little of the CPU it shares.
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { LoadPlan } from './plan.ts';
import type { Exchange, Read } from './response.ts';

/** Exchanges in the order of the plan's bodies. */
export async function sendAll(plan: LoadPlan): Promise<readonly Exchange[]> {
  const requests = plan.bodies.map((body) => encodeRequest(plan, body));
  const exchanges: Promise<Exchange>[] = [];
  const send = (i: number): Promise<Exchange> => {
    const exchange = sendOne(plan.port, requests[i] ?? Buffer.alloc(0), plan.limitMs);
    exchanges[i] = exchange;
    return exchange;
  };
  if (plan.arrivals.kind === 'open') await sendOnTime(plan.arrivals.atMs, send);
  else await sendClosedLoop(plan.arrivals.clients, requests.length, send);
  return Promise.all(exchanges);
}

async function sendOnTime(atMs: readonly number[], send: (i: number) => Promise<Exchange>): Promise<void> {
  const startedMs = performance.now();
  for (const [i, dueMs] of atMs.entries()) {
    const aheadMs = startedMs + dueMs - performance.now();
    if (aheadMs > 0) await delay(aheadMs);
    void send(i);
  }
}

async function sendClosedLoop(clients: number, count: number, send: (i: number) => Promise<Exchange>): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < count) await send(next++);
  };
  await Promise.all(Array.from({ length: clients }, client));
}

function encodeRequest({ path, headers = {} }: LoadPlan, body: string): Buffer {
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function sendOne(port: number, request: Buffer, limitMs: number): Promise<Exchange> {
  return new Promise((resolve) => {
    const reads: Read[] = [];
    let failure: string | null = null;
    const sentMs = performance.now();
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => socket.write(request));
    const limit = setTimeout(() => socket.destroy(new Error(`no end within ${limitMs} ms`)), limitMs);
    socket.on('data', (bytes) => reads.push({ atMs: performance.now(), bytes }));
    socket.on('error', (error) => (failure = error.message));
    socket.on('close', () => {
      clearTimeout(limit);
      resolve({ sentMs, reads, failure });
    });
  });
}
