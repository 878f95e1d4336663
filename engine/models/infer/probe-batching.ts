// Decides whether rows of an ONNX model are independent, by running two of them together and each alone.
// A free first dimension alone says nothing: it can be a length, whose elements see each other.
import type { OnnxSession } from './onnx-session.ts';
import { byteLengthOf, concatRows, splitRows, valuesOf, type InferConfig, type Tensor, type TensorSpec } from './tensors.ts';

type Session = Pick<OnnxSession, 'inputs' | 'outputs' | 'run'>;

/** Sizes tried for the other free dimensions: some models take no small pictures. */
const FREE_SIZES = [4, 64, 224];
/** Kernels add up in another order when there are more rows. */
const TOLERANCE = 1e-3;
const ROWS = 2;

/** Never throws: what cannot be proved is not batched. */
export async function probeBatching(session: Session): Promise<InferConfig['batching']> {
  const fixed = [...session.inputs, ...session.outputs].find(({ shape }) => shape.length === 0 || shape[0] !== null);
  if (session.inputs.length === 0) return none('the model has no inputs');
  if (fixed !== undefined) return none(`the first dimension of ${JSON.stringify(fixed.name)} is not free`);
  let reason = '';
  for (const size of FREE_SIZES) {
    const found = await tryRows(session, size).catch((cause: unknown) => String(cause));
    if (found === true) return { kind: 'rows' };
    if (found === false) return none('rows that run together change each other');
    reason = found;
  }
  return none(`no trial run succeeded: ${reason}`);
}

function none(reason: string): InferConfig['batching'] {
  return { kind: 'none', reason };
}

/** Whether two rows gave the same together and alone. */
async function tryRows(session: Session, freeSize: number): Promise<boolean> {
  const names = session.outputs.map(({ name }) => name);
  const rows = Array.from({ length: ROWS }, (_, row) => session.inputs.map((spec) => sampleRow(spec, freeSize, row)));
  const together = await session.run(
    session.inputs.flatMap((_, at) => concatRows(rows.flatMap((row) => row[at] ?? [])) ?? []),
    names,
  );
  if (together.some(({ shape }) => shape[0] !== ROWS)) return false;
  const parts = together.map((tensor) =>
    splitRows(
      tensor,
      Array.from(rows, () => 1),
    ),
  );
  for (const [at, row] of rows.entries()) {
    const alone = await session.run(row, names);
    if (!alone.every((tensor, output) => isSame(tensor, parts[output]?.[at]))) return false;
  }
  return true;
}

/** Floats of 0 to 1 and integers 0 and 1, other ones in each row. */
function sampleRow({ name, datatype, shape }: TensorSpec, freeSize: number, row: number): Tensor {
  const sizes = [1, ...shape.slice(1).map((size) => size ?? freeSize)];
  const bytes = new Uint8Array(byteLengthOf(datatype, sizes));
  const values = valuesOf({ datatype, bytes });
  for (let i = 0; i < values.length; i++) {
    // Knuth's multiplicative hash: the same in each run, and without a period that a kernel could have.
    const share = (Math.imul(i * ROWS + row + 1, 0x9e3779b1) >>> 0) / 2 ** 32;
    if (values instanceof BigInt64Array || values instanceof BigUint64Array) values[i] = BigInt(Math.round(share));
    else values[i] = datatype.startsWith('FP') ? share : Math.round(share);
  }
  return { name, datatype, shape: sizes, bytes };
}

function isSame(left: Tensor, right: Tensor | undefined): boolean {
  if (right === undefined || left.shape.join() !== right.shape.join()) return false;
  const [some, others] = [Array.from(valuesOf(left), Number), Array.from(valuesOf(right), Number)];
  return some.every((value, at) => {
    const other = others[at] ?? Number.NaN;
    return Object.is(value, other) || Math.abs(value - other) <= TOLERANCE * Math.max(1, Math.abs(value));
  });
}
