// Owns the gated MLP of one layer: down(act(gate(x)) · up(x)).
// Knows nothing about the rest of the layer.
import { assertNever } from '../../errors.ts';
import type { DecoderConfig } from '../manifest.ts';
import type { DecoderGraph } from './decoder-graph.ts';
import type { GraphBuilder } from './onnx.ts';

/** x [batch, tokens, hidden] → the same shape. */
export function mlp({ b, weights, plan }: DecoderGraph, layer: number, x: string): string {
  const name = `layers.${layer}.mlp`;
  const { intermediateSize, activation } = weights.config;
  const packed = plan.format(layer, 'gate_up').emit(b, x, weights.gateUp(layer), `layers.${layer}.gate_up`);
  const widths = b.int64(intermediateSize, intermediateSize);
  b.node({ op: 'Split', inputs: [packed, widths], outputs: [`${name}.gate`, `${name}.up`], attributes: { axis: -1 } });
  const active = activate(b, activation, `${name}.gate`, `${name}.active`);
  const product = b.node({ op: 'Mul', inputs: [active, `${name}.up`], outputs: [`${name}.product`] });
  return plan.format(layer, 'down').emit(b, product, weights.down(layer), name);
}

function activate(b: GraphBuilder, activation: DecoderConfig['activation'], x: string, out: string): string {
  switch (activation) {
    case 'silu':
      // x · sigmoid(alpha · x) with alpha 1 is SiLU.
      return b.node({ op: 'QuickGelu', inputs: [x], outputs: [out], attributes: { alpha: { float: 1 } }, domain: 'com.microsoft' });
    case 'gelu_tanh':
      return b.node({ op: 'Gelu', inputs: [x], outputs: [out], attributes: { approximate: 'tanh' } });
    default:
      return assertNever(activation);
  }
}
