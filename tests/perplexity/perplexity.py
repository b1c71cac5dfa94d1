#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much worse a trained model predicts a text when its products are of 8
bits, all computed by the simulated chip.

    perplexity.py --tool CHIPWRIGHT

SmolLM2-135M-Instruct (scripts/fetch_smollm2.sh; exit status 77 if it is not
there) reads tests/golden/text/republic.txt, of public-domain documents. Its
perplexity in int8 is at most 1.05 times, in fp8_e4m3 at most 1.03 times that in
bf16. The text is long because over 1100 tokens changes of rounding alone moved
such a ratio between 0.97 and 1.04.

That the products are of that type is seen in two ways: the multiply-accumulates
that the matrix engines counted are those of the linear maps' shapes, and the
disassembly of every program of a quantised map multiplies in that type and no
other.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MODEL = ROOT / "build/cache/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
TEXT = ROOT / "tests/golden/text/republic.txt"
# Type, chip, largest ratio to bf16, whether down_proj is quantised.
TYPES = [("int8", "mtia-2i", 1.05, False), ("fp8_e4m3", "mtia-300", 1.03, True)]
LISTED = {"int8": "i8", "fp8_e4m3": "f8e4m3"}  # as the disassembly calls them
# SmolLM2-135M: layers, hidden, inner, width of keys.
LAYERS, HIDDEN, INNER, KEYS = 30, 576, 1536, 192


def run(tool, chip, dtype, folder):
    """The JSON of a run that predicts the whole text."""
    report = pathlib.Path(folder, f"{dtype}.json")
    subprocess.run(
        [tool, "run", "--model", MODEL, "--chip", chip, "--dtype", dtype,
         "--perplexity", "--prompt-file", TEXT, "--max-new-tokens", "1",
         "--json", report], check=True, stdout=subprocess.DEVNULL)
    return json.loads(report.read_text())


def least_macs(with_down, tokens):
    """Multiply-accumulates of the quantised maps, without padding."""
    maps = HIDDEN * (2 * HIDDEN + 2 * KEYS) + 2 * HIDDEN * INNER
    return tokens * LAYERS * (maps + with_down * HIDDEN * INNER)


def types_multiplied(tool, chip, dtype, folder):
    """For each program of quantised maps, the element types of its products."""
    package = pathlib.Path(folder, f"{dtype}.cwx")
    subprocess.run([tool, "compile", "--model", MODEL, "--chip", chip,
                    "--dtype", dtype, "--max-tokens", "64", "-o", package],
                   check=True, stdout=subprocess.DEVNULL)
    text = subprocess.run([tool, "show", "package", package, "--disasm"],
                          check=True, capture_output=True, text=True).stdout
    found = {}
    for part in re.split(r"^program ", text, flags=re.M)[1:]:
        name = part.split(",")[0]
        if name.startswith("quantised_linear"):
            found[name] = set(re.findall(r"\b[ab]_dtype (\w+)", part))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tool", required=True)
    options = parser.parse_args()
    if not MODEL.exists():
        print(f"{MODEL} is not there: scripts/fetch_smollm2.sh")
        return 77
    failed = False
    with tempfile.TemporaryDirectory(prefix="chipwright-perplexity-") as folder:
        plain = run(options.tool, "mtia-2i", "bf16", folder)
        print(f"bf16: {plain['perplexity']:.4f} over "
              f"{plain['predicted_tokens']} tokens", flush=True)
        for dtype, chip, bound, with_down in TYPES:
            report = run(options.tool, chip, dtype, folder)
            ratio = report["perplexity"] / plain["perplexity"]
            macs = report["macs"]
            least = least_macs(with_down, report["predicted_tokens"] + 1)
            programs = types_multiplied(options.tool, chip, dtype, folder)
            wrong = {name: types for name, types in programs.items()
                     if types != {LISTED[dtype]}}
            print(f"{dtype} on {chip}: {report['perplexity']:.4f}, ratio "
                  f"{ratio:.4f} (at most {bound}); multiply-accumulates {macs}, "
                  f"{dtype} at least {least}; {len(programs)} programs of "
                  f"quantised maps, of other types {wrong}", flush=True)
            failed |= ratio > bound or not programs or bool(wrong)
            # Tails of tiles are padded; to twice would be another program.
            failed |= not least <= macs.get(dtype, 0) <= 2 * least
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
