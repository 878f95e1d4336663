// Owns the MLP of one layer: down(act(up(x))), or gated, down(act(gate(x)) · up(x)).
// Knows nothing about the rest of the layer.
import { assertNever } from '../../../errors.ts';
import type { EncoderConfig } from '../../manifest.ts';
import type { GraphBuilder } from '../onnx.ts';
import type { EncoderGraph } from './graph.ts';

/** x [tokens, hidden] → the same shape. */
export function encoderMlp({ b, weights, plan }: EncoderGraph, layer: number, x: string): string {
  const { config } = weights;
  const name = `layers.${layer}.mlp`;
  const inner = plan.format(layer, 'gate_up').emit(b, x, weights.gateUp(layer), `layers.${layer}.gate_up`);
  const active = config.gatedMlp ? gated(b, config, inner, name) : activate(b, config.activation, inner, `${name}.active`);
  return plan.format(layer, 'down').emit(b, active, weights.down(layer), name);
}

function gated(b: GraphBuilder, { activation, intermediateSize }: EncoderConfig, packed: string, name: string): string {
  const widths = b.int64(intermediateSize, intermediateSize);
  b.node({ op: 'Split', inputs: [packed, widths], outputs: [`${name}.gate`, `${name}.up`], attributes: { axis: -1 } });
  const active = activate(b, activation, `${name}.gate`, `${name}.active`);
  return b.node({ op: 'Mul', inputs: [active, `${name}.up`], outputs: [`${name}.product`] });
}

export function activate(b: GraphBuilder, activation: EncoderConfig['activation'], x: string, out: string): string {
  switch (activation) {
    case 'gelu':
      return b.node({ op: 'Gelu', inputs: [x], outputs: [out], domain: 'com.microsoft' });
    case 'gelu_tanh':
      return b.node({ op: 'Gelu', inputs: [x], outputs: [out], attributes: { approximate: 'tanh' } });
    case 'relu':
      return b.node({ op: 'Relu', inputs: [x], outputs: [out] });
    case 'silu':
      // x · sigmoid(alpha · x) with alpha 1 is SiLU.
      return b.node({ op: 'QuickGelu', inputs: [x], outputs: [out], attributes: { alpha: { float: 1 } }, domain: 'com.microsoft' });
    default:
      return assertNever(activation);
  }
}
