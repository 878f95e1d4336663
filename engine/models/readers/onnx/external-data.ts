// Owns the check of a ready ONNX file before native code sees it: which other files does it name, and are they its own?
// Walks onnx.proto's messages as far as tensors can lie in them, subgraphs, functions and attributes included.
import { lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { EngineError } from '../../../errors.ts';
import { RandomFile } from '../random-file.ts';
import { ProtobufWalk, type Span } from './protobuf-walk.ts';

type Message = 'model' | 'graph' | 'node' | 'attribute' | 'tensor' | 'sparse' | 'function' | 'training';

/** Field numbers of onnx.proto whose messages may hold a tensor. */
const PARTS: Readonly<Record<Message, Readonly<Record<number, Message>>>> = {
  model: { 7: 'graph', 20: 'training', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  function: { 7: 'node', 11: 'attribute' },
  training: { 1: 'graph', 2: 'graph' },
  tensor: {},
};
const EXTERNAL_DATA = 13;
const DATA_LOCATION = 14;
const LOCATION_EXTERNAL = 1;
const MAX_DEPTH = 64;
const MAX_TEXT_BYTES = 4_096;
/** ONNX Runtime reads such a location as an address in its own memory. */
const MEMORY_ADDRESS = '_ORT_MEM_ADDR_';
const RELATIVE_PATH = /^(?![/\\])(?!.*(?:^|[/\\])\.\.(?:[/\\]|$))[^:\0]+$/;

/** Where one tensor's data lies in another file. */
interface ExternalTensor {
  readonly location: string;
  readonly offset: number;
  /** Null: to the file's end. */
  readonly length: number | null;
}

/**
 * The files that hold this ONNX file's weights, relative to its folder, each once. Throws `model_file_invalid` when the file is
 * malformed, or names one that is absent, too short, not a regular file, or outside the folder (absolute, `..`, by a link).
 */
export function externalDataFiles(onnxPath: string): readonly string[] {
  const file = new RandomFile(onnxPath);
  try {
    const walk = new ProtobufWalk(file);
    const tensors = [...externalTensors(walk, 'model', walk.whole, 0)];
    const needed = neededBytes(tensors);
    for (const [location, bytes] of needed) checkPlace(dirname(onnxPath), location, bytes);
    return [...needed.keys()];
  } finally {
    file.dispose();
  }
}

function* externalTensors(walk: ProtobufWalk, message: Message, span: Span, depth: number): Generator<ExternalTensor> {
  if (depth > MAX_DEPTH) throw walk.invalid(span.from, `graphs nested deeper than ${MAX_DEPTH}`);
  if (message === 'tensor') {
    const external = externalTensor(walk, span);
    if (external !== null) yield external;
    return;
  }
  for (const field of walk.fields(span)) {
    const part = PARTS[message][field.number];
    if (part !== undefined && field.kind === 'bytes') yield* externalTensors(walk, part, field.span, depth + 1);
  }
}

function externalTensor(walk: ProtobufWalk, span: Span): ExternalTensor | null {
  const entries = new Map<string, string>();
  let isExternal = false;
  for (const field of walk.fields(span)) {
    if (field.number === DATA_LOCATION && field.kind === 'varint') isExternal = field.value === LOCATION_EXTERNAL;
    if (field.number !== EXTERNAL_DATA || field.kind !== 'bytes') continue;
    const [key, value] = entry(walk, field.span);
    entries.set(key, value);
  }
  // An entry without the location flag is checked too: another reader may follow it.
  if (!isExternal && entries.size === 0) return null;
  const length = entries.get('length');
  return {
    location: entries.get('location') ?? '',
    offset: countOf(entries.get('offset') ?? '0'),
    length: length === undefined ? null : countOf(length),
  };
}

/** StringStringEntryProto: key 1, value 2. */
function entry(walk: ProtobufWalk, span: Span): readonly [string, string] {
  let key = '';
  let value = '';
  for (const field of walk.fields(span)) {
    if (field.kind !== 'bytes') continue;
    if (field.number === 1) key = walk.text(field.span, MAX_TEXT_BYTES);
    if (field.number === 2) value = walk.text(field.span, MAX_TEXT_BYTES);
  }
  return [key, value];
}

function countOf(text: string): number {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : -1;
  if (count < 0) throw refused(`it names an offset or length ${JSON.stringify(text.slice(0, 40))}`);
  return count;
}

/** How long each named file has to be, so that a file of many tensors is looked at once. */
function neededBytes(tensors: readonly ExternalTensor[]): ReadonlyMap<string, number> {
  const needed = new Map<string, number>();
  for (const { location, offset, length } of tensors) {
    needed.set(location, Math.max(needed.get(location) ?? 0, offset + (length ?? 0)));
  }
  return needed;
}

function checkPlace(folder: string, location: string, bytes: number): void {
  const shown = JSON.stringify(location.slice(0, 200));
  if (location.includes(MEMORY_ADDRESS)) throw refused(`it names an address in memory, ${shown}`);
  if (!RELATIVE_PATH.test(location)) throw refused(`it names a file outside its folder, ${shown}`);
  const path = join(folder, location);
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) throw refused(`the file ${shown} is missing`);
  if (!realpathSync(path).startsWith(realpathSync(folder) + sep)) throw refused(`${shown} leads out of its folder`);
  const stat = statSync(path);
  if (!stat.isFile()) throw refused(`${shown} is not a regular file`);
  if (bytes > stat.size) throw refused(`${shown} is shorter than the model says`);
}

function refused(fault: string): EngineError {
  return new EngineError('model_file_invalid', `The ONNX file is not usable: ${fault}.`);
}
