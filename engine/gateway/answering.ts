// Carries one request through the host and back to its client, as one JSON object or as a stream; a vanished client cancels it.
// Knows nothing about what prompts and answers hold.
import type { FastifyReply } from 'fastify';
import type { Charging, GenerateRequest, HostedModel, RouteReport } from '../fleet/host.ts';
import type { GenerateEvent } from '../runner/protocol.ts';
import { requestCaller } from './admit.ts';
import { CacheUses } from './cache-use.ts';
import type { GatewayContext } from './context.ts';
import { errorBody } from './error-body.ts';
import type { JsonFormat, StreamFormat } from './openai/answer-format.ts';
import { continuedComment, routeAsk } from './route-ask.ts';
import { PromptRun, type PromptRunOptions, type RunOutcome } from './prompt-run.ts';
import { placeComment, placeHeaders } from './queue-place.ts';
import { SseStream } from './sse.ts';

export interface Answering {
  readonly context: GatewayContext;
  readonly reply: FastifyReply;
  readonly model: HostedModel;
  readonly requests: readonly GenerateRequest[];
}

/** The whole answer's body; undefined when the client has gone. @throws EngineError of the host, or `draining` */
export function answerJson(answering: Answering, format: JsonFormat): Promise<unknown> {
  return new Promise((resolve, reject) => {
    launch(answering, {
      mayRestart: () => true,
      onEvent: (prompt, event) => format.add(prompt, event),
      onEnd: (outcome) => (outcome.kind === 'done' ? resolve(format.body(outcome.usage)) : reject(outcome.error)),
      onGone: () => {
        answering.reply.hijack();
        resolve(undefined);
      },
    });
  });
}

/** Resolves when the stream has ended. @throws EngineError of the host, or `draining`, as long as no byte has been sent */
export function answerStream(answering: Answering, format: StreamFormat): Promise<void> {
  const { context, reply } = answering;
  const wire = format.wire === undefined ? {} : { wire: format.wire };
  const place = () => reply.request.trace?.standing() ?? null;
  const onOpen = (): void => {
    void reply.headers(placeHeaders(place()));
    takeOver(reply);
  };
  const stream = new SseStream({ response: reply.raw, limits: context.limits, onOpen, waiting: () => placeComment(place()), ...wire });
  return new Promise((resolve, reject) => {
    launch(answering, {
      mayRestart: (prompt) => format.mayRestart(prompt),
      onRoute: (report) => report.isContinued && format.wire === undefined && stream.send(continuedComment(report)),
      onEvent: (prompt, event) => stream.send(format.frames(prompt, event)),
      onEnd: (outcome) => {
        if (outcome.kind === 'failed' && !stream.opened) {
          stream.abandon();
          return reject(outcome.error);
        }
        stream.end(lastFrames(outcome, format, answering));
        resolve();
      },
      onGone: () => {
        if (!stream.opened) reply.hijack();
        resolve();
      },
    });
  });
}

/** An answer that no connection waits for. */
export interface Detached {
  /** Never rejects. */
  readonly ended: Promise<RunOutcome | { readonly kind: 'cancelled' }>;
  cancel(): void;
}

/** Makes an answer whoever listens; `format` takes its events. Ends early by `cancel` or when the server drains. @throws EngineError `draining` */
export function answerDetached(answering: Answering, format: Pick<JsonFormat, 'add'>): Detached {
  const { promise, resolve } = Promise.withResolvers<RunOutcome | { readonly kind: 'cancelled' }>();
  const run = begin(answering, { mayRestart: () => true, onEvent: (prompt, event) => format.add(prompt, event), onEnd: resolve });
  run.start();
  const cancel = (): void => {
    if (!run.cancel()) return;
    answering.context.activity.end(run);
    resolve({ kind: 'cancelled' });
  };
  return { ended: promise, cancel };
}

/** Takes the response out of Fastify's hands with the headers that were set so far. */
export function takeOver(reply: FastifyReply): void {
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) reply.raw.setHeader(name, value);
}

function lastFrames(outcome: RunOutcome, format: StreamFormat, { context, reply }: Answering): string {
  if (outcome.kind === 'done') return format.tail(outcome.usage);
  reply.request.trace?.failed(outcome.error.code);
  context.log.warn({ code: outcome.error.code }, 'a stream ended with an error');
  return format.failure?.(outcome.error) ?? `data: ${JSON.stringify(errorBody(outcome.error))}\n\n`;
}

const UNCHARGED: Required<Charging> = { onCharge: () => undefined, onUpstreamUsd: () => undefined, onSettled: () => undefined };

type RunListeners = Pick<PromptRunOptions, 'onEvent' | 'onEnd' | 'mayRestart'> & { readonly onRoute?: (report: RouteReport) => void };

/** Starts the run and binds it to the client's connection and to the server's draining. @throws EngineError `draining` */
function launch(answering: Answering, options: RunListeners & { readonly onGone: () => void }): void {
  const run = begin(answering, options);
  answering.reply.raw.once('close', () => {
    // A response that was written whole closes too; its run is over by then.
    if (!run.cancel()) return;
    answering.context.activity.end(run);
    options.onGone();
  });
  run.start();
}

/** The run, traced and counted but not started. @throws EngineError `draining` */
function begin({ context, reply, model, requests }: Answering, options: RunListeners): PromptRun {
  const { host, limits, activity, traces, traffic } = context;
  const { trace } = reply.request;
  let { id } = model.manifest;
  const asked = requests[0]?.model ?? id;
  trace?.answeredBy({ model, look: () => host.get(asked), kind: 'generate' });
  const uses = new CacheUses(reply.request, reply);
  const onEvent = (prompt: number, event: GenerateEvent): void => {
    // What was computed earlier, or for another request, is no work of now.
    if (event.kind === 'text' && uses.isComputed(prompt)) {
      context.meter.add(id, event.tokens.length, context.now());
      traffic.add(id, { completionTokens: event.tokens.length });
    } else if (event.kind === 'started' && uses.isComputed(prompt)) traffic.add(id, { promptTokens: event.promptTokens });
    trace?.take(prompt, event, traces.clock());
    options.onEvent(prompt, event);
  };
  const onEnd = (outcome: RunOutcome): void => {
    activity.end(run);
    options.onEnd(outcome);
  };
  const charging = (): Required<Charging> => trace?.cost.open() ?? UNCHARGED;
  const caller = requestCaller(reply.request);
  const route = routeAsk(reply.request, reply, (report) => {
    ({ id } = report.model.manifest);
    trace?.routed(report, () => host.get(report.name));
    options.onRoute?.(report);
  });
  const cacheable = requests.map((request, prompt) => ({ ...request, cache: uses.ask(prompt), caller, route }));
  const run = new PromptRun({
    host,
    requests: cacheable,
    inFlight: limits.promptsInFlight,
    mayRestart: options.mayRestart,
    charging,
    onEvent,
    onEnd,
  });
  trace?.standsBy(() => run.progress(), traces.clock());
  activity.begin(run);
  return run;
}
