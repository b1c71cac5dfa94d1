#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/smollm2: logits of SmolLM2-135M-Instruct, the file that
scripts/fetch_smollm2.sh fetches, by two programs that share nothing with this
project, for three texts of 64 tokens each, teacher-forced.

    python3 -m venv build/venv-oracles
    build/venv-oracles/bin/pip install numpy==2.2.6 gguf==0.19.0
    CMAKE_ARGS="-DLLAVA_BUILD=OFF -DGGML_OPENMP=OFF -DLLAMA_CURL=OFF" \\
        build/venv-oracles/bin/pip install --no-binary llama-cpp-python \\
        llama-cpp-python==0.3.16
    scripts/fetch_smollm2.sh
    build/venv-oracles/bin/python scripts/make_smollm2_oracles.py

(llama-cpp-python is built from source with the compiler that is there.) The
fixtures are committed; this script is run by hand, never by the tests.

    texts.json                 texts, their ids, programs, and how the programs
                               differ from numpy over all logits
    numpy.safetensors          numpy, fp64 on the dequantised weights
    llama-cpp.safetensors      llama.cpp's CPU backend on the file: it rounds
                               activations to 8 bits in blocks of 32 in Q4_1 and
                               Q8_0 products, keys and values to fp16
    llama-cpp-f32.safetensors  the same on the weights dequantised to F32 by
                               `gguf`, keys and values in fp32

All logits of 192 positions were 37 MB a program. In their place, by position:

    sketch [192, signs]   S x, with S [signs, vocabulary] of +1 and -1
    norm [192]            |x|
    top_ids, top [192, TOP]   the largest logits, falling
    apart [192]           the largest difference of a logit to numpy's

Every logit enters every number of the sketch: for any difference d to the
logits x of another program, |S d|^2 / signs has the mean |d|^2 and a standard
deviation of at most sqrt(2 / signs) |d|^2. With 512 signs the norm of one
position's difference is known to 3 %, with 256 to 4.4 %, that of all positions
better. The sign of row k and column i is bit k mod 64 of splitmix64's output
for the state i * signs / 64 + k / 64, rounded down: 1 stands for -1.
"""

import importlib.metadata
import json
import pathlib
import sys
import tempfile

import gguf
import numpy

from make_smollm2_golden import FILE, ROOT, logits_behind

VERSIONS = {"numpy": "2.2.6", "gguf": "0.19.0", "llama-cpp-python": "0.3.16"}
POSITIONS, TOP = 64, 32
SIGNS = {"numpy": 512, "llama-cpp": 256, "llama-cpp-f32": 256}  # multiples of 64
GGML_F32 = 0  # llama.cpp's number of the type
# Public domain: the Declaration of Independence, made up for this, and Alice's
# Adventures in Wonderland.
TEXTS = [
    "We hold these truths to be self-evident, that all men are created equal, "
    "that they are endowed by their Creator with certain unalienable Rights, "
    "that among these are Life, Liberty and the pursuit of Happiness. That to "
    "secure these rights, Governments are instituted among Men, deriving their "
    "just powers from the consent of the governed.",
    "def factorial(n):\n    if n == 0:\n        return 1\n    return n * "
    "factorial(n - 1)\n\nfor i in range(10):\n    print(i, factorial(i))\n\n"
    "class Point:\n    def __init__(self, x, y):\n        self.x = x\n",
    "Alice was beginning to get very tired of sitting by her sister on the "
    "bank, and of having nothing to do: once or twice she had peeped into the "
    "book her sister was reading, but it had no pictures or conversations in "
    "it, and what is the use of a book, thought Alice, without pictures?",
]


def splitmix64(state):
    """Outputs of the generator whose state was `state` steps of the golden
    ratio."""
    with numpy.errstate(over="ignore"):
        z = (state + numpy.uint64(1)) * numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        return z ^ (z >> numpy.uint64(31))


def sketch(logits, signs):
    """S x of each row x of logits, in fp64."""
    words = signs // 64
    columns = numpy.arange(logits.shape[1], dtype=numpy.uint64)
    result = numpy.empty((logits.shape[0], signs))
    for k in range(signs):
        bits = splitmix64(columns * numpy.uint64(words) +
                          numpy.uint64(k // 64)) >> numpy.uint64(k % 64)
        row = 1.0 - 2.0 * (bits & numpy.uint64(1)).astype(numpy.float64)
        result[:, k] = logits @ row
    return result


def write_safetensors(path, arrays):
    """Largest element first, then by name, as the format's writers do."""
    header, place = {"__metadata__": {"format": "pt"}}, 0
    names = {numpy.dtype("<f4"): "F32", numpy.dtype("<u2"): "U16"}
    order = sorted(arrays, key=lambda n: (-arrays[n].itemsize, n))
    for name in order:
        array = arrays[name]
        header[name] = {"dtype": names[array.dtype], "shape": array.shape,
                        "data_offsets": [place, place + array.nbytes]}
        place += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(
        numpy.ascontiguousarray(arrays[name]).tobytes() for name in order))
    print(f"{path}: {path.stat().st_size} bytes")


