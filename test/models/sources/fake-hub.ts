// A hub that speaks the protocol: tree listing in pages, resolve with a redirect to a second server for large files,
// Range and If-Range, ETag and X-Linked headers. Faults are switched on per file.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HubFile {
  readonly path: string;
  readonly content: Buffer;
  readonly isLfs: boolean;
}

export interface Faults {
  /** The connection is cut after so many bytes of a body, as often as there are entries. */
  cutAfter: number[];
  /** The next bodies are other bytes of the same length, so often. */
  wrongBytes: number;
  /** The ETag changes before the next request. */
  etagSuffix: string;
  /** Answered instead of anything else, in order. */
  statuses: number[];
  /** Bodies stop after the first half and stay open, so often. */
  stalls: number;
}

export interface Seen {
  readonly server: 'hub' | 'cdn';
  readonly url: string;
  readonly range: string | null;
  readonly authorization: string | null;
}

export class FakeHub {
  readonly faults: Faults = { cutAfter: [], wrongBytes: 0, etagSuffix: '', statuses: [], stalls: 0 };
  readonly seen: Seen[] = [];
  readonly #files: ReadonlyMap<string, HubFile>;
  readonly #hub: Server;
  readonly #cdn: Server;
  readonly #token: string | null;
  /** Stays valid when the hub is stopped. */
  endpoint = '';

  private constructor(files: readonly HubFile[], token: string | null) {
    this.#files = new Map(files.map((file) => [file.path, file]));
    this.#token = token;
    this.#hub = createServer((request, reply) => this.#answerHub(request, reply));
    this.#cdn = createServer((request, reply) => this.#answerCdn(request, reply));
  }

  static async start(files: readonly HubFile[], token: string | null = null): Promise<FakeHub> {
    const hub = new FakeHub(files, token);
    await Promise.all([hub.#hub, hub.#cdn].map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))));
    hub.endpoint = addressOf(hub.#hub);
    return hub;
  }

  /** The ranges asked of the server that has the large files. */
  get cdnRanges(): readonly (string | null)[] {
    return this.seen.filter(({ server }) => server === 'cdn').map(({ range }) => range);
  }

  async stop(): Promise<void> {
    for (const server of [this.#hub, this.#cdn]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  #answerHub(request: IncomingMessage, reply: ServerResponse): void {
    const url = this.#note('hub', request);
    const status = this.faults.statuses.shift();
    if (status !== undefined) return void reply.writeHead(status, { 'retry-after': '0' }).end();
    if (this.#token !== null && request.headers.authorization !== `Bearer ${this.#token}`) return void reply.writeHead(401).end();
    if (url.pathname === '/api/models/owner/model/tree/main') return this.#answerTree(url, reply);
    const file = this.#files.get(decodeURIComponent(url.pathname.replace('/owner/model/resolve/main/', '')));
    if (file === undefined) return void reply.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end();
    if (!file.isLfs) return this.#answerBody(request, reply, file);
    const location = `${addressOf(this.#cdn)}/blobs/${encodeURIComponent(file.path)}`;
    reply
      .writeHead(302, {
        location,
        'x-linked-size': file.content.length,
        'x-linked-etag': `"${sha256(file.content)}"`,
        'x-repo-commit': '0'.repeat(40),
      })
      .end();
  }

  #answerCdn(request: IncomingMessage, reply: ServerResponse): void {
    const url = this.#note('cdn', request);
    const file = this.#files.get(decodeURIComponent(url.pathname.replace('/blobs/', '')));
    if (file === undefined) return void reply.writeHead(404).end();
    this.#answerBody(request, reply, file);
  }

  /** Two entries a page, as a real hub has a thousand. */
  #answerTree(url: URL, reply: ServerResponse): void {
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const page = [...this.#files.values()].slice(from, from + 2).map(treeEntry);
    const more = from + 2 < this.#files.size;
    const next = more ? { link: `<${this.endpoint}${url.pathname}?recursive=true&cursor=${from + 2}>; rel="next"` } : {};
    reply.writeHead(200, { 'content-type': 'application/json', ...next }).end(JSON.stringify(page));
  }

  #answerBody(request: IncomingMessage, reply: ServerResponse, file: HubFile): void {
    const etag = `"${sha256(file.content)}${this.faults.etagSuffix}"`;
    const from = rangeStart(request, etag);
    const whole = this.faults.wrongBytes-- > 0 ? Buffer.alloc(file.content.length, 0xff) : file.content;
    if (from >= whole.length && from > 0) return void reply.writeHead(416, { 'content-range': `bytes */${whole.length}` }).end();
    const body = whole.subarray(from);
    const partial = from > 0 ? { 'content-range': `bytes ${from}-${whole.length - 1}/${whole.length}` } : {};
    reply.writeHead(from > 0 ? 206 : 200, { etag, 'accept-ranges': 'bytes', 'content-length': body.length, ...partial });
    this.#send(reply, body);
  }

  #send(reply: ServerResponse, body: Buffer): void {
    const cut = this.faults.cutAfter.shift();
    // Later than the bytes: a reader drops what it has not taken when the connection fails.
    if (cut !== undefined && cut < body.length)
      return void reply.write(body.subarray(0, cut), () => setTimeout(() => reply.socket?.end(), 50));
    if (this.faults.stalls-- > 0) return void reply.write(body.subarray(0, body.length / 2));
    reply.end(body);
  }

  #note(server: 'hub' | 'cdn', request: IncomingMessage): URL {
    const { range, authorization } = request.headers;
    this.seen.push({ server, url: request.url ?? '', range: range ?? null, authorization: authorization ?? null });
    return new URL(request.url ?? '/', 'http://hub');
  }
}

function rangeStart(request: IncomingMessage, etag: string): number {
  const match = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const condition = request.headers['if-range'];
  return match === null || (condition !== undefined && condition !== etag) ? 0 : Number(match[1]);
}

function treeEntry(file: HubFile): object {
  const entry = { type: 'file', path: file.path, size: file.content.length, oid: gitBlob(file.content) };
  return file.isLfs ? { ...entry, lfs: { oid: sha256(file.content), size: file.content.length, pointerSize: 134 } } : entry;
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function gitBlob(content: Buffer): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}
