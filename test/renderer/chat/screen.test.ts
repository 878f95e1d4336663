// The chat in a real browser, built as for users, over the real gateway with a scripted fleet.
import { readFile } from 'node:fs/promises';
import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../engine/errors.ts';
import type { Conversation } from '../../../renderer/src/chat/conversation.ts';
import { fakeEmbedding } from '../../fakes/host.ts';
import { seriousFaults } from '../axe.ts';
import type { FakeEngine, FakeEngineOptions } from '../engine.ts';
import { gatewayPages } from '../gateway-pages.ts';
import { aConversation, aTurn } from './sample.ts';

const { open } = gatewayPages();

async function openChat(options: FakeEngineOptions = {}, context: BrowserContextOptions = {}) {
  const { page, faults, engine } = await open('/chat', options, context);
  await page.getByLabel('Message', { exact: true }).waitFor();
  return { page, faults, engine };
}

const box = (page: Page): Locator => page.getByLabel('Message', { exact: true });
const turn = (page: Page, at: number): Locator => page.locator('.turn').nth(at);
const over = async (page: Page, at: number): Promise<void> =>
  turn(page, at)
    .getByText(/tokens? · cost/)
    .first()
    .waitFor();

async function ask(page: Page, text: string): Promise<void> {
  await page.getByRole('button', { name: 'Send' }).waitFor();
  await box(page).fill(text);
  await page.keyboard.press('Enter');
}

const messagesOf = (engine: FakeEngine, at: number): string[] => {
  const prompt = engine.fleet.requests[at]?.prompt;
  return prompt?.kind === 'chat' ? prompt.messages.map(({ role, content }) => `${role}: ${content}`) : [];
};

/** The text of the first answer that the browser keeps. */
const KEPT_TEXT = `new Promise((resolve) => {
  const opening = indexedDB.open('millrace-chat');
  opening.onsuccess = () => {
    const reading = opening.result.transaction('conversations').objectStore('conversations').getAll();
    reading.onsuccess = () => (opening.result.close(), resolve(reading.result[0]?.turns[0].answers[0].text ?? ''));
  };
})`;

/** Runs in the page: keeps a conversation and has it shown after a reload. */
async function keep(conversation: Conversation): Promise<void> {
  const database = await new Promise<IDBDatabase>((resolve) => {
    const opening = indexedDB.open('millrace-chat');
    opening.addEventListener('success', () => resolve(opening.result));
  });
  const change = database.transaction(['conversations', 'heads'], 'readwrite');
  change.objectStore('conversations').put(conversation);
  change.objectStore('heads').put({ id: conversation.id, title: 'kept', updatedAtMs: conversation.updatedAtMs });
  await new Promise((resolve) => change.addEventListener('complete', resolve));
  database.close();
  localStorage.setItem('millrace-chat', conversation.id);
}

