// Starts either server for a measurement, hides how they differ, and ends it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { serve } from '../served.ts';
import type { Peer } from './peer.ts';

export interface RunningServer {
  readonly port: number;
  readonly pid: number;
  /** Value of the request's model field. */
  readonly model: string;
  /** From the spawn to the first 200 of its health page with the model loaded. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

/** A server that can be started again and again, with the same slots and total context on either side. */
export interface Target {
  readonly name: string;
  start(): Promise<RunningServer>;
}

export interface Shape {
  readonly slots: number;
  /** Tokens of one slot. */
  readonly contextPerSlot: number;
  readonly threads: number;
}

/** Ours, with one installed model. */
export function millraceTarget(dataDir: string, model: string, shape: Shape): Target {
  const args = ['--model', model, '--slots', shape.slots, '--ctx', shape.contextPerSlot, '--threads', shape.threads].map(String);
  return {
    name: model,
    start: async () => {
      const served = await serve({ dataDir, args });
      const stop = async (): Promise<void> => void (await served.stop());
      return { port: Number(new URL(served.url).port), pid: served.pid, model, readyMs: served.readyMs, stop };
    },
  };
}

/** llama-server with one GGUF; its context is shared out among the slots. */
export function llamaTarget(peer: Peer, gguf: string, shape: Shape): Target {
  return { name: 'llama-server', start: () => startLlama(peer, gguf, shape) };
}

async function startLlama(peer: Peer, gguf: string, shape: Shape): Promise<RunningServer> {
  const port = await freePort();
  const sizes = ['-t', shape.threads, '--parallel', shape.slots, '-c', shape.slots * shape.contextPerSlot].map(String);
  const startedMs = performance.now();
  const child = spawn(peer.path('llama-server'), ['-m', gguf, '--host', '127.0.0.1', '--port', String(port), ...sizes], { stdio: 'ignore' });
  const closed = once(child, 'close');
  while (!(await isHealthy(port))) {
    if (child.exitCode !== null) throw new Error(`llama-server ended with ${child.exitCode}.`);
    await delay(4);
  }
  const readyMs = performance.now() - startedMs;
  const stop = async (): Promise<void> => {
    child.kill();
    const killer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await closed;
    clearTimeout(killer);
  };
  return { port, pid: child.pid ?? -1, model: 'peer', readyMs, stop };
}

async function isHealthy(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/health`).catch(() => null);
  await response?.body?.cancel();
  return response?.ok === true;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
