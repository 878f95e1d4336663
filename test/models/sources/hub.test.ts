import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchFromHub } from '../../../engine/models/sources/hub.ts';
import type { FetchedModel, FetchProgress } from '../../../engine/models/sources/source.ts';
import { FakeHub, type HubFile } from './fake-hub.ts';

const WEIGHTS = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 2_654_435_761) & 255));
const FOLDER: readonly HubFile[] = [
  { path: 'README.md', content: Buffer.from('---\nlicense: mit\n---\n'), isLfs: false },
  { path: 'config.json', content: Buffer.from('{"model_type":"llama"}'), isLfs: false },
  { path: 'tokenizer.json', content: Buffer.from('{"model":{}}'), isLfs: false },
  { path: 'model.safetensors', content: WEIGHTS, isLfs: true },
  { path: 'onnx/model.onnx', content: Buffer.from('not wanted'), isLfs: true },
];

let downloadDir: string;
let hub: FakeHub;

beforeEach(() => {
  downloadDir = mkdtempSync(join(tmpdir(), 'millrace-hub-'));
});
afterEach(async () => {
  await hub.stop();
  rmSync(downloadDir, { recursive: true });
});

async function fetchIt(
  options: {
    readonly token?: string;
    readonly onProgress?: (progress: FetchProgress) => void;
    readonly signal?: AbortSignal;
    readonly file?: string;
    readonly bytesPerSecond?: number;
    readonly wait?: (ms: number) => Promise<void>;
  } = {},
): Promise<FetchedModel> {
  const { token, file, wait, ...rest } = options;
  const spec = { kind: 'hub', repo: 'owner/model', revision: 'main', file: file ?? null } as const;
  const pace = { retryDelayMs: 1, stallMs: 150, ...(wait === undefined ? {} : { wait }) };
  return fetchFromHub(spec, { endpoint: hub.endpoint, token: token ?? null }, { downloadDir, ...rest }, pace);
}

function weightsOf(path: string): Buffer {
  return readFileSync(join(path, 'model.safetensors'));
}

describe('a whole model', () => {
  it('arrives, without what is not wanted and without leftovers', async () => {
    hub = await FakeHub.start(FOLDER);
    const progress: FetchProgress[] = [];
    const { path, source, isDownload } = await fetchIt({ onProgress: (step) => progress.push(step) });
    expect(readdirSync(path).toSorted()).toEqual(['README.md', 'config.json', 'model.safetensors', 'tokenizer.json']);
    expect(weightsOf(path).equals(WEIGHTS)).toBe(true);
    expect({ source, isDownload }).toEqual({ source: { kind: 'hub', reference: 'owner/model@main', sha256: null }, isDownload: true });
    const done = progress.map(({ bytesDone }) => bytesDone);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(progress.at(-1)?.bytesDone).toBe(progress.at(-1)?.bytesTotal);
  });

  it('waits after each piece so as to keep under a rate, and arrives', async () => {
    hub = await FakeHub.start(FOLDER);
    const waits: number[] = [];
    // So slow that what the reading itself takes is nothing beside it: an hour for the weights.
    const { path } = await fetchIt({ bytesPerSecond: 300_000 / 3_600, wait: async (ms) => void waits.push(ms) });
    expect(weightsOf(path).equals(WEIGHTS)).toBe(true);
    expect(Math.max(...waits)).toBe(1_000);
    expect(waits.length).toBeGreaterThan(3_000);
  });

  it('stops at once while it waits', async () => {
    hub = await FakeHub.start(FOLDER);
    const stop = new AbortController();
    const onProgress = (): void => stop.abort(new Error('enough'));
    await expect(fetchIt({ bytesPerSecond: 0.001, signal: stop.signal, onProgress })).rejects.toThrow('enough');
  });

  it('is not fetched twice', async () => {
    hub = await FakeHub.start(FOLDER);
    await fetchIt();
    const before = hub.cdnRanges.length;
    await fetchIt();
    expect(hub.cdnRanges.length).toBe(before);
  });

  it('as one GGUF file of several', async () => {
    hub = await FakeHub.start(['model-Q4_K_M.gguf', 'model-Q8_0.gguf'].map((path) => ({ path, content: Buffer.from(path), isLfs: true })));
    const named = await fetchIt({ file: 'q8_0' });
    expect(readFileSync(named.path, 'utf8')).toBe('model-Q8_0.gguf');
    expect(named.source.reference).toBe('owner/model@main:model-Q8_0.gguf');
    expect(readFileSync((await fetchIt()).path, 'utf8')).toBe('model-Q4_K_M.gguf');
    await expect(fetchIt({ file: 'Q2_K' })).rejects.toMatchObject({ code: 'unsupported_model' });
  });
});

