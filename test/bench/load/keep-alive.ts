// Sends the same few requests again and again over connections that stay open, with as little work between them as a socket allows: for
// answers that take tenths of a millisecond, where an HTTP client would be what is measured.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface KeepAlivePlan {
  readonly port: number;
  readonly path: string;
  /** JSON bodies; each client sends them in turn. */
  readonly bodies: readonly string[];
  readonly clients: number;
  /** All clients together. */
  readonly requests: number;
}

export interface KeepAliveResult {
  readonly seconds: number;
  readonly latenciesMs: readonly number[];
  /** Answers whose head does not hold `expected`. */
  readonly failed: number;
}

/** Answers must carry a Content-Length; those without `expected` in their head count as failed. */
export async function sendKeptAlive(plan: KeepAlivePlan, expected: string): Promise<KeepAliveResult> {
  const requests = plan.bodies.map((body) => requestBytes(plan.path, body));
  const latenciesMs: number[] = [];
  let [next, failed] = [0, 0];
  const startedMs = performance.now();
  const client = async (): Promise<void> => {
    const socket = connect({ port: plan.port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    for (let at = next++; at < plan.requests; at = next++) {
      const sentMs = performance.now();
      const head = await exchange(socket, requests[at % requests.length] ?? Buffer.alloc(0));
      latenciesMs.push(performance.now() - sentMs);
      if (!head.includes(expected)) failed++;
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: plan.clients }, client));
  return { seconds: (performance.now() - startedMs) / 1000, latenciesMs, failed };
}

function requestBytes(path: string, body: string): Buffer {
  const head = [`POST ${path} HTTP/1.1`, 'Host: 127.0.0.1', 'Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** The head of the answer, once its body is there too. */
function exchange(socket: Socket, request: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    let read = '';
    let end = Infinity;
    const onData = (bytes: Buffer): void => {
      read += bytes.toString('latin1');
      if (end === Infinity) end = endOf(read);
      if (read.length < end) return;
      socket.off('data', onData);
      socket.off('close', onClose);
      resolve(read.slice(0, read.indexOf('\r\n\r\n')));
    };
    const onClose = (): void => reject(new Error('The server closed the connection.'));
    socket.on('data', onData);
    socket.once('close', onClose);
    socket.write(request);
  });
}

/** Length of the whole answer; Infinity while its head is not there. */
function endOf(read: string): number {
  const head = read.indexOf('\r\n\r\n');
  return head < 0 ? Infinity : head + 4 + Number(/content-length: (\d+)/i.exec(read)?.[1] ?? 0);
}
