// Owns the server that answers other machines by TLS: it hands each request to the plain server's routes, with the same limits.
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certified } from '../access/lan/certificates.ts';
import type { TlsListener } from '../access/lan/lan.ts';
import { EngineError } from '../errors.ts';
import type { GatewayApp } from './context.ts';
import type { Limits } from './limits.ts';

/** @throws EngineError `invalid_request` for a port that is taken */
export async function listenTls(
  app: GatewayApp,
  limits: Limits,
  { host, port, certified }: { readonly host: string; readonly port: number; readonly certified: Certified },
): Promise<TlsListener> {
  const { certificate, privateKey } = certified;
  const server = createServer({
    cert: certificate,
    key: privateKey,
    minVersion: 'TLSv1.2',
    handshakeTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    headersTimeout: limits.headersMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.checkEveryMs,
    maxHeaderSize: limits.headerBytes,
    requireHostHeader: false,
  });
  server.maxConnections = limits.connections;
  for (const event of ['request', 'checkExpectation']) {
    server.on(event, (request: unknown, response: unknown) => app.server.emit('request', request, response));
  }
  server.on('clientError', (error, socket) => app.server.emit('clientError', error, socket));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, resolve);
  }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EADDRINUSE') throw cause;
    throw new EngineError('invalid_request', `Port ${port} is taken by another program; choose another with --tls-port.`, {
      param: 'tlsPort',
      cause,
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    setCertificate: (next) => server.setSecureContext({ cert: next.certificate, key: next.privateKey, minVersion: 'TLSv1.2' }),
    close: async () => {
      server.closeIdleConnections();
      const closed = new Promise((resolve) => server.close(resolve));
      const cut = setTimeout(() => server.closeAllConnections(), limits.lastBytesMs);
      await closed;
      clearTimeout(cut);
    },
  };
}
