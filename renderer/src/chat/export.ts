// A conversation as files: Markdown of what is shown, JSON of everything. Pure.
import { fenceFor } from './attachments.ts';
import { pathOf, titleOf, type Conversation, type Turn } from './conversation.ts';

/** A version of the JSON's shape, for whoever reads it later. */
const FORMAT = 1;

export interface ExportFile {
  readonly name: string;
  readonly type: string;
  readonly text: string;
}

export function toMarkdownFile(conversation: Conversation): ExportFile {
  return { name: `${fileNameOf(conversation)}.md`, type: 'text/markdown', text: toMarkdown(conversation) };
}

/** All branches, not only the one that is shown. */
export function toJsonFile(conversation: Conversation): ExportFile {
  const text = `${JSON.stringify({ format: 'millrace-conversation', version: FORMAT, ...conversation }, null, 2)}\n`;
  return { name: `${fileNameOf(conversation)}.json`, type: 'application/json', text };
}

/** The turns that are shown, questions and answers under headings. */
export function toMarkdown(conversation: Conversation): string {
  const system = conversation.systemPrompt.trim();
  const parts = [`# ${titleOf(conversation)}`, system === '' ? '' : `## System\n\n${system}`, ...pathOf(conversation).map(turnMarkdown)];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function turnMarkdown({ question, attachments, answers }: Turn): string {
  const files = attachments.map(({ name, text }) => {
    const fence = fenceFor(text);
    return `Attached: ${name}\n\n${fence}\n${text.replace(/\n$/, '')}\n${fence}`;
  });
  const said = answers.map((answer) => `## ${answer.model ?? answer.modelAsked}\n\n${answer.text || '(no answer)'}`);
  return ['## You', question, ...files, ...said].filter((part) => part !== '').join('\n\n');
}

const NAME_LENGTH = 60;

/** Letters, digits and dashes, so that every file system takes it. */
function fileNameOf(conversation: Conversation): string {
  const words = titleOf(conversation).normalize('NFKC').toLowerCase();
  const name = words
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .slice(0, NAME_LENGTH)
    .replaceAll(/^-+|-+$/g, '');
  return name === '' ? 'conversation' : name;
}
