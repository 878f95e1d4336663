// Owns reading one safetensors file: its header and the check that its tensors fill the data exactly, without gap or overlap.
// That check also finds a name given twice. Layout: huggingface.co/docs/safetensors (format).
import { EngineError } from '../../../errors.ts';
import { FileTensor, weightCount } from '../file-tensor.ts';
import { isJsonObject, parseJsonObject } from '../json-fields.ts';
import { invalidFile, type RandomFile } from '../random-file.ts';
import { BLOCKS, type SourceTensor, type SourceType } from '../tensors.ts';

/** A tensor takes 100 to 200 bytes; what JSON.parse makes of hostile text is up to 25 times as large. */
const MAX_HEADER_BYTES = 8 << 20;
const LENGTH_BYTES = 8;
const MAX_DIMENSIONS = 8;
const TYPES: ReadonlyMap<string, SourceType> = new Map<string, SourceType>([
  ['F32', 'F32'],
  ['F16', 'F16'],
  ['BF16', 'BF16'],
]);

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** Tensors in the file's order. Throws `model_file_invalid`, or `unsupported_model` for element types that are not read. */
export function readSafetensorsFile(file: RandomFile): readonly SourceTensor[] {
  const length = Number(new DataView(file.read(0, LENGTH_BYTES).buffer).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES) throw invalidFile(file.path, `its header of ${length} bytes is too long`);
  const text = new TextDecoder().decode(file.read(LENGTH_BYTES, length));
  const entries = Object.entries(parseJsonObject(file.path, text).raw)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => parseEntry(file, name, value));
  checkFilled(file, entries, file.sizeBytes - LENGTH_BYTES - length);
  return entries.filter((entry) => !isIndexBuffer(entry)).map((entry) => tensorOf(file, entry, LENGTH_BYTES + length));
}

/** 0, 1, 2 …, which old checkpoints of encoders store: no weight. */
function isIndexBuffer({ name, dtype }: Entry): boolean {
  return dtype === 'I64' && /(^|\.)position_ids$/.test(name);
}

function parseEntry(file: RandomFile, name: string, value: unknown): Entry {
  const refuse = (): Error => invalidFile(file.path, `the entry of the tensor ${JSON.stringify(name.slice(0, 80))} is malformed`);
  if (!isJsonObject(value)) throw refuse();
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !isCounts(shape) || shape.length > MAX_DIMENSIONS || !isCounts(offsets)) throw refuse();
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined || offsets.length !== 2 || begin > end) throw refuse();
  return { name, dtype, shape, begin, end };
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function checkFilled(file: RandomFile, entries: readonly Entry[], dataBytes: number): void {
  let at = 0;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at)
      throw invalidFile(file.path, `the tensor ${JSON.stringify(name.slice(0, 80))} does not begin where the one before it ends`);
    at = end;
  }
  if (at !== dataBytes) throw invalidFile(file.path, `its tensors take ${at} bytes and ${dataBytes} are there`);
}

function tensorOf(file: RandomFile, entry: Entry, dataStart: number): SourceTensor {
  const type = TYPES.get(entry.dtype);
  if (type === undefined)
    throw new EngineError(
      'unsupported_model',
      `The tensor ${entry.name.slice(0, 80)} has the type ${entry.dtype.slice(0, 20)}; F32, F16 and BF16 are read.`,
    );
  if (weightCount(entry.shape) * BLOCKS[type].bytes !== entry.end - entry.begin) {
    throw invalidFile(file.path, `the tensor ${JSON.stringify(entry.name.slice(0, 80))} has a length that is not that of its shape`);
  }
  return new FileTensor(file, { name: entry.name, shape: entry.shape, type, offset: dataStart + entry.begin });
}
