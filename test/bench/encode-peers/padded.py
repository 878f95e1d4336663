"""Encodes texts with a peer inside one process, padded batch by batch: padded.py onnxruntime|sentence-transformers FOLDER ONNX_FILE.

Reads {"threads", "loads": [{"batch", "texts"}]} from stdin; writes {"version", "textsPerSecond": [..], "first": vector} to stdout, where
"first" is the vector of the first text of the first load."""

import json
import sys
import time


def onnxruntime_encoder(folder, file, threads):
    import numpy
    import onnxruntime
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    tokenizer.enable_truncation(256)
    tokenizer.enable_padding()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])

    def encode(texts):
        encoded = tokenizer.encode_batch(texts)
        inputs = {
            "input_ids": numpy.array([one.ids for one in encoded], dtype=numpy.int64),
            "attention_mask": numpy.array([one.attention_mask for one in encoded], dtype=numpy.int64),
            "token_type_ids": numpy.array([one.type_ids for one in encoded], dtype=numpy.int64),
        }
        (hidden,) = session.run(None, inputs)
        mask = inputs["attention_mask"][:, :, None].astype(numpy.float32)
        pooled = (hidden * mask).sum(axis=1) / mask.sum(axis=1)
        return pooled / numpy.linalg.norm(pooled, axis=1, keepdims=True)

    return encode, onnxruntime.__version__


def sentence_transformers_encoder(folder, _file, threads):
    import sentence_transformers
    import torch

    torch.set_num_threads(threads)
    model = sentence_transformers.SentenceTransformer(folder, device="cpu")
    model.max_seq_length = 256
    encode = lambda texts: model.encode(texts, batch_size=len(texts), normalize_embeddings=True, show_progress_bar=False)
    return encode, sentence_transformers.__version__


ENCODERS = {"onnxruntime": onnxruntime_encoder, "sentence-transformers": sentence_transformers_encoder}


def texts_per_second(encode, texts, batch):
    started = time.perf_counter()
    for first in range(0, len(texts), batch):
        encode(texts[first : first + batch])
    return len(texts) / (time.perf_counter() - started)


def main(name, folder, file):
    work = json.load(sys.stdin)
    encode, version = ENCODERS[name](folder, file, work["threads"])
    first = [float(value) for value in encode(work["loads"][0]["texts"][:1])[0]]
    for load in work["loads"]:
        encode(load["texts"][: load["batch"]])
    rates = [texts_per_second(encode, load["texts"], load["batch"]) for load in work["loads"]]
    json.dump({"version": version, "textsPerSecond": rates, "first": first}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
