// A batch over an engine that is killed in the middle of it, twice, and asked by OpenAI's own client, unmodified.
import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import OpenAI, { toFile } from 'openai';
import { describe, expect, it } from 'vitest';
import { convertedModel, MODEL, ownDataDir, serve, type Served } from '../served.ts';

const ROWS = 300;
const ENDPOINT = '/v1/chat/completions';

function inputFile(): Promise<File> {
  const lines = Array.from({ length: ROWS }, (_, at) => {
    const body = { model: MODEL, max_tokens: 2, temperature: 0, messages: [{ role: 'user', content: `Count to ${at % 20}.` }] };
    return JSON.stringify({ custom_id: `row-${at}`, method: 'POST', url: ENDPOINT, body });
  });
  return toFile(Buffer.from(lines.join('\n')), 'rows.jsonl');
}

const clientOf = ({ url }: Served): OpenAI => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none' });

/** The batch once so many rows are done, or it has ended. */
async function doneRows(client: OpenAI, id: string, count: number): Promise<OpenAI.Batches.Batch> {
  for (;;) {
    const batch = await client.batches.retrieve(id);
    if ((batch.request_counts?.completed ?? 0) >= count && (count < ROWS || batch.status === 'completed')) return batch;
    if (batch.status === 'failed') throw new Error(JSON.stringify(batch.errors));
    await delay(20);
  }
}

describe('a batch', () => {
  it('is exact after two kills with SIGKILL, and chat goes before it', { timeout: 600_000 }, async () => {
    const dataDir = await ownDataDir(await convertedModel());
    let served = await serve({ dataDir });
    try {
      const client = clientOf(served);
      const file = await client.files.create({ purpose: 'batch', file: await inputFile() });
      const { id } = await client.batches.create({ input_file_id: file.id, endpoint: ENDPOINT, completion_window: '24h' });
      for (const count of [40, 120]) {
        await doneRows(clientOf(served), id, count);
        await served.stop('SIGKILL');
        served = await serve({ dataDir });
      }
      const question = { model: MODEL, max_tokens: 4, messages: [{ role: 'user' as const, content: 'Hello.' }] };
      const chat = await clientOf(served).chat.completions.create(question);
      expect(chat.choices).toHaveLength(1);
      const batch = await doneRows(clientOf(served), id, ROWS);
      expect(batch.request_counts).toEqual({ total: ROWS, completed: ROWS, failed: 0 });
      expect(batch.error_file_id).toBeNull();
      const text = await (await clientOf(served).files.content(batch.output_file_id ?? '')).text();
      const ids = text
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { readonly custom_id: string }).custom_id);
      expect(ids.toSorted()).toEqual(Array.from({ length: ROWS }, (_, at) => `row-${at}`).toSorted());
    } finally {
      await served.stop();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
