import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attach, fenceFor, MAX_ATTACHED_BYTES, type ReadableFile } from '../../../renderer/src/chat/attachments.ts';
import { chatModels, chooseModels } from '../../../renderer/src/chat/choose-models.ts';
import { toJsonFile, toMarkdownFile } from '../../../renderer/src/chat/export.ts';
import { splitBlocks } from '../../../renderer/src/chat/markdown-blocks.ts';
import { NUMBER_FIELDS, PLAIN_SAMPLING, readNumber, readStops, toWire, writeStops } from '../../../renderer/src/chat/sampling.ts';
import { aModel } from '../factories.ts';
import { aConversation, anAnswer, aTurn } from './sample.ts';

describe('splitBlocks', () => {
  it('cuts between paragraphs, not in fences or lists', () => {
    expect(splitBlocks('one\n\ntwo\nmore\n\n# three')).toEqual(['one\n\n', 'two\nmore\n\n', '# three']);
    expect(splitBlocks('```js\na\n\nb\n```\n\nend')).toEqual(['```js\na\n\nb\n```\n\n', 'end']);
    expect(splitBlocks('~~~~\na\n\n~~~\n\nb')).toHaveLength(1);
    expect(splitBlocks('1. a\n\n2. b\n\n   c\n\nd')).toEqual(['1. a\n\n2. b\n\n   c\n\n', 'd']);
  });

  it('gives the text back, and changes no block but the last as text comes', () => {
    const texts = fc.array(fc.constantFrom('a', '\n', '\n\n', '```', '```js\n', '- x\n', '  y', '# h\n', '~~~\n'), { maxLength: 30 });
    fc.assert(
      fc.property(texts, (pieces) => {
        const text = pieces.join('');
        expect(splitBlocks(text).join('')).toBe(text);
        const before = splitBlocks(pieces.slice(0, -1).join(''));
        expect(splitBlocks(text).slice(0, Math.max(0, before.length - 1))).toEqual(before.slice(0, -1));
      }),
    );
  });
});

describe('attach', () => {
  const file = (name: string, bytes: Uint8Array<ArrayBuffer>): ReadableFile => ({
    name,
    size: bytes.length,
    arrayBuffer: async () => bytes.buffer,
  });
  const text = (name: string, content: string): ReadableFile => file(name, new TextEncoder().encode(content));

  it('takes text, and replaces a file of the same name', async () => {
    const first = await attach([], [text('a.txt', 'one'), text('b.txt', 'ü')]);
    expect(first).toEqual({
      attachments: [
        { name: 'a.txt', text: 'one' },
        { name: 'b.txt', text: 'ü' },
      ],
      refusals: [],
    });
    const again = await attach(first.attachments, [text('a.txt', 'two')]);
    expect(again.attachments.map(({ text: content }) => content)).toEqual(['ü', 'two']);
  });

  it('refuses what is no text and what is too much, with the reason', async () => {
    const bytes = new Uint8Array([0xff, 0xfe, 0]);
    const { attachments, refusals } = await attach(
      [],
      [file('p.png', bytes), text('nul', 'a\0b'), text('big', 'x'.repeat(MAX_ATTACHED_BYTES + 1))],
    );
    expect(attachments).toEqual([]);
    expect(refusals).toEqual([
      'p.png is no text in UTF-8; only text files can be attached.',
      'nul is no text in UTF-8; only text files can be attached.',
      'big has 513 kB; the files of one question may have 512 kB together.',
    ]);
    const half = 'x'.repeat(MAX_ATTACHED_BYTES / 2 + 1);
    expect((await attach([], [text('a', half), text('b', half)])).attachments.map(({ name }) => name)).toEqual(['a']);
  });

  it('fences a text so that it cannot close its own fence', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('`', 'a', '\n') }), (content) => {
        expect(content.includes(fenceFor(content))).toBe(false);
      }),
    );
  });
});

