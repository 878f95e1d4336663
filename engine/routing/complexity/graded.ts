// Owns the form of graded traffic: one JSON object a line. Knows nothing about scores.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { EngineError } from '../../errors.ts';
import type { PromptFacts } from './features.ts';

/** One prompt that a weak and a strong model both answered. */
export interface GradedRow {
  /** Where it comes from; figures are told for each. */
  readonly benchmark: string;
  /** What validation leaves out as a whole. */
  readonly subject: string;
  readonly facts: PromptFacts;
  /** 0..1: how right each answer was. */
  readonly weak: number;
  readonly strong: number;
}

/**
 * Reads a file of graded prompts: `prompt`, `weak`, `strong` (true, false or 0..1), and where known `benchmark`, `subject`,
 * `turns`, `tools` (counts) and `schema` (true or false).
 * @throws EngineError `invalid_request` naming the line
 */
export async function readGraded(path: string): Promise<readonly GradedRow[]> {
  const rows: GradedRow[] = [];
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity })) {
    number += 1;
    if (line.trim() !== '') rows.push(parseRow(line, `${path}:${number}`));
  }
  if (rows.length === 0) throw new EngineError('invalid_request', `${path} holds no graded prompt.`);
  return rows;
}

function parseRow(line: string, place: string): GradedRow {
  const fields = parseObject(line, place);
  const { prompt, benchmark = 'traffic', subject = 'traffic', turns = 0, tools = 0, schema = false } = fields;
  if (typeof prompt !== 'string') throw refusal(place, 'prompt', 'a string');
  if (typeof benchmark !== 'string') throw refusal(place, 'benchmark', 'a string');
  if (typeof subject !== 'string') throw refusal(place, 'subject', 'a string');
  const facts = { text: prompt, turns: count(turns, place, 'turns'), tools: count(tools, place, 'tools'), schema: schema === true };
  return { benchmark, subject, facts, weak: grade(fields['weak'], place, 'weak'), strong: grade(fields['strong'], place, 'strong') };
}

function parseObject(line: string, place: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (cause) {
    throw new EngineError('invalid_request', `${place} is not JSON.`, { cause });
  }
  throw new EngineError('invalid_request', `${place} is not a JSON object.`);
}

function grade(value: unknown, place: string, field: string): number {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw refusal(place, field, 'true, false or a number from 0 to 1');
}

function count(value: unknown, place: string, field: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw refusal(place, field, 'a whole number from 0');
}

function refusal(place: string, field: string, form: string): EngineError {
  return new EngineError('invalid_request', `${place}: ${field} must be ${form}.`, { param: field });
}
