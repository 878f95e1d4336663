// Owns what is read of an ONNX file before native code sees it: which operators it calls, and how many weights it has.
// Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
import { EngineError } from '../../../errors.ts';
import { RandomFile } from '../random-file.ts';
import { ProtobufWalk, type Span } from './protobuf-walk.ts';

export interface OnnxFacts {
  /** Elements of the graph's initialisers. */
  readonly parameterCount: number;
}

type Message = 'model' | 'graph' | 'node' | 'attribute' | 'function';

const PARTS: Readonly<Record<Message, Readonly<Record<number, Message>>>> = {
  model: { 7: 'graph', 25: 'function' },
  graph: { 1: 'node' },
  node: { 5: 'attribute' },
  attribute: { 6: 'graph', 11: 'graph' },
  function: { 7: 'node' },
};
const NODE_TYPE = 4;
const NODE_DOMAIN = 7;
const GRAPH_INITIALIZER = 5;
const FUNCTION_DOMAIN = 10;
const TENSOR_DIMS = 1;
const MAX_DEPTH = 64;
const MAX_TEXT_BYTES = 1_024;
/** Of ONNX itself and of ONNX Runtime. Others need a library of native code beside the model, which is never loaded. */
const KNOWN_DOMAINS = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft']);

/** @throws EngineError `model_file_invalid` for a malformed file, `unsupported_model` for operators of an unknown domain */
export function inspectOnnx(path: string): OnnxFacts {
  const file = new RandomFile(path);
  try {
    const found: Found = { operators: new Map(), functionDomains: new Set(), parameterCount: 0 };
    const walk = new ProtobufWalk(file);
    visit({ walk, found }, 'model', walk.whole, 0);
    for (const [domain, operator] of found.operators) {
      if (KNOWN_DOMAINS.has(domain) || found.functionDomains.has(domain)) continue;
      const problem = `The ONNX file calls ${JSON.stringify(operator)} of the custom operator domain ${JSON.stringify(domain)}`;
      throw new EngineError('unsupported_model', `${problem}; only ${[...KNOWN_DOMAINS].filter(Boolean).join(', ')} are known.`);
    }
    return { parameterCount: found.parameterCount };
  } finally {
    file.dispose();
  }
}

interface Found {
  /** By domain, the first operator of it. */
  readonly operators: Map<string, string>;
  /** Of functions that the file itself spells out. */
  readonly functionDomains: Set<string>;
  parameterCount: number;
}

interface Visit {
  readonly walk: ProtobufWalk;
  readonly found: Found;
}

function visit({ walk, found }: Visit, message: Message, span: Span, depth: number): void {
  if (depth > MAX_DEPTH) throw walk.invalid(span.from, `graphs nested deeper than ${MAX_DEPTH}`);
  let [operator, domain] = ['', ''];
  for (const field of walk.fields(span)) {
    if (field.kind !== 'bytes') continue;
    const part = PARTS[message][field.number];
    if (part !== undefined) visit({ walk, found }, part, field.span, depth + 1);
    else if (message === 'node' && field.number === NODE_TYPE) operator = walk.text(field.span, MAX_TEXT_BYTES);
    else if (message === 'node' && field.number === NODE_DOMAIN) domain = walk.text(field.span, MAX_TEXT_BYTES);
    else if (message === 'function' && field.number === FUNCTION_DOMAIN) found.functionDomains.add(walk.text(field.span, MAX_TEXT_BYTES));
    else if (message === 'graph' && field.number === GRAPH_INITIALIZER) found.parameterCount += elementsOf(walk, field.span);
  }
  if (message === 'node' && !found.operators.has(domain)) found.operators.set(domain, operator);
}

function elementsOf(walk: ProtobufWalk, span: Span): number {
  let elements = 1;
  for (const field of walk.fields(span)) {
    if (field.number !== TENSOR_DIMS) continue;
    if (field.kind === 'varint') elements *= field.value;
    else if (field.kind === 'bytes') for (const dim of walk.varints(field.span)) elements *= dim;
  }
  return elements;
}
