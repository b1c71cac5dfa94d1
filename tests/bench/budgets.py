#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU-time budgets of the simulator, beside a calibration loop.

Runs each benchmark five times and prints the median CPU seconds with the
rates that explain them. Budgets are CPU seconds of one process; exits with 1
if a median is over its budget. Machines are noisy: read the calibration.
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

BENCHMARKS = [
    # name, arguments, budget of simulator.cpu_seconds, of the whole process
    ("gemm 2048^3 fp16, mtia-2i",
     "gemm --m 2048 --n 2048 --k 2048 --dtype fp16 --memory sram", 0.4, 1.0),
    ("read 4.4 GB, mtia-300",
     "stream --chip mtia-300 --read-fraction 1 --elements 2200000000 "
     "--dtype fp16 --memory dram", 0.5, None),
]
REPEATS = 5
# A model of about 100 M parameters: prefill of 64 tokens and 8 decode steps in
# functional mode, weights made once and not counted.
MODEL = "llama4-medium"
MODEL_BUDGET = 60
# A trained model, where scripts/fetch_smollm2.sh has put it: prefill of 64
# tokens and 16 decode steps.
TRAINED = (pathlib.Path(__file__).resolve().parents[2] /
           "build/cache/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
TRAINED_BUDGET = 120


def process_seconds(command):
    """CPU seconds of a child and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def model_seconds(tool):
    """CPU seconds of compiling and running MODEL on mtia-2i."""
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, "model")
        subprocess.run([tool, "checkpoint", "--preset", MODEL, "-o", model],
                       check=True, stdout=subprocess.DEVNULL)
        return run_seconds(tool, model, 9)


def run_seconds(tool, model, new_tokens):
    """CPU seconds of a prompt of 64 tokens and what follows it."""
    prompt = ",".join(str(37 * i % 8192) for i in range(64))
    return process_seconds(
        [tool, "run", "--model", model, "--chip", "mtia-2i", "--mode",
         "functional", "--prompt-ids", prompt, "--max-new-tokens",
         str(new_tokens)])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, type=pathlib.Path,
                        help="folder of the binaries")
    arguments = parser.parse_args()
    calibration = statistics.median(
        float(subprocess.run([arguments.bin / "calibration"], check=True,
                             capture_output=True, text=True).stdout.split()[0])
        for _ in range(REPEATS))
    print(f"calibration loop: {calibration:.3f} CPU s")
    over = False
    for name, options, budget, process_budget in BENCHMARKS:
        inside, whole = [], []
        with tempfile.TemporaryDirectory() as folder:
            report = os.path.join(folder, "report.json")
            for _ in range(REPEATS):
                whole.append(process_seconds(
                    [arguments.bin / "chipwright", "kernel", *options.split(),
                     "--json", report]))
                with open(report, encoding="utf-8") as file:
                    result = json.load(file)
                inside.append(result["simulator"]["cpu_seconds"])
        seconds = statistics.median(inside)
        simulator = result["simulator"]
        print(f"{name}: {seconds:.3f} CPU s (budget {budget}), process "
              f"{statistics.median(whole):.3f}"
              + (f" (budget {process_budget})" if process_budget else ""))
        rates = ", ".join(
            f"{simulator[name] / seconds:.3g} {name}"
            for name in ("passes", "commands", "trains", "events",
                         "instructions"))
        print(f"  per CPU second: {rates}; "
              f"{result['cycles'] / seconds:.3g} cycles simulated")
        over |= seconds > budget
        over |= bool(process_budget) and \
            statistics.median(whole) > process_budget
    seconds = model_seconds(arguments.bin / "chipwright")
    print(f"{MODEL}, prefill 64 + decode 8, mtia-2i, functional: "
          f"{seconds:.1f} CPU s (budget {MODEL_BUDGET}), whole process")
    over |= seconds > MODEL_BUDGET
    if TRAINED.exists():
        seconds = run_seconds(arguments.bin / "chipwright", TRAINED, 17)
        print(f"SmolLM2-135M, prefill 64 + decode 16, mtia-2i, functional: "
              f"{seconds:.1f} CPU s (budget {TRAINED_BUDGET}), whole process")
        over |= seconds > TRAINED_BUDGET
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
