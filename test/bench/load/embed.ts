// Sends embedding requests in a closed loop over connections that stay open, one text each, and takes their times.
// In the process of the benchmark: at a few hundred requests a second it takes little of the CPU.
import { Agent, request } from 'node:http';
import { seededRandom } from './plan.ts';

/** Few, so that what a run needs for its activations stays small beside the weights. */
const IDS_PER_TEXT = 32;

export interface EmbedPlan {
  readonly port: number;
  readonly model: string;
  readonly texts: readonly string[];
  readonly clients: number;
}

export interface EmbedResult {
  readonly textsPerSecond: number;
  readonly tokensPerSecond: number;
  readonly latenciesMs: readonly number[];
  readonly failed: number;
}

export async function embedAll({ port, model, texts, clients }: EmbedPlan): Promise<EmbedResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const latenciesMs: number[] = [];
  let [next, tokens, failed] = [0, 0, 0];
  const client = async (): Promise<void> => {
    for (let text = texts[next++]; text !== undefined; text = texts[next++]) {
      const sentMs = performance.now();
      const used = await embedOne(agent, port, { model, input: text, encoding_format: 'base64' });
      latenciesMs.push(performance.now() - sentMs);
      if (used === null) failed++;
      else tokens += used;
    }
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: clients }, client));
  const seconds = (performance.now() - startedMs) / 1000;
  agent.destroy();
  return { textsPerSecond: (texts.length - failed) / seconds, tokensPerSecond: tokens / seconds, latenciesMs, failed };
}

/** Embeds every id of a vocabulary once, a few a text, so that each page of the token table has been read. */
export async function embedVocabulary({ port, model, vocabSize }: { port: number; model: string; vocabSize: number }): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let first = 0; first < vocabSize; first += IDS_PER_TEXT) {
    const input = Array.from({ length: Math.min(IDS_PER_TEXT, vocabSize - first) }, (_, at) => first + at);
    await embedOne(agent, port, { model, input, encoding_format: 'base64' });
  }
  agent.destroy();
}

export interface Beside {
  readonly port: number;
  readonly model: string;
  /** The input that takes long. */
  readonly input: string;
}

/** Sends one input, and beside it short texts one after the other until it is answered or refused. */
export async function longestWaitBeside({ port, model, input }: Beside): Promise<{ readonly tookMs: number; readonly longestMs: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  const startedMs = performance.now();
  let tookMs: number | null = null;
  void embedOne(agent, port, { model, input, encoding_format: 'base64' }).then(() => (tookMs = performance.now() - startedMs));
  let longestMs = 0;
  for (let at = 0; tookMs === null; at++) {
    const sentMs = performance.now();
    await embedOne(agent, port, { model, input: `river ${at}`, encoding_format: 'base64' });
    longestMs = Math.max(longestMs, performance.now() - sentMs);
  }
  agent.destroy();
  return { tookMs, longestMs };
}

/** The tokens that were computed; null when the request failed. */
function embedOne(agent: Agent, port: number, body: object): Promise<number | null> {
  const text = JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  return new Promise((resolve) => {
    const sent = request({ agent, port, path: '/v1/embeddings', method: 'POST', headers }, (response) => {
      let answer = '';
      response.setEncoding('utf8').on('data', (piece: string) => (answer += piece));
      response.on('end', () => resolve(response.statusCode === 200 ? usedTokens(answer) : null));
    });
    sent.on('error', () => resolve(null));
    sent.end(text);
  });
}

function usedTokens(answer: string): number {
  return (JSON.parse(answer) as { usage: { total_tokens: number } }).usage.total_tokens;
}

export interface PieceShape {
  readonly count: number;
  readonly leastWords: number;
  readonly mostWords: number;
  readonly seed: number;
}

/** Runs of words from anywhere in a text, of lengths spread evenly on a logarithmic scale: many short ones, few long ones. */
export function piecesOf(text: string, { count, leastWords, mostWords, seed }: PieceShape): readonly string[] {
  const random = seededRandom(seed);
  const words = text.split(/\s+/);
  return Array.from({ length: count }, () => {
    const length = Math.round(leastWords * (mostWords / leastWords) ** random());
    const start = Math.floor(random() * (words.length - length));
    return words.slice(start, start + length).join(' ');
  });
}
