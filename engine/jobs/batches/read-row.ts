// Decides what one line of a batch's input file is: a row, or a fault with the number of its line. Pure.
import type { BatchFault } from '../../contract.ts';

export interface InputRow {
  readonly customId: string;
  readonly model: string;
  /** Where the prompt begins: rows that begin alike run one after the other, so that what they share is computed once. */
  readonly promptKey: string;
}

export type ReadLine = { readonly kind: 'row'; readonly row: InputRow } | { readonly kind: 'fault'; readonly fault: BatchFault };

const MOST_ID_CHARS = 512;
/** Prompts that are the same for so many characters count as the same. */
const KEY_CHARS = 1_024;

export function readRow(text: string, line: number, endpoint: string): ReadLine {
  const value = parse(text);
  if (!isObject(value)) return fault(line, 'invalid_json_line', 'The line is no JSON object; the file may be cut here.', null);
  const { custom_id: customId, method, url, body } = value;
  if (typeof customId !== 'string' || customId === '' || customId.length > MOST_ID_CHARS)
    return fault(line, 'invalid_custom_id', `custom_id must be a text of 1 to ${MOST_ID_CHARS} characters.`, 'custom_id');
  if (method !== 'POST') return fault(line, 'invalid_method', 'method must be "POST".', 'method');
  if (url !== endpoint) return fault(line, 'invalid_url', `url must be the endpoint of the batch, ${JSON.stringify(endpoint)}.`, 'url');
  if (!isObject(body)) return fault(line, 'invalid_body', 'body must be an object.', 'body');
  if (typeof body['model'] !== 'string' || body['model'] === '')
    return fault(line, 'missing_model', 'body.model must be the name of a model.', 'body.model');
  if (body['stream'] === true)
    return fault(line, 'invalid_stream', 'body.stream cannot be true: a row has one whole answer.', 'body.stream');
  return { kind: 'row', row: { customId, model: body['model'], promptKey: promptKey(body) } };
}

export function duplicateId(customId: string, line: number, firstLine: number): BatchFault {
  const message = `The custom_id ${JSON.stringify(customId)} is that of line ${firstLine} already.`;
  return { code: 'duplicate_custom_id', message, param: 'custom_id', line };
}

function promptKey(body: Readonly<Record<string, unknown>>): string {
  const { messages, prompt, instructions, query } = body;
  // Texts that are encoded share nothing.
  const start = [messages, instructions, prompt, query].find((part) => part !== undefined);
  if (start === undefined) return '';
  return (typeof start === 'string' ? start : JSON.stringify(start)).slice(0, KEY_CHARS);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fault(line: number, code: string, message: string, param: string | null): ReadLine {
  return { kind: 'fault', fault: { code, message, param, line } };
}
