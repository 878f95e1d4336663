// Owns GGUF's header: version, metadata and tensor list, each count, size and offset checked against the file.
// Knows no model. Layout: github.com/ggml-org/ggml/blob/master/docs/gguf.md
import { EngineError } from '../../../errors.ts';
import { invalidFile, type RandomFile } from '../random-file.ts';
import { BLOCKS, rowLength, type SourceType } from '../tensors.ts';
import { Cursor } from './cursor.ts';
import { readMetadata, type Metadata } from './metadata.ts';

const MAGIC = 0x46554747;
const DEFAULT_ALIGNMENT = 32;
/** Name length, dimension count, one dimension, type, offset. */
const MIN_TENSOR_INFO_BYTES = 8 + 4 + 8 + 4 + 8;
/** Key length, type, one byte of value. */
const MIN_PAIR_BYTES = 8 + 4 + 1;
const MAX_DIMENSIONS = 4;
const MAX_TENSORS = 65_536;

/** `ggml_type` numbers, ggml.h. */
const TYPES: Readonly<Record<number, SourceType>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  6: 'Q5_0',
  7: 'Q5_1',
  8: 'Q8_0',
  10: 'Q2_K',
  11: 'Q3_K',
  12: 'Q4_K',
  13: 'Q5_K',
  14: 'Q6_K',
  20: 'IQ4_NL',
  23: 'IQ4_XS',
  30: 'BF16',
};

export interface GgufTensorInfo {
  readonly name: string;
  /** Row-major, the reverse of the order in the file. */
  readonly shape: readonly number[];
  readonly type: SourceType;
  /** From the start of the file. */
  readonly offset: number;
  readonly sizeBytes: number;
}

export interface GgufHeader {
  readonly metadata: Metadata;
  readonly tensors: readonly GgufTensorInfo[];
}

/** Throws `model_file_invalid` for a cut, inconsistent or hostile file, `unsupported_model` for versions and types not known. */
export function readGgufHeader(file: RandomFile): GgufHeader {
  const cursor = new Cursor(file);
  if (cursor.u32() !== MAGIC) throw invalidFile(file.path, 'it is no GGUF file');
  const version = cursor.u32();
  if (version !== 2 && version !== 3) throw new EngineError('unsupported_model', `GGUF version ${version} is not supported; 2 and 3 are.`);
  const tensorCount = cursor.count(MIN_TENSOR_INFO_BYTES, 'tensors');
  if (tensorCount > MAX_TENSORS) throw cursor.invalid(`${tensorCount} tensors`);
  const metadata = readMetadata(cursor, cursor.count(MIN_PAIR_BYTES, 'metadata entries'));
  const alignment = checkedAlignment(file, metadata);
  const infos = Array.from({ length: tensorCount }, () => readTensorInfo(cursor));
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  const tensors = infos.map((info) => placed(file, info, dataStart, alignment));
  checkNames(file, tensors);
  checkOverlaps(file, tensors);
  return { metadata, tensors };
}

type RawInfo = Omit<GgufTensorInfo, 'sizeBytes'>;

function readTensorInfo(cursor: Cursor): RawInfo {
  const name = cursor.string();
  const dimensions = cursor.u32();
  if (dimensions < 1 || dimensions > MAX_DIMENSIONS) throw cursor.invalid(`the tensor ${quoted(name)} has ${dimensions} dimensions`);
  const shape = Array.from({ length: dimensions }, () => cursor.u64()).reverse();
  const type = TYPES[cursor.u32()];
  if (type === undefined) throw new EngineError('unsupported_model', `The tensor ${quoted(name)} has a type that is not supported.`);
  return { name, shape, type, offset: cursor.u64() };
}

/** The tensor with its place in the file, or `model_file_invalid`. */
function placed(file: RandomFile, info: RawInfo, dataStart: number, alignment: number): GgufTensorInfo {
  const { name, shape, type, offset } = info;
  const refuse = (fault: string): Error => invalidFile(file.path, `the tensor ${quoted(name)} ${fault}`);
  if (shape.some((dim) => dim < 1)) throw refuse('has an empty dimension');
  const weights = shape.reduce((product, dim) => product * dim, 1);
  const sizeBytes = (weights / BLOCKS[type].weights) * BLOCKS[type].bytes;
  if (rowLength(shape) % BLOCKS[type].weights !== 0) throw refuse(`has rows that are no multiple of ${type}'s block`);
  if (offset % alignment !== 0) throw refuse(`begins at an offset that is no multiple of ${alignment}`);
  if (!(sizeBytes <= file.sizeBytes) || dataStart + offset + sizeBytes > file.sizeBytes) throw refuse('reaches beyond the end of the file');
  return { name, shape, type, offset: dataStart + offset, sizeBytes };
}

function checkedAlignment(file: RandomFile, metadata: Metadata): number {
  const alignment = metadata.number('general.alignment') ?? DEFAULT_ALIGNMENT;
  const isPowerOfTwo = Number.isInteger(Math.log2(alignment));
  if (alignment < 8 || alignment > 1 << 20 || !isPowerOfTwo) throw invalidFile(file.path, `its alignment is ${alignment}`);
  return alignment;
}

function checkNames(file: RandomFile, tensors: readonly GgufTensorInfo[]): void {
  const seen = new Set<string>();
  for (const { name } of tensors) {
    if (seen.has(name)) throw invalidFile(file.path, `two tensors are named ${quoted(name)}`);
    seen.add(name);
  }
}

function checkOverlaps(file: RandomFile, tensors: readonly GgufTensorInfo[]): void {
  const inOrder = tensors.toSorted((a, b) => a.offset - b.offset);
  inOrder.forEach((tensor, i) => {
    const next = inOrder[i + 1];
    if (next !== undefined && tensor.offset + tensor.sizeBytes > next.offset) {
      throw invalidFile(file.path, `the tensors ${quoted(tensor.name)} and ${quoted(next.name)} overlap`);
    }
  });
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 80));
}