def write_fixture(folder, name, logits, exact):
    order = numpy.argsort(-logits, axis=1, kind="stable")[:, :TOP]
    write_safetensors(folder / f"{name}.safetensors", {
        "sketch": sketch(logits, SIGNS[name]).astype("<f4"),
        "norm": numpy.linalg.norm(logits, axis=1).astype("<f4"),
        "apart": numpy.abs(logits - exact).max(1).astype("<f4"),
        "top_ids": order.astype("<u2"),
        "top": numpy.take_along_axis(logits, order, 1).astype("<f4")})


def write_f32(reader, path):
    """The model of `reader` with all tensors in F32."""
    writer = gguf.GGUFWriter(path, "llama")
    for field in reader.fields.values():
        kind = field.types[0] if field.types else None
        if field.name.startswith("GGUF.") or field.name in (
                "general.architecture", "general.file_type"):
            continue
        if kind == gguf.GGUFValueType.ARRAY:
            writer.add_array(field.name, field.contents())
        else:
            writer.add_key_value(field.name, field.contents(), kind)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, gguf.dequantize(
            tensor.data, tensor.tensor_type).astype(numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def by_llama_cpp(path, **options):
    """ids [texts, POSITIONS] without a begin token, and their logits."""
    import llama_cpp
    model = llama_cpp.Llama(str(path), n_ctx=POSITIONS, n_batch=POSITIONS,
                            n_threads=1, n_threads_batch=1, logits_all=True,
                            verbose=False, **options)
    ids, logits = [], []
    for text in TEXTS:
        tokens = model.tokenize(text.encode(), add_bos=False, special=False)
        ids.append(tokens[:POSITIONS])
        model.reset()
        model.eval(ids[-1])
        logits.append(numpy.array(model.scores[:POSITIONS], numpy.float64))
    return ids, numpy.concatenate(logits)


def compared(name, logits, exact):
    """How logits differ from exact, over all logits."""
    difference = logits - exact
    rows = (numpy.linalg.norm(difference, axis=1) /
            numpy.linalg.norm(exact, axis=1))
    signs = SIGNS[name]
    seen = numpy.linalg.norm(sketch(difference, signs)) / signs ** 0.5
    norm = numpy.linalg.norm(exact)
    other = (logits.argmax(1) != exact.argmax(1)).sum()
    numbers = {"relative_error": numpy.linalg.norm(difference) / norm,
               "relative_error_by_sketch": seen / norm,
               "largest_of_a_position": rows.max()}
    summary = {key: float(f"{x:.6g}") for key, x in numbers.items()}
    summary["positions_with_another_best_token"] = int(other)
    print(name, summary)
    return summary


def main():
    found = {name: importlib.metadata.version(name) for name in VERSIONS}
    if found != VERSIONS:
        sys.exit(f"error: expected {VERSIONS}, found {found}")
    reader = gguf.GGUFReader(ROOT / FILE)
    logits = {}
    ids, logits["llama-cpp"] = by_llama_cpp(ROOT / FILE)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "f32.gguf")
        write_f32(reader, path)
        _, logits["llama-cpp-f32"] = by_llama_cpp(path, type_k=GGML_F32,
                                                  type_v=GGML_F32)
    exact = numpy.concatenate([logits_behind(reader, one) for one in ids])
    summaries = {name: compared(name, one, exact)
                 for name, one in logits.items()}
    folder = ROOT / "tests/golden/smollm2"
    folder.mkdir(parents=True, exist_ok=True)
    for name, one in {"numpy": exact, **logits}.items():
        write_fixture(folder, name, one, exact)
    (folder / "texts.json").write_text(
        "{" + f'"file": {json.dumps(FILE)},\n"programs": '
        f'{json.dumps(VERSIONS)},\n"to_numpy": {json.dumps(summaries)},\n'
        '"texts": [\n' + ",\n".join(json.dumps(text) for text in TEXTS) +
        '],\n"ids": [\n' + ",\n".join(json.dumps(one) for one in ids) + "]}\n")


if __name__ == "__main__":
    main()