describe('connections', () => {
  it('that are cut go on where they stopped', async () => {
    hub = await FakeHub.start([...FOLDER.slice(0, 3), { path: 'model.safetensors', content: WEIGHTS, isLfs: true }]);
    hub.faults.cutAfter = [1_000_000, 1_000_000, 1_000_000, 100_000, 70_000];
    const { path } = await fetchIt();
    expect(weightsOf(path).equals(WEIGHTS)).toBe(true);
    const starts = hub.cdnRanges.map((range) => Number(/\d+/.exec(range ?? '0')?.[0]));
    expect(starts).toHaveLength(3);
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    expect(starts.at(-1)).toBeGreaterThan(0);
  });

  it('that stall are given up and go on', async () => {
    hub = await FakeHub.start(FOLDER);
    await fetchIt();
    rmSync(join(downloadDir, 'hub-owner--model--main', 'model.safetensors'));
    hub.faults.stalls = 1;
    expect(weightsOf((await fetchIt()).path).equals(WEIGHTS)).toBe(true);
    expect(hub.cdnRanges.at(-1)).toMatch(/^bytes=[1-9]/);
  });

  it('that never bring a byte end with the reason', async () => {
    hub = await FakeHub.start(FOLDER);
    await fetchIt();
    rmSync(join(downloadDir, 'hub-owner--model--main', 'model.safetensors'));
    hub.faults.cutAfter = new Array<number>(20).fill(0);
    await expect(fetchIt()).rejects.toMatchObject({ code: 'source_unreachable' });
  });

  it('are tried again after 503 and 429', async () => {
    hub = await FakeHub.start([{ path: 'a.gguf', content: WEIGHTS, isLfs: true }]);
    await fetchIt();
    rmSync(join(downloadDir, 'hub-owner--model--main', 'a.gguf'));
    // The first answer is the listing's.
    const statuses = [503, 429, 503];
    const listing = hub.seen.length;
    const answered = fetchIt({ onProgress: () => undefined });
    while (hub.seen.length === listing) await new Promise((resolve) => setImmediate(resolve));
    hub.faults.statuses = statuses;
    expect(readFileSync((await answered).path).equals(WEIGHTS)).toBe(true);
  });

  it('stop at once when they are no longer wanted, and resume later', async () => {
    hub = await FakeHub.start(FOLDER);
    hub.faults.stalls = 0;
    hub.faults.cutAfter = [1_000_000, 1_000_000, 1_000_000, 1_000_000, 200_000];
    const stop = new AbortController();
    const reason = new Error('no longer wanted');
    const onProgress = ({ file, bytesDone }: FetchProgress): void => {
      if (file === 'model.safetensors' && bytesDone > 60_000) stop.abort(reason);
    };
    await expect(fetchIt({ onProgress, signal: stop.signal })).rejects.toBe(reason);
    const folder = join(downloadDir, 'hub-owner--model--main');
    expect(existsSync(join(folder, 'model.safetensors'))).toBe(false);
    expect(weightsOf((await fetchIt()).path).equals(WEIGHTS)).toBe(true);
    expect(hub.cdnRanges.at(-1)).toMatch(/^bytes=[1-9]/);
  });
});

