// Carries one encode request through the host and back to its client; a vanished client or a draining server ends it.
// Knows nothing about what texts and rows mean.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { EngineError } from '../errors.ts';
import type { Charging, EncodeRequest, Encoding, HostedModel } from '../fleet/host.ts';
import type { EncodeInput } from '../runner/protocol.ts';
import type { OpenRun } from './activity.ts';
import { requestCaller } from './admit.ts';
import { CacheUses } from './cache-use.ts';
import type { GatewayContext } from './context.ts';

/** A request that is answered at once, or not at all. */
export interface WholeAsk {
  readonly context: GatewayContext;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly hosted: HostedModel;
  /** As the client spelled it. */
  readonly model: string;
}

export interface EncodingAsk extends WholeAsk {
  readonly inputs: readonly EncodeInput[];
  readonly truncate: boolean;
  /** Field of the body that holds the inputs, for refusals: `input` or `documents`. */
  readonly field: string;
}

/** The rows of all inputs; null when the client has gone, whose reply is then out of Fastify's hands.
 *  @throws EngineError of the host, naming the body's field, or `draining` */
export function encodeInputs(ask: EncodingAsk): Promise<Encoding | null> {
  const { context, request, reply, hosted } = ask;
  return answerWhole(ask, async (charging, signal) => {
    const asked = { ...hostRequest(ask), ...charging, cache: new CacheUses(request, reply).ask(), caller: requestCaller(request) };
    const encoding = await context.host.encode(asked, signal).catch((error: unknown) => {
      throw inField(error, ask.field);
    });
    request.trace?.progress.encoded(encoding, context.traces.clock());
    const promptTokens = encoding.tokens.reduce((total, count) => total + count, 0) - (encoding.cachedTokens ?? 0);
    context.meter.add(hosted.manifest.id, promptTokens, context.now());
    context.traffic.add(hosted.manifest.id, { promptTokens });
    return encoding;
  });
}

/** What `work` gives; null when the client has gone, whose reply is then out of Fastify's hands. `signal` ends it with the client's
 *  connection or the server. */
export async function answerWhole<T>(ask: WholeAsk, work: (charging: Charging, signal: AbortSignal) => Promise<T>): Promise<T | null> {
  const { context, reply, hosted } = ask;
  const { trace } = ask.request;
  const ended = new AbortController();
  const run: OpenRun = { fail: (error) => ended.abort(error) };
  let isGone = false;
  trace?.answeredBy({ model: hosted, look: () => context.host.get(ask.model), kind: 'encode' });
  context.activity.begin(run);
  const charging = trace?.cost.open();
  reply.raw.once('close', () => {
    isGone = true;
    ended.abort(new EngineError('invalid_request', 'The client has gone.'));
  });
  try {
    return await work(charging ?? {}, ended.signal);
  } catch (error) {
    if (!isGone) throw error;
    reply.hijack();
    return null;
  } finally {
    context.activity.end(run);
    // What was cut short is settled by the host.
    if (!ended.signal.aborted) charging?.onSettled();
  }
}

function hostRequest({ context, request, model, inputs, truncate }: EncodingAsk): EncodeRequest {
  return { model, inputs, params: { truncate, caller: callerOf(request), deadlineMs: deadlineOf(request, context.limits.encodeMs) } };
}

/** A tenant, or a connection of this machine: what no single request can multiply. */
export function callerOf({ caller, socket }: FastifyRequest): string {
  return caller !== null && caller.key !== null ? caller.tenant : `${socket.remoteAddress}:${socket.remotePort}`;
}

const DEADLINE_HEADER = 'x-millrace-deadline-ms';

/** @throws EngineError `invalid_request` for a header that is no time in ms */
export function deadlineOf({ headers }: FastifyRequest, longestMs: number): number {
  const given = headers[DEADLINE_HEADER];
  if (given === undefined) return longestMs;
  if (typeof given !== 'string' || !/^[1-9]\d{0,8}$/.test(given)) {
    throw new EngineError('invalid_request', `${DEADLINE_HEADER} must be a whole number of milliseconds.`, { param: DEADLINE_HEADER });
  }
  return Math.min(longestMs, Number(given));
}

/** The host counts inputs; the client knows them by the name of its own field. */
function inField(error: unknown, field: string): unknown {
  if (!(error instanceof EngineError) || error.param?.startsWith('input[') !== true) return error;
  return new EngineError(error.code, error.message, { param: error.param.replace('input', field), cause: error });
}
