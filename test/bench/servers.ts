// Starts either server for a measurement, hides how they differ, and ends it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  /** p99 of the event-loop delay of the process that speaks HTTP, since a second after its start; null unless it is watched. */
  eventLoopDelayP99Ms(): Promise<number | null>;
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

export interface MillraceOptions {
  /** Further flags of `serve`. */
  readonly flags?: readonly string[];
  /** Watch the event loop of the process; costs some milliseconds of its start. */
  readonly watchEventLoop?: boolean;
  /** Leave the response caches on; off by default, so that every request is computed. */
  readonly caches?: boolean;
}

/** Ours, with one installed model. */
export function millraceTarget(dataDir: string, model: string, shape: Shape, options: MillraceOptions = {}): Target {
  const { flags = [], watchEventLoop = false, caches = false } = options;
  const sizes = ['--slots', shape.slots, '--ctx', shape.contextPerSlot, '--threads', shape.threads].map(String);
  const args = ['--model', model, ...sizes, ...flags];
  return { name: model, start: () => startMillrace({ dataDir, model, args, watchEventLoop, caches }) };
}

interface MillraceStart {
  readonly dataDir: string;
  readonly model: string;
  readonly args: readonly string[];
  readonly watchEventLoop: boolean;
  readonly caches: boolean;
}

const PROBE = new URL('event-loop-probe.ts', import.meta.url).href;

async function startMillrace({ dataDir, model, args, watchEventLoop, caches }: MillraceStart): Promise<RunningServer> {
  const probeDir = watchEventLoop ? await mkdtemp(join(tmpdir(), 'millrace-probe-')) : null;
  const env = probeDir === null ? {} : { NODE_OPTIONS: `--import ${PROBE}`, MILLRACE_PROBE_DIR: probeDir };
  const served = await serve({ dataDir, args, env, caches });
  const eventLoopDelayP99Ms = async (): Promise<number | null> => {
    if (probeDir === null) return null;
    const text = await readFile(join(probeDir, `${served.pid}.json`), 'utf8').catch(() => null);
    return text === null ? null : (JSON.parse(text) as { p99Ms: number }).p99Ms;
  };
  const stop = async (): Promise<void> => {
    await served.stop();
    if (probeDir !== null) await rm(probeDir, { recursive: true });
  };
  return { port: Number(new URL(served.url).port), pid: served.pid, model, readyMs: served.readyMs, eventLoopDelayP99Ms, stop };
}

/** llama-server with one GGUF; its context is shared out among the slots. */
export function llamaTarget(peer: Peer, gguf: string, shape: Shape, flags: readonly string[] = []): Target {
  return { name: 'llama-server', start: () => startLlama(peer, ['-m', gguf, ...flags], shape) };
}

async function startLlama(peer: Peer, model: readonly string[], shape: Shape): Promise<RunningServer> {
  const port = await freePort();
  const sizes = ['-t', shape.threads, '--parallel', shape.slots, '-c', shape.slots * shape.contextPerSlot].map(String);
  const startedMs = performance.now();
  const child = spawn(peer.path('llama-server'), [...model, '--host', '127.0.0.1', '--port', String(port), ...sizes], {
    stdio: 'ignore',
  });
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
  return { port, pid: child.pid ?? -1, model: 'peer', readyMs, eventLoopDelayP99Ms: () => Promise.resolve(null), stop };
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