describe('parameters', () => {
  const limits = (field: string) => {
    const found = NUMBER_FIELDS.find((each) => each.field === field);
    if (found === undefined) throw new Error(`no field ${field}`);
    return found;
  };

  it('are read within the limits of the API', () => {
    expect(readNumber(' 0.7 ', limits('temperature'))).toEqual({ kind: 'value', value: 0.7 });
    expect(readNumber('', limits('temperature'))).toEqual({ kind: 'value', value: null });
    expect(readNumber('2.1', limits('temperature'))).toEqual({ kind: 'wrong', reason: 'Between 0 and 2.' });
    expect(readNumber('x', limits('topP'))).toEqual({ kind: 'wrong', reason: 'Not a number.' });
    expect(readNumber('1.5', limits('maxTokens'))).toEqual({ kind: 'wrong', reason: 'A whole number, please.' });
  });

  it('are sent by the API’s names, those at their default not at all', () => {
    expect(toWire(PLAIN_SAMPLING)).toEqual({ temperature: 0.3 });
    const sampling = { ...PLAIN_SAMPLING, temperature: null, topP: 0.9, maxTokens: 7, seed: 0, stop: ['\n'] };
    expect(toWire(sampling)).toEqual({ top_p: 0.9, max_completion_tokens: 7, seed: 0, stop: ['\n'] });
  });

  it('keep stop strings through writing and reading', () => {
    const stops = fc.array(fc.string({ unit: fc.constantFrom('a', '\n', '\t', '\\', 'n', ' '), minLength: 1 }), { maxLength: 16 });
    fc.assert(
      fc.property(stops, (stop) => {
        expect(readStops(writeStops(stop))).toEqual({ kind: 'value', value: stop });
      }),
    );
    expect(readStops('a\n'.repeat(17)).kind).toBe('wrong');
  });
});

describe('a conversation as a file', () => {
  const turns = [
    aTurn('a', {
      question: 'Hi',
      attachments: [{ name: 'x.md', text: '```\n' }],
      answers: [anAnswer({ text: '**yes**', model: 'alpha' })],
    }),
    aTurn('b', { question: 'Other', answers: [anAnswer({ text: 'no' }), anAnswer({ text: '', modelAsked: 'beta' })] }),
  ];
  const conversation = aConversation(turns, { name: 'Ünïcode / “names”', systemPrompt: 'Be brief.' });

  it('is Markdown of what is shown', () => {
    const { name, text } = toMarkdownFile(conversation);
    expect(name).toBe('ünïcode-names.md');
    expect(text).toBe('# Ünïcode / “names”\n\n## System\n\nBe brief.\n\n## You\n\nOther\n\n## alpha\n\nno\n\n## beta\n\n(no answer)\n');
    const first = toMarkdownFile(aConversation(turns.slice(0, 1)));
    expect(first.text).toContain('Attached: x.md\n\n````\n```\n````\n\n## alpha\n\n**yes**\n');
  });

  it('is JSON of every branch', () => {
    const { name, text } = toJsonFile(conversation);
    expect(name).toBe('ünïcode-names.json');
    expect(JSON.parse(text)).toMatchObject({ format: 'millrace-conversation', version: 1, turns: [{ id: 'a' }, { id: 'b' }] });
    expect(toJsonFile(aConversation([], { name: '…' })).name).toBe('conversation.json');
  });
});

describe('chooseModels', () => {
  const installed = chatModels([aModel({ id: 'a', state: 'installed' }), aModel({ id: 'b' }), aModel({ id: 'v', use: 'embedding' })]);

  it('asks what was asked before while it is installed, else what is loaded', () => {
    expect(chooseModels(['a', 'gone'], installed)).toEqual(['a']);
    expect(chooseModels(['gone'], installed)).toEqual(['b']);
    expect(chooseModels([], installed.slice(0, 1))).toEqual(['a']);
    expect(chooseModels(['v'], [])).toEqual([]);
  });
});
