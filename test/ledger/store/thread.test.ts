import { describe, expect, it } from 'vitest';
import { Thread } from '../../../engine/ledger/store/thread.ts';

/** Answers with the question; dies of `die`, refuses `refuse`. */
const SOURCE = `import { parentPort } from 'node:worker_threads';
parentPort.on('message', ({ id, question }) => {
  if (question === 'die') process.exit(3);
  if (question === 'refuse') {
    const error = { code: 'invalid_request', message: 'No.', param: 'question', retryAfterSeconds: null };
    return parentPort.postMessage({ id, kind: 'error', error });
  }
  parentPort.postMessage({ id, kind: 'value', value: question });
});`;
const aThread = () => new Thread<unknown>(new URL(`data:text/javascript,${encodeURIComponent(SOURCE)}`), {});

describe('Thread', () => {
  it('starts with the first question and answers each', async () => {
    const thread = aThread();
    expect(thread.isRunning).toBe(false);
    expect(await Promise.all(['a', 'b', 'c'].map((question) => thread.ask(question)))).toEqual(['a', 'b', 'c']);
    expect(thread.isRunning).toBe(true);
    await thread.end();
  });

  it('passes a refusal on and goes on', async () => {
    const thread = aThread();
    await expect(thread.ask('refuse')).rejects.toMatchObject({ code: 'invalid_request', param: 'question' });
    expect(await thread.ask('a')).toBe('a');
    await thread.end();
  });

  it('fails what was asked when it dies, and starts again', async () => {
    const thread = aThread();
    const answers = await Promise.allSettled([thread.ask('a'), thread.ask('die'), thread.ask('b')]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(await thread.ask('c')).toBe('c');
    await thread.end();
  });

  it('refuses what cannot be sent', async () => {
    const thread = aThread();
    await expect(thread.ask(() => undefined)).rejects.toMatchObject({ name: 'DataCloneError' });
    expect(await thread.ask('a')).toBe('a');
    await thread.end();
  });

  it('fails open questions when it is ended', async () => {
    const thread = aThread();
    const open = thread.ask('a');
    await Promise.all([expect(open).rejects.toThrow('ended'), thread.end()]);
  });
});
