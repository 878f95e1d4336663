// Targets that are killed and come back at any moment, while clients ask through the gateway: each request ends in the whole answer, no
// token lost or said twice, or in an error of the table.
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { EngineError, ERROR_TABLE, type ErrorCode } from '../../engine/errors.ts';
import { createGateway } from '../../engine/gateway/gateway.ts';
import { createLog } from '../../engine/log.ts';
import { FakeHosts } from '../fakes/hosts.ts';
import { routing } from './routing.ts';

const NAMES = ['small', 'middle', 'large'] as const;
const WHOLE = 'abcdefghijklmnop';
/** How a target can fail; `queue_full` is its own refusal, no fault. */
const FAULTS = ['runner_died', 'model_load_failed', 'upstream_failed', 'insufficient_memory', 'queue_full'] as const;

interface Blow {
  readonly target: (typeof NAMES)[number];
  /** Null: it is alive again. */
  readonly fault: (typeof FAULTS)[number] | null;
  /** Steps into each of its answers. */
  readonly afterSteps: number;
  /** Turns of the event loop before the next one. */
  readonly pause: number;
}

const blows = fc.array(
  fc.record<Blow>({
    target: fc.constantFrom(...NAMES),
    fault: fc.option(fc.constantFrom(...FAULTS)),
    afterSteps: fc.nat(WHOLE.length),
    pause: fc.nat(6),
  }),
  { maxLength: 30 },
);
const asks = fc.array(fc.record({ stream: fc.boolean(), gain: fc.constantFrom(0.01, 0.3, 0.6), after: fc.nat(12) }), {
  minLength: 1,
  maxLength: 12,
});

/** The rest of the answer after what an earlier target said. */
function rest(prompt: string): string {
  const said = /\nassistant: ([a-p]*)\n$/.exec(prompt)?.[1] ?? '';
  return WHOLE.slice(said.length);
}

async function opened() {
  const hosts = new FakeHosts(Object.fromEntries(NAMES.map((name) => [name, { answer: rest }])));
  const host = routing(hosts);
  const gateway = await createGateway({ host, config: { host: '127.0.0.1', port: 0, version: '1' }, log: createLog('silent') });
  onTestFinished(() => gateway.close({ drainMs: 0 }));
  const { url } = await gateway.listen();
  return { hosts, host, url };
}

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setTimeout(resolve));
};

async function strike(hosts: FakeHosts, all: readonly Blow[]): Promise<void> {
  for (const { target, fault, afterSteps, pause } of all) {
    hosts.of(target).failure = fault === null ? null : { error: new EngineError(fault, `${target} is down.`), afterSteps };
    await turns(pause);
  }
}

type End = { readonly kind: 'answer'; readonly text: string } | { readonly kind: 'error'; readonly code: string };

interface Frame {
  readonly choices?: readonly { readonly delta?: { readonly content?: string }; readonly message?: { readonly content: string } }[];
  readonly error?: { readonly code: string };
}

async function ask(url: string, { stream, gain }: { readonly stream: boolean; readonly gain: number }): Promise<End> {
  const body = JSON.stringify({ model: 'auto', stream, messages: [{ role: 'user', content: `gain ${gain}: x` }] });
  const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const text = await response.text();
  if (!stream || !response.ok) return endOf([JSON.parse(text) as Frame]);
  const frames = text.split('\n').flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6)) as Frame] : []));
  const end = endOf(frames);
  if (end.kind === 'answer') expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
  return end;
}

function endOf(frames: readonly Frame[]): End {
  const error = frames.find((frame) => frame.error !== undefined)?.error;
  if (error !== undefined) return { kind: 'error', code: error.code };
  const parts = frames.map(({ choices }) => choices?.[0]?.delta?.content ?? choices?.[0]?.message?.content ?? '');
  return { kind: 'answer', text: parts.join('') };
}

it('kills any target at any time: each request ends in an answer or a typed error', { timeout: 120_000 }, async () => {
  const seen = { answers: 0, errors: 0 };
  await fc.assert(
    fc.asyncProperty(blows, asks, async (all, requests) => {
      const { hosts, host, url } = await opened();
      const asked = requests.map(async ({ after, ...request }) => {
        await turns(after);
        return ask(url, request);
      });
      const [ends] = await Promise.all([Promise.all(asked), strike(hosts, all)]);
      for (const end of ends) {
        if (end.kind === 'answer') expect(end.text).toBe(WHOLE);
        else expect(ERROR_TABLE[end.code as ErrorCode], end.code).toBeDefined();
        seen[end.kind === 'answer' ? 'answers' : 'errors'] += 1;
      }
      // Nothing is left running anywhere, and nobody holds a slot.
      for (const name of NAMES) expect(hosts.of(name).openCount).toBe(0);
      expect(host.targets().map(({ running }) => running)).toEqual([0, 0, 0]);
    }),
    { numRuns: 60 },
  );
  // The storm has killed some requests, and not all.
  expect(Math.min(seen.answers, seen.errors)).toBeGreaterThan(0);
});

it('answers again once a target is back', async () => {
  const { hosts, url } = await opened();
  const down = { error: new EngineError('queue_full', 'Full.'), afterSteps: 0 };
  for (const name of NAMES) hosts.of(name).failure = down;
  expect(await ask(url, { stream: false, gain: 0.3 })).toEqual({ kind: 'error', code: 'queue_full' });
  hosts.of('large').failure = null;
  expect(await ask(url, { stream: true, gain: 0.3 })).toEqual({ kind: 'answer', text: WHOLE });
});
