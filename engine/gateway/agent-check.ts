// Answers a load balancer's agent check (HAProxy, `agent-check`): one line that says whether this server takes requests, and
// its weight by how long requests wait here. Knows nothing about requests.
import { createServer } from 'node:net';
import { EngineError } from '../errors.ts';

export interface Load {
  readonly state: 'serving' | 'paused' | 'draining';
  /** Requests that wait now. */
  readonly waiting: number;
  /** Median of the last minutes; null without requests. */
  readonly waitP50Ms: number | null;
}

export interface AgentListener {
  readonly port: number;
  close(): Promise<void>;
}

/** A server on which requests wait this long gets half of the weight. */
const HALF_WEIGHT_MS = 500;

/** `up 73%`, or `drain`: open requests end, new ones go elsewhere. Words as in HAProxy's configuration manual, `agent-check`. Pure. */
export function agentAnswer({ state, waiting, waitP50Ms }: Load): string {
  if (state !== 'serving') return 'drain\n';
  // What was waited for before is no matter once nobody waits.
  const waitMs = waiting === 0 ? 0 : (waitP50Ms ?? 0);
  return `up ready ${Math.max(1, Math.round((100 * HALF_WEIGHT_MS) / (HALF_WEIGHT_MS + waitMs)))}%\n`;
}

/** @throws EngineError `invalid_request` for a port that is taken */
export async function listenAgent(address: { readonly host: string; readonly port: number }, load: () => Load): Promise<AgentListener> {
  const server = createServer((socket) => {
    // A balancer that has gone does not concern the server.
    socket.on('error', () => socket.destroy());
    socket.end(agentAnswer(load()));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, resolve);
  }).catch((cause: unknown) => {
    throw new EngineError('invalid_request', `Port ${address.port} cannot answer the agent check.`, { param: 'agent-port', cause });
  });
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : address.port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
