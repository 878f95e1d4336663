// The items of a response's input: their schema, how they are numbered and kept, and the chat messages that they stand for.
// Pure; knows nothing about HTTP or about storage.
import { randomUUID } from 'node:crypto';
import { Type, type Static } from 'typebox';
import type { TemplateMessage } from '../../runner/protocol.ts';
import { invalid, unsupported } from '../openai/faults.ts';

const part = Type.Object({ type: Type.String(), text: Type.Optional(Type.String()), refusal: Type.Optional(Type.String()) });
type Part = Static<typeof part>;

export const inputItem = Type.Object({
  type: Type.Optional(Type.String({ description: '`message`, also when it is absent.' })),
  id: Type.Optional(Type.String()),
  role: Type.Optional(Type.Enum(['user', 'assistant', 'system', 'developer'])),
  content: Type.Optional(Type.Union([Type.String(), Type.Array(part)], { description: 'Text, or parts of a type of text.' })),
  status: Type.Optional(Type.String()),
});
type GivenItem = Static<typeof inputItem>;

export interface MessageItem {
  readonly id: string;
  readonly type: 'message';
  readonly role: 'user' | 'assistant' | 'system' | 'developer';
  readonly status: 'completed' | 'incomplete' | 'in_progress';
  readonly content: readonly Part[];
}

export type InputItem = MessageItem;

/** Items of thought are made by other models alone; this server's have no use for them. */
const SKIPPED: ReadonlySet<string> = new Set(['reasoning', 'compaction']);

/** A request's input as items with ids. @throws EngineError `unsupported_parameter`, `invalid_request` naming the item */
export function readItems(input: string | readonly GivenItem[]): readonly InputItem[] {
  if (typeof input === 'string') return [messageItem('user', [{ type: 'input_text', text: input }])];
  return input.flatMap((item, index) => readItem(item, `input[${index}]`) ?? []);
}

function readItem(item: GivenItem, at: string): InputItem | null {
  const { type = 'message', role, content } = item;
  if (SKIPPED.has(type)) return null;
  if (type !== 'message') throw unsupported(`${at}.type`, `Input items of type ${JSON.stringify(type)} are not supported.`);
  if (role === undefined) throw invalid(`${at}.role`, `${at}.role is required.`);
  if (content === undefined) throw invalid(`${at}.content`, `${at}.content is required.`);
  const textType = role === 'assistant' ? 'output_text' : 'input_text';
  const parts = typeof content === 'string' ? [{ type: textType, text: content }] : content;
  parts.forEach((one, index) => checkPart(one, `${at}.content[${index}]`));
  return messageItem(role, parts, item.id);
}

function messageItem(role: MessageItem['role'], content: readonly Part[], id = `msg_${randomUUID().replaceAll('-', '')}`): MessageItem {
  return { id, type: 'message', role, status: 'completed', content };
}

const TEXT_PARTS: ReadonlySet<string> = new Set(['input_text', 'output_text', 'text', 'summary_text']);

function checkPart({ type, text, refusal }: Part, at: string): void {
  if (!TEXT_PARTS.has(type) && type !== 'refusal')
    throw unsupported(at, `A content part of type ${JSON.stringify(type)} is not supported: this model reads text.`);
  if ((type === 'refusal' ? refusal : text) === undefined)
    throw invalid(at, `${at}.${type === 'refusal' ? 'refusal' : 'text'} is required.`);
}

/** What the chat template is given. Instructions and the first system messages are one message: most templates take no second. */
export function toMessages(instructions: string | null, items: readonly InputItem[]): readonly TemplateMessage[] {
  const messages = items.map(({ role, content }) => ({
    role: role === 'developer' ? 'system' : role,
    content: content.map(({ text, refusal }) => text ?? refusal ?? '').join('\n'),
  }));
  if (instructions !== null) messages.unshift({ role: 'system', content: instructions });
  const leading = messages.findIndex(({ role }) => role !== 'system');
  const systems = messages.slice(0, leading < 0 ? messages.length : leading);
  if (systems.length < 2) return messages;
  return [{ role: 'system', content: systems.map(({ content }) => content).join('\n\n') }, ...messages.slice(systems.length)];
}
