import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_TABLE } from '../../engine/errors.ts';
import { ask, errorOf, post, rawExchange, serving } from './serving.ts';

const CHAT = '/v1/chat/completions';
const JSON_TYPE = { 'content-type': 'application/json' };

describe('every fault of a request has the one shape', () => {
  it('404 for a path, whatever the method and media type', async () => {
    const { url } = await serving();
    for (const method of ['GET', 'POST', 'DELETE', 'PATCH']) {
      expect(await errorOf(await fetch(`${url}/v1/nope`, { method }))).toMatchObject({ status: 404, code: 'not_found' });
    }
    expect(await errorOf(await fetch(`${url}/assets/../../package.json`))).toMatchObject({ status: 404 });
    expect(await errorOf(await fetch(`${url}/assets/%2e%2e%2f%2e%2e%2fpackage.json`))).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('keeps the connection of a request that was read whole', async () => {
    const { port } = await serving();
    const bad = `POST /v1/nope HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`;
    const answers = await rawExchange(
      port,
      `GET /v1/nope HTTP/1.1\r\nHost: localhost\r\n\r\n${bad}GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 404', 'HTTP/1.1 404', 'HTTP/1.1 200']);
    expect(answers.match(/connection: close/gi)).toHaveLength(1);
  });

  it('405 with Allow', async () => {
    const { url } = await serving();
    const get = await fetch(url + CHAT);
    expect(get.headers.get('allow')).toBe('POST, OPTIONS');
    expect(await errorOf(get)).toMatchObject({ status: 405, code: 'method_not_allowed' });
    const put = await fetch(`${url}/v1/models/fake`, { method: 'DELETE' });
    expect(put.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
    expect(await errorOf(put)).toMatchObject({ status: 405, code: 'method_not_allowed' });
  });

  it('413 for a body over the limit, by its length or while it arrives', async () => {
    const { url, port } = await serving({}, { limits: { bodyBytes: 1000 } });
    const body = JSON.stringify(ask({ user: 'x'.repeat(2000) }));
    const response = await fetch(url + CHAT, { method: 'POST', headers: JSON_TYPE, body });
    expect(await errorOf(response)).toMatchObject({ status: 413, code: 'body_too_large' });
    const chunk = `${(2000).toString(16)}\r\n${'x'.repeat(2000)}\r\n`;
    const head = `POST ${CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const answer = await rawExchange(port, head + chunk);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toMatch(/connection: close/i);
    expect(answer).toContain('"code":"body_too_large"');
  });

  it('415 for a body that is not JSON, before it is read', async () => {
    const { port } = await serving();
    const answer = await rawExchange(
      port,
      `POST ${CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 415 /);
    expect(answer).toMatch(/connection: close/i);
    expect(answer).toContain('"code":"unsupported_media_type"');
  });

  it.each([
    ['malformed', '{"model":'],
    ['empty', ''],
    ['a number', '3'],
    ['a list', '[]'],
    ['null', 'null'],
    ['1e999', '{"model":"fake","messages":[{"role":"user","content":"x"}],"temperature":1e999}'],
    ['a lone surrogate', '{"model":"fake","messages":[{"role":"user","content":"\\ud83d"}]}'],
    ['too deep', `{"model":"fake","x":${'['.repeat(100)}${']'.repeat(100)}}`],
  ])('400 for a body that is %s', async (_name, body) => {
    const { url, host } = await serving();
    expect(await errorOf(await fetch(url + CHAT, { method: 'POST', headers: JSON_TYPE, body }))).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
    expect(host.requests).toEqual([]);
  });

  it('the same for a body that is parsed in the worker', async () => {
    const { url, host } = await serving({}, { limits: { inlineParseBytes: 10 } });
    expect(await errorOf(await fetch(url + CHAT, { method: 'POST', headers: JSON_TYPE, body: `{"a":"${'x'.repeat(20)}` }))).toMatchObject({
      status: 400,
    });
    expect((await post(url + CHAT, ask())).status).toBe(200);
    expect(host.requests).toHaveLength(1);
  });

  it('400 for what is no HTTP, or a bad path', async () => {
    const { url, port } = await serving();
    expect(await rawExchange(port, 'HELLO\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [^]*"code":"invalid_request"/);
    expect(await errorOf(await fetch(`${url}/v1/models/%zz`))).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(
      await rawExchange(port, `POST ${CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`),
    ).toMatch(/ 400 /);
  });

  it('408 for headers and bodies that do not come', async () => {
    const { port } = await serving({}, { limits: { headersMs: 40, requestMs: 80, checkEveryMs: 20 } });
    const half = await rawExchange(port, 'GET /health HTTP/1.1\r\nHost: loc');
    expect(half).toMatch(/^HTTP\/1\.1 408 [^]*"code":"request_timeout"/);
    const body = await rawExchange(
      port,
      `POST ${CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`,
    );
    expect(body).toMatch(/^HTTP\/1\.1 408 [^]*"code":"request_timeout"/);
  });

  it('431 for headers over the limit', async () => {
    const { port } = await serving();
    const answer = await rawExchange(port, `GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 [^]*"code":"headers_too_large"/);
    expect(answer).toContain('Connection: close');
  });

  it('500 without the details of what went wrong', async () => {
    const { url, host } = await serving();
    host.get = () => {
      throw new Error('secret path');
    };
    const error = await errorOf(await post(url + CHAT, ask()));
    expect(error).toMatchObject({ status: 500, code: 'internal' });
    expect(error.message).not.toContain('secret');
  });
});

describe('the error table', () => {
  it('is in the API’s description, code by code', async () => {
    const { url } = await serving();
    const { info } = await (await fetch(`${url}/openapi.json`)).json();
    for (const [code, { status, type }] of Object.entries(ERROR_TABLE))
      expect(info.description).toContain(`| \`${code}\` | ${status} | \`${type}\` |`);
  });

  it('holds no code that nothing in the engine uses', async () => {
    const sources = await engineSources();
    // Keys and quotas are what this one is for; until they exist the server listens on loopback alone.
    const expectedLater = ['unauthorized'];
    const unused = Object.keys(ERROR_TABLE).filter((code) => !sources.includes(`'${code}'`) && !expectedLater.includes(code));
    expect(unused).toEqual([]);
  });
});

async function engineSources(): Promise<string> {
  const root = join(import.meta.dirname, '../../engine');
  const names = (await readdir(root, { recursive: true })).filter((name) => name.endsWith('.ts') && name !== 'errors.ts');
  return (await Promise.all(names.map((name) => readFile(join(root, name), 'utf8')))).join('\n');
}
