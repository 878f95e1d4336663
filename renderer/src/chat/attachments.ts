// Text files that go with a question: what may be attached, and how a model is shown them. Knows nothing about the page.
import { formatBytes } from '../format.ts';

export interface Attachment {
  readonly name: string;
  readonly text: string;
}

/** All files of one question together, in bytes: some 128,000 tokens, more than most models' context. */
export const MAX_ATTACHED_BYTES = 512_000;

/** What is left of `File` once tests do without a browser. */
export interface ReadableFile {
  readonly name: string;
  readonly size: number;
  arrayBuffer(): Promise<ArrayBuffer>;
}

export interface Attached {
  readonly attachments: readonly Attachment[];
  /** A sentence for each file that was refused. */
  readonly refusals: readonly string[];
}

/** Adds files to those that are attached already; a file of the same name replaces the earlier one. */
export async function attach(already: readonly Attachment[], files: readonly ReadableFile[]): Promise<Attached> {
  const refusals: string[] = [];
  let attachments = already;
  for (const file of files) {
    const others = attachments.filter(({ name }) => name !== file.name);
    const read = await readText(file, MAX_ATTACHED_BYTES - bytesOf(others));
    if (read.kind === 'text') attachments = [...others, { name: file.name, text: read.text }];
    else refusals.push(read.reason);
  }
  return { attachments, refusals };
}

type Read = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'refused'; readonly reason: string };

async function readText(file: ReadableFile, roomBytes: number): Promise<Read> {
  if (file.size > roomBytes) {
    const limit = `the files of one question may have ${formatBytes(MAX_ATTACHED_BYTES)} together`;
    return { kind: 'refused', reason: `${file.name} has ${formatBytes(file.size)}; ${limit}.` };
  }
  const text = decode(await file.arrayBuffer());
  return text === null
    ? { kind: 'refused', reason: `${file.name} is no text in UTF-8; only text files can be attached.` }
    : { kind: 'text', text };
}

/** Null for what is no text. */
function decode(bytes: ArrayBuffer): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.includes('\0') ? null : text;
  } catch {
    return null; // Not UTF-8: the caller says so.
  }
}

const bytesOf = (attachments: readonly Attachment[]): number =>
  attachments.reduce((sum, { text }) => sum + new TextEncoder().encode(text).length, 0);

/** The question with its files before it, each in a fence that its own text cannot close. */
export function withAttachments(question: string, attachments: readonly Attachment[]): string {
  const files = attachments.map(({ name, text }) => {
    const fence = fenceFor(text);
    return `${name}:\n${fence}\n${text.replace(/\n$/, '')}\n${fence}`;
  });
  return [...files, question].filter((part) => part !== '').join('\n\n');
}

/** Backticks, one more than the longest run of them in the text, three at least. */
export function fenceFor(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
  return '`'.repeat(Math.max(3, longest + 1));
}
