// Owns an encoder on ONNX Runtime: its session, and the tensors of each run. Texts lie one behind the other; only attention sees them
// as padded rows. What each input means: models/manifest.ts, at `ENCODER_OUTPUT`.
import { bug } from '../../errors.ts';
import { ENCODER_OUTPUT, type EncoderConfig } from '../../models/manifest.ts';
import { OrtSession, OrtTensor, RunBinding } from '../../ort/index.ts';
import type { EncoderSession, EncoderText } from './encoder-session.ts';
import { groupByLength } from './length-groups.ts';
import { packTexts, type PackedTexts } from './pack-texts.ts';

export interface OrtEncoderOptions {
  /** Absolute path of the graph. */
  readonly graphFile: string;
  readonly config: EncoderConfig;
  /** Intra-op threads. */
  readonly threads: number;
}

export class OrtEncoder implements EncoderSession {
  readonly width: number;
  readonly #session: OrtSession;
  readonly #config: EncoderConfig;

  /** Loads the graph; blocks until it is loaded. @throws OrtError */
  constructor({ graphFile, config, threads }: OrtEncoderOptions) {
    const { head } = config;
    this.width = head.kind === 'embedding' ? head.dimensions : head.labels.length;
    this.#config = config;
    this.#session = OrtSession.create(graphFile, { threads });
  }

  async run(texts: readonly EncoderText[]): Promise<Float32Array> {
    const groups = groupByLength(
      texts.map(({ tokens }) => tokens.length),
      this.#config.headCount,
    );
    if (groups.length === 1) return this.#runGroup(texts);
    const rows = new Float32Array(texts.length * this.width);
    for (const group of groups) {
      const values = await this.#runGroup(group.map((at) => texts[at] ?? bug('A group names a text that is not there.')));
      group.forEach((at, row) => rows.set(values.subarray(row * this.width, (row + 1) * this.width), at * this.width));
    }
    return rows;
  }

  dispose(): void {
    this.#session.dispose();
  }

  async #runGroup(texts: readonly EncoderText[]): Promise<Float32Array> {
    const packed = packTexts(texts, this.#config.head.pooling);
    const values = new Float32Array(new ArrayBuffer(texts.length * this.width * 4));
    const tensors = createTensors(packed);
    // A family without positions or segments has no such input.
    const inputs = Object.fromEntries(this.#session.inputs.map(({ name }) => [name, tensorOf(tensors, name)]));
    const output = OrtTensor.over(values, [texts.length, this.width]);
    try {
      await new RunBinding(this.#session, { inputs, outputs: { [ENCODER_OUTPUT]: output } }).runAsync();
    } finally {
      for (const tensor of [...Object.values(tensors), output]) tensor.dispose();
    }
    return values;
  }
}

function createTensors(packed: PackedTexts): Readonly<Record<string, OrtTensor>> {
  const { textCount, tokenCount, longest } = packed;
  return {
    input_ids: OrtTensor.over(packed.inputIds, [tokenCount]),
    positions: OrtTensor.over(packed.positions, [tokenCount]),
    token_types: OrtTensor.over(packed.tokenTypes, [tokenCount]),
    padded_rows: OrtTensor.over(packed.paddedRows, [textCount, longest]),
    packed_places: OrtTensor.over(packed.packedPlaces, [tokenCount]),
    seqlens_k: OrtTensor.over(packed.lastPlaces, [textCount]),
    total_sequence_length: OrtTensor.over(packed.longestScalar, []),
    pool_weights: OrtTensor.over(packed.poolWeights, [textCount, 1, longest]),
  };
}

function tensorOf(tensors: Readonly<Record<string, OrtTensor>>, name: string): OrtTensor {
  const tensor = tensors[name];
  if (tensor === undefined) throw new Error(`The graph wants an input ${name}, which no encoder has.`);
  return tensor;
}
