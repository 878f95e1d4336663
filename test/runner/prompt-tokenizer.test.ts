// The worker thread with a small tokenizer of its own: rendering, refusals, and a template that never ends.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PromptTokenizer } from '../../engine/runner/prompt-tokenizer.ts';
import type { PromptInput } from '../../engine/runner/protocol.ts';

const WORDS = ['<s>', '</s>', 'user', 'assistant', 'hello', 'world', ':', '?'];
const TEMPLATE = `{{ bos_token }}{% for message in messages %}{{ message.role }} : {{ message.content }}{{ eos_token }}{% endfor %}
{%- if messages[0].role == 'refused' %}{{ raise_exception('Roles must alternate.') }}{% endif %}
{%- if messages[0].role == 'endless' %}{% for a in range(100000) %}{% for b in range(100000) %}{{ '' }}{% endfor %}{% endfor %}{% endif %}
{%- if add_generation_prompt %}assistant{% endif %}`;

let folder = '';
const open: PromptTokenizer[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-tokenizer-'));
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [0, 1].map((id) => ({
      id,
      content: WORDS[id],
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: null,
    decoder: null,
    model: { type: 'WordLevel', vocab: Object.fromEntries([...WORDS, '[UNK]'].map((word, id) => [word, id])), unk_token: '[UNK]' },
  };
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
});

afterAll(async () => {
  for (const tokenizer of open) tokenizer.dispose();
  await rm(folder, { recursive: true });
});

function create(
  options: { addBos?: boolean; chatTemplate?: string | null; limitMs?: number; patienceMs?: number; file?: string } = {},
): PromptTokenizer {
  const { addBos = true, chatTemplate = TEMPLATE, limitMs = 30_000, patienceMs = 30_000, file = 'tokenizer.json' } = options;
  const tokenizer = new PromptTokenizer(
    { file: join(folder, file), bosToken: 0, eosToken: 1, addBos, chatTemplate },
    { limitMs, patienceMs },
  );
  open.push(tokenizer);
  return tokenizer;
}

const chat = (role: string, templateOptions: Record<string, unknown> = {}): PromptInput => ({
  kind: 'chat',
  messages: [{ role, content: 'hello world' }],
  tools: null,
  templateOptions,
});

describe('the tokenizer worker', () => {
  it('renders a chat with its marks as single tokens', async () => {
    const tokenizer = create();
    expect([...(await tokenizer.tokenize(chat('user')))]).toEqual([0, 2, 6, 4, 5, 1, 3]);
    expect([...(await tokenizer.tokenize(chat('user', { add_generation_prompt: false })))]).toEqual([0, 2, 6, 4, 5, 1]);
  });

  it('puts the first mark before plain text only where the model wants it', async () => {
    expect([...(await create().tokenize({ kind: 'text', text: 'hello ?' }))]).toEqual([0, 4, 7]);
    expect([...(await create({ addBos: false }).tokenize({ kind: 'text', text: 'hello ?' }))]).toEqual([4, 7]);
    expect([...(await create().tokenize({ kind: 'tokens', tokens: [7, 7] }))]).toEqual([7, 7]);
  });

  it('tells what a template refuses, and that there is none', async () => {
    await expect(create().tokenize(chat('refused'))).rejects.toMatchObject({ code: 'template_failed', message: /Roles must alternate/ });
    await expect(create({ chatTemplate: null }).tokenize(chat('user'))).rejects.toMatchObject({ code: 'template_failed' });
  });

  it('ends a template that does not end, and answers the next request', async () => {
    const tokenizer = create({ limitMs: 300 });
    await tokenizer.ready;
    const endless = tokenizer.tokenize(chat('endless'));
    const next = tokenizer.tokenize(chat('user'));
    await expect(endless).rejects.toMatchObject({ code: 'template_failed', message: /more than 0.3 s/ });
    expect([...(await next)]).toHaveLength(7);
  });

  it('lets others pass a prompt that takes long', async () => {
    const tokenizer = create({ limitMs: 2000, patienceMs: 100 });
    await tokenizer.ready;
    const settled: string[] = [];
    const endless = tokenizer.tokenize(chat('endless')).catch(() => settled.push('endless'));
    await tokenizer.tokenize(chat('user')).then(() => settled.push('user'));
    await endless;
    expect(settled).toEqual(['user', 'endless']);
  });

  it('refuses what waits when it is disposed', async () => {
    const tokenizer = create();
    await tokenizer.ready;
    const asked = [tokenizer.tokenize(chat('endless')), tokenizer.tokenize(chat('user'))];
    tokenizer.dispose();
    for (const answer of await Promise.allSettled(asked))
      expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'draining' } });
  });

  it('says when its file cannot be read', async () => {
    const tokenizer = create({ file: 'nothing.json' });
    await expect(tokenizer.ready).rejects.toMatchObject({ code: 'model_file_invalid' });
    await expect(tokenizer.tokenize(chat('user'))).rejects.toMatchObject({ code: 'model_file_invalid' });
  });
});
