// Owns runs whose outputs have sizes that only the run knows: ONNX Runtime allocates them, their content is copied out.
// Knows nothing about what the values mean.
import type { RunArguments, Status } from './c_api.ts';
import { onnxRuntime } from './library.ts';
import { OrtError } from './ort_error.ts';
import type { OrtSession } from './session.ts';
import { CStrings } from './strings.ts';
import { addressOf, systemMemory } from './system_memory.ts';
import { elementTypeName, tensorBytes } from './tensor.ts';
import type { ElementType, OrtTensor, Shape } from './tensor.ts';

/** An output, row-major, in memory of its own. */
export interface ComputedTensor {
  readonly type: ElementType;
  readonly shape: Shape;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Runs the model on another thread and returns the named outputs in their order. The input tensors stay alive until then.
 * @throws OrtError `INVALID_ARGUMENT` for an output that is no numeric tensor, `DISPOSED`, or ONNX Runtime's own code
 */
export async function runOpen(
  session: OrtSession,
  inputs: Readonly<Record<string, OrtTensor>>,
  outputs: readonly string[],
): Promise<readonly ComputedTensor[]> {
  const { api, check } = onnxRuntime();
  const handles = [session.handle, ...Object.values(inputs).map(({ handle }) => handle)];
  const addresses = Object.values(inputs).map(({ handle }) => handle.address);
  const [inputNames, outputNames] = [new CStrings(Object.keys(inputs)), new CStrings(outputs)];
  const [given, computed] = [BigUint64Array.from(addresses), new BigUint64Array(outputs.length)];
  const args: RunArguments = [
    session.handle.address,
    null,
    inputNames.address,
    addressOf(given),
    given.length,
    outputNames.address,
    computed.length,
    addressOf(computed),
  ];
  for (const handle of handles) handle.retain();
  try {
    check(
      await new Promise<Status>((resolve, reject) =>
        api.run.async(...args, (error, status) => (error === null ? resolve(status) : reject(error))),
      ),
    );
    return Array.from(computed, copyOut);
  } finally {
    for (const value of computed) if (value !== 0n) api.releaseValue(value);
    for (const handle of handles) handle.release();
  }
}

function copyOut(value: bigint): ComputedTensor {
  const { api, create } = onnxRuntime();
  const { type, shape } = describe(value);
  if (type === 'other') throw new OrtError('INVALID_ARGUMENT', 'An output is no tensor of numbers.');
  const bytes = new Uint8Array(tensorBytes(type, shape));
  if (bytes.length > 0)
    systemMemory().move(
      bytes,
      create<bigint>((out) => api.getTensorMutableData(value, out)),
      bytes.length,
    );
  return { type, shape, bytes };
}

function describe(value: bigint): { readonly type: ElementType | 'other'; readonly shape: Shape } {
  const { api, check, create } = onnxRuntime();
  const info = create<bigint>((out) => api.getTensorTypeAndShape(value, out));
  try {
    const rank = Number(create<number>((out) => api.getDimensionsCount(info, out)));
    const sizes = new BigInt64Array(rank);
    check(api.getDimensions(info, sizes, rank));
    return { type: elementTypeName(create<number>((out) => api.getTensorElementType(info, out))), shape: Array.from(sizes, Number) };
  } finally {
    api.releaseTensorTypeAndShape(info);
  }
}
