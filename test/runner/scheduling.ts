// A scheduler on the fake session, and what its events come to.
import { PLAIN_SAMPLING, type Charge, type GenerateEvent, type GenerateParams, type SamplingParams } from '../../engine/runner/protocol.ts';
import { Sampler } from '../../engine/runner/sampling/sampler.ts';
import { Scheduler, type SchedulerOptions } from '../../engine/runner/scheduler.ts';
import { FakeSession, rowAfter, type FakeOptions } from './fake-session.ts';

export const EOS = 256;

/** Tokens 0 to 255 are bytes; the others are markers without text. */
export const byteVocab = {
  bytesOf: (token: number): Uint8Array => (token < 256 ? Uint8Array.of(token) : new Uint8Array(0)),
  isSpecial: (token: number): boolean => token >= 256,
};

/** With a seed, so that every run draws the same. */
export const plainSampling: SamplingParams = { ...PLAIN_SAMPLING, seed: 1 };

export function generateParams(
  changes: Partial<Omit<GenerateParams, 'sampling'>> & { sampling?: Partial<SamplingParams> } = {},
): GenerateParams {
  const { sampling, ...rest } = changes;
  return {
    maxTokens: 8,
    stop: [],
    topLogprobs: null,
    promptLogprobs: false,
    n: 1,
    ignoreEos: true,
    ...rest,
    sampling: { ...plainSampling, ...sampling },
  };
}

export interface Answer {
  readonly tokens: readonly number[];
  readonly text: string;
  readonly reason: string | null;
  readonly stopString: string | null;
}

/** Collects events by request, and checks that they come in the order that the protocol documents. */
export class EventLog {
  readonly events: GenerateEvent[] = [];
  readonly admitted: number[] = [];
  readonly charges: Charge[] = [];
  readonly settled: number[] = [];

  charge(charges: readonly Charge[], settled: readonly number[]): void {
    this.charges.push(...charges);
    this.settled.push(...settled);
  }

  of(id: number): readonly GenerateEvent[] {
    return this.events.filter((event) => event.id === id);
  }

  answer(id: number, choice = 0): Answer {
    const events = this.of(id);
    const texts = events.filter((event) => event.kind === 'text' && event.choice === choice) as Extract<GenerateEvent, { kind: 'text' }>[];
    const finish = events.find((event) => event.kind === 'finish' && event.choice === choice) as
      | Extract<GenerateEvent, { kind: 'finish' }>
      | undefined;
    return {
      tokens: texts.flatMap((event) => event.tokens),
      text: texts.map((event) => event.text).join(''),
      reason: finish?.reason ?? null,
      stopString: finish?.stopString ?? null,
    };
  }
}

export function createScheduler(
  changes: Partial<SchedulerOptions> = {},
  fake: FakeOptions = {},
): { scheduler: Scheduler; session: FakeSession; log: EventLog } {
  const session = new FakeSession(fake);
  const log = new EventLog();
  let now = 0;
  const scheduler = new Scheduler({
    session,
    vocab: byteVocab,
    contextLength: session.capacity,
    budgetTokens: session.capacity * session.slotCount,
    chunkTokens: 8,
    maxWaiting: 64,
    eosTokens: [EOS],
    bosToken: null,
    speculation: false,
    now: () => now++,
    randomSeed: () => 7n,
    emit: (events) => void log.events.push(...events),
    onAdmitted: (id) => void log.admitted.push(id),
    onCharges: (charges, settled) => log.charge(charges, settled),
    ...changes,
  });
  return { scheduler, session, log };
}

/** Steps until nothing is left to do. */
export async function runAll(scheduler: Scheduler, limit = 10_000): Promise<void> {
  for (let step = 0; step < limit; step++) if (!(await scheduler.step())) return;
  throw new Error(`Still busy after ${limit} steps.`);
}

/** What a request's answer must be: the sampler over rows that depend on its own tokens alone. */
export function expectedTokens(prompt: readonly number[], params: GenerateParams, choice = 0): number[] {
  const sampler = new Sampler({ params: params.sampling, promptTokens: prompt, seed: BigInt(params.sampling.seed ?? 7), choice });
  const tokens = [...prompt];
  for (let i = 0; i < (params.maxTokens ?? 0); i++) tokens.push(sampler.next(rowAfter(tokens, sampler.inverseTemperature)));
  return tokens.slice(prompt.length);
}