describe('the chat', () => {
  it('streams an answer with its model, speed, first token and cost from the ledger', async () => {
    const { page, faults } = await openChat({ models: ['alpha'], answer: () => 'An **answer**.' });
    await ask(page, 'hello');
    await turn(page, 0)
      .getByText(/^alpha · first token after .* · 14 tokens · cost \$0\.00014/)
      .waitFor();
    expect(await turn(page, 0).locator('strong').textContent()).toBe('answer');
    expect(faults).toEqual([]);
  });

  it('draws Markdown and code, copies code, and shows HTML as text', async () => {
    const answer =
      '<img src=x onerror=alert(1)> <b>x</b>\n\n![p](http://evil.test/p.png) [l](javascript:alert(1)) [w](https://example.org)\n\n| a |\n|-|\n| 1 |\n\n```js\nconst a = 1;\n```\n';
    const { page, faults } = await openChat({ answer: () => answer }, { permissions: ['clipboard-read', 'clipboard-write'] });
    await ask(page, 'hello');
    await over(page, 0);
    const markdown = page.locator('.markdown');
    expect(await markdown.locator('img, b, script').count()).toBe(0);
    expect(await markdown.textContent()).toContain('<img src=x onerror=alert(1)> <b>x</b>');
    expect(await markdown.locator('a').evaluateAll((links) => links.map((link) => link.getAttribute('href')))).toEqual([
      'http://evil.test/p.png',
      'https://example.org',
    ]);
    await markdown.locator('.hljs-keyword').waitFor();
    await markdown.getByRole('button', { name: 'Copy: Code' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('const a = 1;');
    expect(faults).toEqual([]);
  });

  it('stops by button and by Escape, keeps what came, and frees the slot', async () => {
    const { page, engine } = await openChat({ stepMs: 5, answer: () => 'x '.repeat(50_000) });
    await ask(page, 'first');
    await turn(page, 0).locator('.markdown').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await turn(page, 0).getByText('stopped').waitFor();
    await ask(page, 'second');
    await turn(page, 1).locator('.markdown').waitFor();
    await page.keyboard.press('Escape');
    await turn(page, 1).getByText('stopped').waitFor();
    expect(await turn(page, 1).locator('.markdown').textContent()).toMatch(/^x x/);
    await expect.poll(() => [engine.fleet.cancelled, engine.fleet.openCount]).toEqual([2, 0]);
  });

  it('regenerates and edits on branches, and goes back and forth between them', async () => {
    const { page, engine } = await openChat({ answer: (prompt) => `told ${prompt.split('\n').length - 1}` });
    await ask(page, 'one');
    await over(page, 0);
    await ask(page, 'two');
    await over(page, 1);
    await turn(page, 1).getByRole('button', { name: 'Regenerate' }).click();
    await turn(page, 1).getByText('2/2').waitFor();
    await over(page, 1);
    await box(page).press('ArrowUp');
    const editor = page.getByLabel('Edit the question');
    await editor.fill('two, differently');
    await editor.press('Enter');
    await turn(page, 1).getByText('3/3').waitFor();
    await over(page, 1);
    expect(messagesOf(engine, 3)).toEqual(['user: one', 'assistant: told 1', 'user: two, differently']);
    await turn(page, 1).getByRole('button', { name: 'Earlier version' }).click();
    await turn(page, 1).getByText('2/3').waitFor();
    expect(await turn(page, 1).locator('.question-text').textContent()).toBe('two');
    await turn(page, 0).getByRole('button', { name: 'Edit' }).click();
    await editor.press('Escape');
    expect(await editor.count()).toBe(0);
  });

  it('asks two models side by side', async () => {
    const { page, engine } = await openChat({ models: ['alpha', 'beta'], encoders: { vectors: fakeEmbedding }, answer: () => 'yes' });
    const offered = await page.getByLabel('Model', { exact: true }).locator('option').allTextContents();
    expect(offered).toEqual(['alpha', 'beta', 'auto', 'auto:fast', 'auto:balanced', 'auto:premium']);
    await page.getByLabel('Compare with').selectOption('beta');
    await ask(page, 'hello');
    for (const name of ['alpha', 'beta']) {
      const answer = turn(page, 0).getByRole('group', { name: `Answer of ${name}` });
      await answer.getByText(/^first token after .* cost/).waitFor();
      await answer.getByText(name, { exact: true }).waitFor();
    }
    expect(engine.fleet.requests.map(({ model }) => model)).toEqual(['alpha', 'beta']);
  });

  it('sends parameters, the system prompt and attached files', async () => {
    const { page, engine } = await openChat();
    await page.getByRole('button', { name: 'Parameters' }).click();
    await page.getByLabel('System prompt').fill('Be brief.');
    await page.getByLabel('Temperature').fill('3');
    await page.getByText('Between 0 and 2.').waitFor();
    await page.getByLabel('Temperature').fill('0');
    await page.getByLabel('Max tokens').fill('5');
    await page.getByLabel('Seed').fill('7');
    await page.getByLabel('Stop strings').fill('\\n');
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByLabel('Files to attach').setInputFiles([
      { name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('contents') },
      { name: 'p.png', mimeType: 'image/png', buffer: Buffer.from([0xff, 0, 1]) },
    ]);
    await page.getByRole('alert').getByText('p.png is no text').waitFor();
    await ask(page, 'what is it?');
    await turn(page, 0).getByText('cut at the token limit').waitFor();
    expect(messagesOf(engine, 0)).toEqual(['system: Be brief.', 'user: a.txt:\n```\ncontents\n```\n\nwhat is it?']);
    expect(engine.fleet.requests[0]?.params).toMatchObject({ maxTokens: 5, stop: ['\n'], sampling: { temperature: 0, seed: 7 } });
    await turn(page, 0).getByText('a.txt').waitFor();
  });

  it('shows an error in its turn, keeps what came, and tries again', async () => {
    const { page, engine } = await openChat({ answer: () => 'abc' });
    engine.fleet.failure = { error: new EngineError('runner_died', 'The process ended.'), afterSteps: 2 };
    await ask(page, 'hello');
    await turn(page, 0).getByRole('alert').getByText('The process ended.').waitFor();
    expect(await turn(page, 0).locator('.markdown').textContent()).toBe('ab');
    engine.fleet.failure = { error: new EngineError('queue_full', 'Too many.', { retryAfterSeconds: 3 }), afterSteps: 0 };
    await ask(page, 'again');
    engine.fleet.failure = null;
    await turn(page, 1).getByRole('button', { name: 'Try again (best after 3 s)' }).click();
    await over(page, 1);
    expect(await turn(page, 1).locator('.markdown').textContent()).toBe('abc');
    expect(await turn(page, 1).getByText('1/2').count()).toBe(0);
  });

  it('keeps conversations and the draft over a reload, and what came of an answer that was cut', async () => {
    const { page } = await openChat({ stepMs: 5, answer: () => 'y '.repeat(50_000) });
    await ask(page, 'remember me');
    await turn(page, 0).locator('.markdown').waitFor();
    await box(page).fill('not sent yet');
    const kept = () => page.evaluate(KEPT_TEXT);
    await expect.poll(kept).toMatch(/^y y/);
    await page.reload();
    await turn(page, 0).getByText('stopped').waitFor();
    expect(await turn(page, 0).locator('.markdown').textContent()).toMatch(/^y y/);
    expect(await box(page).inputValue()).toBe('not sent yet');
  });

  it('finds, renames, exports and deletes conversations, and undoes that', async () => {
    const { page } = await openChat({ answer: (prompt) => (prompt.includes('sky') ? 'rayleigh' : 'other') });
    await ask(page, 'why is the sky blue?');
    await over(page, 0);
    await page.getByRole('button', { name: 'New conversation' }).click();
    await ask(page, 'something else');
    await over(page, 0);
    const list = page.getByRole('navigation', { name: 'Conversations' });
    await page.locator('.turns').focus();
    await page.keyboard.press('/');
    await page.keyboard.type('RAYLEIGH');
    await expect.poll(() => list.locator('.conversation-row').count()).toBe(1);
    await list.getByRole('button', { name: 'Rename, export or delete why is the sky blue?' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Sky');
    await page.keyboard.press('Enter');
    await list.getByRole('button', { name: /^Sky/ }).click();
    await turn(page, 0).getByText('why is the sky blue?').waitFor();
    await list.getByRole('button', { name: 'Rename, export or delete Sky' }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export Markdown' }).click();
    const file = await download;
    expect(file.suggestedFilename()).toBe('sky.md');
    expect(await readFile(await file.path(), 'utf8')).toContain('## You\n\nwhy is the sky blue?\n\n## fake\n\nrayleigh');
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await expect.poll(() => list.locator('.conversation-row').count()).toBe(0);
    await page.getByRole('button', { name: 'Undo' }).click();
    await list.getByRole('button', { name: /^Sky/ }).waitFor();
    await turn(page, 0).getByText('rayleigh').waitFor();
  });

  it('goes on while another screen is shown', async () => {
    const { page } = await openChat({ stepMs: 2, answer: () => 'z'.repeat(200) });
    await ask(page, 'hello');
    await page.getByRole('link', { name: 'Models' }).click();
    await page.getByRole('heading', { name: 'Models', exact: true }).waitFor();
    await page.getByRole('link', { name: 'Chat' }).click();
    await over(page, 0);
    expect(await turn(page, 0).locator('.markdown').textContent()).toBe('z'.repeat(200));
  });

  it('stays at the end of a growing answer until the reader scrolls up', async () => {
    const { page } = await openChat({ stepMs: 6, answer: () => 'line\n\n'.repeat(3_000) });
    const turns = page.locator('.turns');
    const fromEnd = () => turns.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);
    const height = () => turns.evaluate((element) => element.scrollHeight);
    await ask(page, 'hello');
    await expect.poll(height).toBeGreaterThan(2_000);
    expect(await fromEnd()).toBeLessThan(100);
    await turns.hover();
    await page.mouse.wheel(0, -800);
    await page.getByRole('button', { name: '↓ Newest' }).waitFor();
    const before = await height();
    await expect.poll(height).toBeGreaterThan(before + 500);
    expect(await fromEnd()).toBeGreaterThan(900);
    await page.getByRole('button', { name: '↓ Newest' }).click();
    await expect.poll(fromEnd).toBeLessThan(100);
    await page.keyboard.press('Escape');
  });

  it('draws the end of a long conversation, and what came before on demand', async () => {
    const { page } = await openChat();
    await page.evaluate(
      keep,
      aConversation(Array.from({ length: 100 }, (_, at) => aTurn(`t${at}`, { parentId: at === 0 ? null : `t${at - 1}` }))),
    );
    await page.reload();
    await turn(page, 59).getByText('answer t99').waitFor();
    expect(await page.locator('.turn').count()).toBe(60);
    await page.getByRole('button', { name: 'Show earlier turns (40)' }).click();
    await turn(page, 0).getByText('answer t0').waitFor();
    expect(await page.locator('.turn').count()).toBe(100);
  });

  it('teaches what to do without a model', async () => {
    const { page } = await openChat({ models: [] });
    await page.getByRole('button', { name: 'Get a model' }).click();
    await page.getByRole('heading', { name: 'Models', exact: true }).waitFor();
  });

  it.each(['light', 'dark'] as const)('has no serious accessibility fault, in %s, on a desktop and on a phone', async (colorScheme) => {
    const { page, engine } = await openChat(
      { answer: () => '# Title\n\n- a\n- `b`\n\n```js\nconst a = "b"; // c\n```\n' },
      { colorScheme },
    );
    await ask(page, 'hello '.repeat(40));
    await page.locator('.hljs-keyword').waitFor();
    engine.fleet.failure = { error: new EngineError('runner_died', 'Gone.'), afterSteps: 0 };
    await ask(page, 'again');
    await turn(page, 1).getByRole('alert').waitFor();
    await turn(page, 0).getByRole('button', { name: 'Edit' }).click();
    expect(await seriousFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Parameters' }).click();
    expect(await seriousFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Done' }).click();
    await page.setViewportSize({ width: 390, height: 800 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await page.getByRole('button', { name: 'Conversations' }).click();
    await page.getByRole('button', { name: 'New conversation' }).waitFor();
    expect(await seriousFaults(page)).toEqual([]);
  });
});
