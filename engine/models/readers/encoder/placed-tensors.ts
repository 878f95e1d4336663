// Owns the check of a file's tensors against their places, and the view of each under its canonical name.
// Knows no family.
import { EngineError } from '../../../errors.ts';
import { rowCount, rowLength, type SourceTensor } from '../tensors.ts';
import type { TensorPlace } from './tensor-places.ts';

/** Heads that a language model was trained with and buffers that old checkpoints store: no part of an encoder's result. */
const UNUSED = /^(cls|lm_head|vocab_\w+|qa_outputs|pooler|head|decoder|classifier)\.|(^|\.)(position_ids|inv_freq)$/;
/** What precedes every name where the file holds a model with a head. */
const PREFIX = /^(?:bert|roberta|mpnet|distilbert|nomic_bert|model)\./;

/** The file's tensors without the whole model's prefix, and under the present names of norms' weights. */
export function plainNames(tensors: ReadonlyMap<string, SourceTensor>): ReadonlyMap<string, SourceTensor> {
  const plain = (name: string): string =>
    name
      .replace(PREFIX, '')
      .replace(/\.gamma$/, '.weight')
      .replace(/\.beta$/, '.bias');
  return new Map(Array.from(tensors, ([name, tensor]) => [plain(name), tensor] as const));
}

/**
 * Every place's tensor by canonical name. Throws `model_file_invalid` when one is missing or has another shape, `unsupported_model` when
 * there is one that the graph would not use: its result would be wrong without a word.
 */
export function placedTensors(
  places: ReadonlyMap<string, TensorPlace>,
  tensors: ReadonlyMap<string, SourceTensor>,
): ReadonlyMap<string, SourceTensor> {
  const placed = new Map(Array.from(places, ([canonical, place]) => [canonical, placedTensor(place, tensors.get(place.name))] as const));
  const used = new Set(Array.from(places.values(), ({ name }) => name));
  for (const name of tensors.keys()) {
    if (!used.has(name) && !UNUSED.test(name))
      throw new EngineError('unsupported_model', `The tensor ${name.slice(0, 120)} is not part of this family as supported here.`);
  }
  return placed;
}

function placedTensor({ name, shape, fromRow, fileRows }: TensorPlace, tensor: SourceTensor | undefined): SourceTensor {
  if (tensor === undefined) throw new EngineError('model_file_invalid', `The model has no tensor ${name}.`);
  const [rows = 0, ...rest] = tensor.shape;
  const fits = fileRows === null ? rows >= (shape[0] ?? 0) : rows === fileRows;
  if (!fits || rest.join() !== shape.slice(1).join()) {
    const needed = [fileRows ?? shape[0], ...shape.slice(1)].join(', ');
    throw new EngineError('model_file_invalid', `The tensor ${name} has the shape [${tensor.shape.join(', ')}]; [${needed}] is needed.`);
  }
  return rows === shape[0] ? tensor : rowsOf(tensor, shape, fromRow);
}

/** Some rows of a matrix as a tensor of their own; of a vector, some of its numbers. */
function rowsOf(tensor: SourceTensor, shape: readonly number[], fromRow: number): SourceTensor {
  const name = `${tensor.name}[${fromRow}:]`;
  if (shape.length > 1) {
    const { type } = tensor;
    return {
      name,
      shape,
      type,
      readRaw: (from, count) => tensor.readRaw(fromRow + from, count),
      readF32: (from, count) => tensor.readF32(fromRow + from, count),
    };
  }
  const bytes = tensor.readRaw(0, rowCount(tensor.shape)).length / rowLength(tensor.shape);
  const length = rowLength(shape);
  return {
    name,
    shape,
    type: tensor.type,
    readRaw: () => tensor.readRaw(0, 1).slice(fromRow * bytes, (fromRow + length) * bytes),
    readF32: () => tensor.readF32(0, 1).slice(fromRow, fromRow + length),
  };
}
