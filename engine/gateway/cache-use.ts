// How a request's headers say what caches may do for it, and how the answer's header says what they did: `x-millrace-cache`.
// Knows nothing about what is kept, or where.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CacheUse } from '../contract.ts';
import type { CacheAsk, CacheReport } from '../fleet/host.ts';
import { LOCAL } from '../access/caller.ts';

/** `Cache-Control` of a request (RFC 9111, 5.2.1): `no-cache` computes anew, `no-store` leaves no trace. */
export function cacheControlOf(header: string | undefined): CacheAsk['control'] {
  const directives = (header ?? '')
    .toLowerCase()
    .split(',')
    .map((directive) => directive.trim());
  if (directives.includes('no-store')) return 'off';
  return directives.some((directive) => directive === 'no-cache' || directive === 'max-age=0') ? 'refresh' : 'use';
}

/** Of a request with several prompts the first of these that any of them met. */
const RANKS: readonly CacheUse[] = ['miss', 'bypass', 'coalesced', 'semantic', 'hit'];

/** What the caches did for one HTTP request, prompt by prompt. */
export class CacheUses {
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  readonly #reports = new Map<number, CacheReport>();

  constructor(request: FastifyRequest, reply: FastifyReply) {
    this.#request = request;
    this.#reply = reply;
  }

  /** For one prompt; a request for rows has one. */
  ask(prompt = 0): CacheAsk {
    const control = cacheControlOf(this.#request.headers['cache-control']);
    return { tenant: (this.#request.caller ?? LOCAL).tenant, control, onUse: (report) => this.#take(prompt, report) };
  }

  /** Whether a model computes this prompt's answer for this request. */
  isComputed(prompt: number): boolean {
    const use = this.#reports.get(prompt)?.use;
    return use === undefined || use === 'miss' || use === 'bypass';
  }

  #take(prompt: number, report: CacheReport): void {
    this.#reports.set(prompt, report);
    const reports = [...this.#reports.values()];
    const use = RANKS.find((rank) => reports.some((other) => other.use === rank)) ?? report.use;
    this.#request.trace?.cached(use);
    if (!this.#reply.sent) void this.#reply.header('x-millrace-cache', headerOf(use, report));
  }
}

function headerOf(use: CacheUse, { similarity }: CacheReport): string {
  return use === 'semantic' && similarity !== null ? `semantic; similarity=${similarity.toFixed(4)}` : use;
}
