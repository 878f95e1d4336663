// A server with an OpenAI API that answers at its own pace, for tests of what is sent and how it is measured.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly model: string;
  readonly max_tokens: number;
  readonly messages: readonly { readonly content: string }[];
}

export interface StubServer {
  readonly url: string;
  /** Ids of the requests in the order of their arrival, with what they asked. */
  readonly asked: { readonly id: string; readonly body: Asked }[];
  close(): Promise<void>;
}

/** `answer` writes the whole response; a prompt has as many tokens as words and ten more. */
export async function stubServer(
  answer: (response: ServerResponse, body: Asked, index: number) => void | Promise<void>,
): Promise<StubServer> {
  const asked: StubServer['asked'] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    request.on('end', () => {
      const body = JSON.parse(text) as Asked;
      asked.push({ id: String(request.headers['x-request-id']), body });
      void answer(response, body, asked.length - 1);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function writeAnswer(response: ServerResponse, { max_tokens: tokens, messages }: Asked): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let i = 0; i < tokens; i++) response.write(`data: ${JSON.stringify({ choices: [{ delta: { content: 'a ' } }] })}\n\n`);
  const words = (messages[0]?.content ?? '').split(' ').length;
  response.write(`data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: words + 10, completion_tokens: tokens } })}\n\n`);
  response.end('data: [DONE]\n\n');
}
