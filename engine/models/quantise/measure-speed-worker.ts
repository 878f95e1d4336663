// A process of its own for one measurement of speed and memory: what earlier work left in memory would hide what a graph takes.
import { onnxRuntime } from '../../ort/index.ts';
import { measureSpeed, type SpeedRequest } from './measure-speed.ts';

process.once('message', (request: SpeedRequest) => {
  // The library itself is not the model's.
  onnxRuntime();
  measureSpeed(request).then(
    (speed) => process.send?.({ speed }, () => process.disconnect()),
    (cause: unknown) => process.send?.({ failure: cause instanceof Error ? cause.message : String(cause) }, () => process.disconnect()),
  );
});
