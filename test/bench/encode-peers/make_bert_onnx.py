"""Writes a BERT encoder of the Hugging Face format as a plain ONNX graph with padded inputs: make_bert_onnx.py FOLDER FILE.

The nodes are those of PyTorch's exporter, in an order that ONNX Runtime's own fusions know. Inputs input_ids, attention_mask and
token_type_ids int64 [batch, length]; output last_hidden_state float32 [batch, length, hidden]."""

import json
import math
import sys
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file


class Graph:
    def __init__(self, weights):
        self.weights = {name.removeprefix("bert."): value for name, value in weights.items()}
        self.nodes = []
        self.initializers = {}

    def constant(self, name, value):
        if name not in self.initializers:
            self.initializers[name] = numpy_helper.from_array(numpy.ascontiguousarray(value), name)
        return name

    def weight(self, name, transposed=False):
        value = self.weights[name]
        return self.constant(name + (".T" if transposed else ""), value.T if transposed else value)

    def add(self, op, inputs, **attributes):
        output = f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def linear(self, x, name):
        product = self.add("MatMul", [x, self.weight(f"{name}.weight", transposed=True)])
        return self.add("Add", [product, self.weight(f"{name}.bias")])

    def norm(self, x, name, epsilon):
        return self.add("LayerNormalization", [x, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")], axis=-1, epsilon=epsilon)


def floats(value):
    return numpy.array(value, dtype=numpy.float32)


def embed(graph, epsilon):
    words = graph.add("Gather", [graph.weight("embeddings.word_embeddings.weight"), "input_ids"])
    types = graph.add("Gather", [graph.weight("embeddings.token_type_embeddings.weight"), "token_type_ids"])
    length = graph.add("Shape", ["input_ids"], start=1, end=2)
    first = graph.constant("zero", numpy.array([0], dtype=numpy.int64))
    places = graph.add("Slice", [graph.weight("embeddings.position_embeddings.weight"), first, length, first])
    total = graph.add("Add", [graph.add("Add", [words, types]), places])
    return graph.norm(total, "embeddings.LayerNorm", epsilon)


def additive_mask(graph):
    axes = graph.constant("mask_axes", numpy.array([1, 2], dtype=numpy.int64))
    mask = graph.add("Cast", [graph.add("Unsqueeze", ["attention_mask", axes])], to=TensorProto.FLOAT)
    hidden = graph.add("Sub", [graph.constant("one", floats(1)), mask])
    return graph.add("Mul", [hidden, graph.constant("far", floats(-10000))])


def attend(graph, x, layer, config, mask):
    heads, width = config["num_attention_heads"], config["hidden_size"]
    split = graph.constant("split", numpy.array([0, 0, heads, width // heads], dtype=numpy.int64))
    merge = graph.constant("merge", numpy.array([0, 0, width], dtype=numpy.int64))

    def head_rows(name, order):
        rows = graph.linear(x, f"{layer}.attention.self.{name}")
        return graph.add("Transpose", [graph.add("Reshape", [rows, split])], perm=order)

    query, value = head_rows("query", [0, 2, 1, 3]), head_rows("value", [0, 2, 1, 3])
    scores = graph.add("MatMul", [query, head_rows("key", [0, 2, 3, 1])])
    scaled = graph.add("Div", [scores, graph.constant("root", floats(math.sqrt(width // heads)))])
    weights = graph.add("Softmax", [graph.add("Add", [scaled, mask])], axis=-1)
    context = graph.add("Transpose", [graph.add("MatMul", [weights, value])], perm=[0, 2, 1, 3])
    return graph.linear(graph.add("Reshape", [context, merge]), f"{layer}.attention.output.dense")


def gelu(graph, x):
    scaled = graph.add("Div", [x, graph.constant("sqrt2", floats(math.sqrt(2)))])
    plus = graph.add("Add", [graph.add("Erf", [scaled]), graph.constant("one", floats(1))])
    return graph.add("Mul", [graph.add("Mul", [x, plus]), graph.constant("half", floats(0.5))])


def main(folder, file):
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    epsilon = config["layer_norm_eps"]
    graph = Graph(load_file(folder / "model.safetensors"))
    x, mask = embed(graph, epsilon), additive_mask(graph)
    for index in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{index}"
        attended = attend(graph, x, layer, config, mask)
        x = graph.norm(graph.add("Add", [attended, x]), f"{layer}.attention.output.LayerNorm", epsilon)
        up = gelu(graph, graph.linear(x, f"{layer}.intermediate.dense"))
        x = graph.norm(graph.add("Add", [graph.linear(up, f"{layer}.output.dense"), x]), f"{layer}.output.LayerNorm", epsilon)
    graph.nodes.append(helper.make_node("Identity", [x], ["last_hidden_state"]))
    shape = ["batch", "length"]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in ("input_ids", "attention_mask", "token_type_ids")]
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*shape, config["hidden_size"]])
    written = helper.make_graph(graph.nodes, "bert", inputs, [output], list(graph.initializers.values()))
    model = helper.make_model(written, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, file)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
