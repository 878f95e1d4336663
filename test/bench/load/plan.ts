// Owns what a load run is: which requests, when each is sent. Pure; the same seed gives both servers the same work.

/** Small, fast and repeatable: mulberry32 (Tommy Ettinger, public domain). Numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export type Arrivals =
  /** Each client sends its next request when the last one has ended. */
  | { readonly kind: 'closed'; readonly clients: number }
  /** Request i is sent at this time, whatever happened to those before it. */
  | { readonly kind: 'open'; readonly atMs: readonly number[] };

export interface LoadPlan {
  readonly port: number;
  readonly path: string;
  /** JSON bodies, sent in this order. */
  readonly bodies: readonly string[];
  readonly arrivals: Arrivals;
  /** A request is given up after this long. */
  readonly limitMs: number;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Arrival times of a Poisson process of `perSecond` requests. */
export function poissonArrivals(count: number, perSecond: number, seed: number): readonly number[] {
  const random = seededRandom(seed);
  let atMs = 0;
  return Array.from({ length: count }, () => {
    const now = atMs;
    atMs += (-Math.log(1 - random()) / perSecond) * 1000;
    return now;
  });
}

const WORDS = (
  'river stone window market garden letter winter copper silver forest bridge castle doctor travel island planet village kitchen ' +
  'music paper number button corner pocket summer thunder yellow orange purple simple narrow gentle famous hungry quiet clever ' +
  'broken golden frozen carry follow answer listen gather reach return change build write morning evening harbor station library ' +
  'mountain valley meadow desert teacher farmer sailor painter soldier captain neighbor stranger'
).split(' ');

/** `count` words in random order: nearly one token each, and no two texts alike. */
export function randomWords(count: number, random: () => number): string {
  return Array.from({ length: count }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' ');
}

export interface ChatShape {
  readonly model: string;
  /** Words of a prompt that no other request shares. */
  readonly promptWords: number;
  /** Words of a system prompt that all requests of the same seed share; 0: none. */
  readonly sharedWords: number;
  readonly maxTokens: number;
}

/** Bodies of streamed greedy chats that run to their token limit. */
export function chatBodies(shape: ChatShape, count: number, seed: number): readonly string[] {
  const shared = randomWords(shape.sharedWords, seededRandom(seed ^ 0x5eed));
  return Array.from({ length: count }, (_, i) => {
    const random = seededRandom(seed * 100_003 + i);
    const number = Math.floor(random() * 1e9);
    const user = `${number} Continue this list: ${randomWords(shape.promptWords, random)}`;
    const system = shape.sharedWords === 0 ? [] : [{ role: 'system', content: shared }];
    return JSON.stringify({
      model: shape.model,
      messages: [...system, { role: 'user', content: user }],
      max_tokens: shape.maxTokens,
      temperature: 0,
      ignore_eos: true,
      stream: true,
      stream_options: { include_usage: true },
    });
  });
}
