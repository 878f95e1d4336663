// The room of native code: the only one that imports koffi. Everything that holds native memory has `dispose`.
// Pitfalls: the library's handle must outlive all calls; an OrtValue does not own its memory; V8's memory cage in Electron refuses
// external ArrayBuffers, so native memory is an address here; GroupQueryAttention with a batch of 0 kills the process;
// prepacked weights saved to external files give NaN with MatMulNBits in ONNX Runtime 1.30.
export { onnxRuntime } from './library.ts';
export { OrtError } from './ort_error.ts';
export type { OrtErrorCode } from './ort_error.ts';
export { OrtSession } from './session.ts';
export type { ExecutionProvider, SessionOptions, TensorInfo } from './session.ts';
export { OrtTensor } from './tensor.ts';
export type { ElementType, Shape, TensorData } from './tensor.ts';
export { NativeMemory } from './memory.ts';
export { systemMemory } from './system_memory.ts';
export { RunBinding } from './binding.ts';
export type { BoundTensors } from './binding.ts';
export { runOpen } from './open_run.ts';
export type { ComputedTensor } from './open_run.ts';
export { RunOptions } from './run_options.ts';