describe('content', () => {
  it('that is wrong is never kept', async () => {
    hub = await FakeHub.start([{ path: 'a.gguf', content: WEIGHTS, isLfs: true }]);
    hub.faults.wrongBytes = 1;
    await expect(fetchIt()).rejects.toMatchObject({ code: 'model_file_invalid' });
    expect(readdirSync(join(downloadDir, 'hub-owner--model--main'))).toEqual([]);
    expect(readFileSync((await fetchIt()).path).equals(WEIGHTS)).toBe(true);
  });

  it('that was damaged before an interruption is fetched anew by itself', async () => {
    hub = await FakeHub.start([{ path: 'a.gguf', content: WEIGHTS, isLfs: true }]);
    await fetchIt();
    const file = join(downloadDir, 'hub-owner--model--main', 'a.gguf');
    rmSync(file);
    writeFileSync(`${file}.partial`, Buffer.alloc(100_000, 1));
    writeFileSync(`${file}.partial.etag`, `"${(await fetchIt()).source.sha256}"`);
    expect(readFileSync(file).equals(WEIGHTS)).toBe(true);
  });

  it('that changed at its source is not mixed with what is there', async () => {
    hub = await FakeHub.start([{ path: 'a.gguf', content: WEIGHTS, isLfs: true }]);
    const folder = join(downloadDir, 'hub-owner--model--main');
    mkdirSync(folder);
    writeFileSync(join(folder, 'a.gguf.partial'), Buffer.alloc(100_000, 1));
    writeFileSync(join(folder, 'a.gguf.partial.etag'), '"of another time"');
    expect(readFileSync((await fetchIt()).path).equals(WEIGHTS)).toBe(true);
    expect(hub.cdnRanges).toEqual(['bytes=100000-']);
  });
});

describe('access', () => {
  it('sends the token to the hub and to no other server', async () => {
    hub = await FakeHub.start(FOLDER, 'hf_secret');
    await fetchIt({ token: 'hf_secret' });
    expect(hub.seen.filter(({ server }) => server === 'hub').every(({ authorization }) => authorization === 'Bearer hf_secret')).toBe(true);
    expect(hub.seen.filter(({ server }) => server === 'cdn').every(({ authorization }) => authorization === null)).toBe(true);
  });

  it.each([
    [401, /HF_TOKEN/],
    [403, /licence/],
    [404, /Check the name/],
  ])('%i says what to do', async (status, remedy) => {
    hub = await FakeHub.start(FOLDER);
    hub.faults.statuses = [status];
    const refused = await fetchIt().catch((cause: unknown) => cause);
    expect(refused).toMatchObject({ code: 'source_unreachable', message: expect.stringMatching(remedy) });
  });

  it('says so when the hub cannot be reached', async () => {
    hub = await FakeHub.start(FOLDER);
    await hub.stop();
    await expect(fetchIt()).rejects.toMatchObject({ code: 'source_unreachable', message: expect.stringContaining('ECONNREFUSED') });
  });

  it.each(['../secrets', 'owner', 'owner/model/more', 'owner/..', 'owner/model?x'])('refuses the repository name %s', async (repo) => {
    hub = await FakeHub.start(FOLDER);
    const spec = { kind: 'hub', repo, revision: 'main', file: null } as const;
    await expect(fetchFromHub(spec, { endpoint: hub.endpoint, token: null }, { downloadDir })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect(hub.seen).toEqual([]);
  });

  it('never writes outside its folder, whatever the hub lists', async () => {
    hub = await FakeHub.start([
      { path: '../../evil.gguf', content: Buffer.from('x'), isLfs: true },
      { path: '/etc/evil.gguf', content: Buffer.from('x'), isLfs: true },
    ]);
    await expect(fetchIt()).rejects.toMatchObject({ code: 'unsupported_model' });
  });
});
