#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one fuzz target: its corpus, then new inputs for a while.

    run_fuzz.py --bin FOLDER TARGET [--seconds N] [--seed N] [--keep FOLDER]

Prints the seed, how many inputs ran and how many edges of the control flow
they covered; --keep leaves the new inputs in a folder. An input that crashes, leaks, takes
10 seconds or 2 GiB fails the run and stays beside the target as
TARGET-crash-*, TARGET-timeout-*, ...; repair the reader and add the input to
corpus/TARGET. With CHIPWRIGHT_LONG=1 a run takes 10 minutes instead of one.
"""

import argparse
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# Longer inputs only take longer: every reader works piece by piece.
MAX_BYTES = 24 << 10


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", required=True, type=pathlib.Path)
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--keep", type=pathlib.Path)
    options = parser.parse_args()
    seconds = options.seconds or (
        600 if os.environ.get("CHIPWRIGHT_LONG") == "1" else 60)
    seed = options.seed or random.randrange(1, 1 << 32)
    corpus = HERE / "corpus" / options.target
    files = sorted(corpus.iterdir())
    if not files:
        sys.exit(f"error: {corpus} has no inputs")
    binary = (options.bin / f"fuzz-{options.target}").resolve()
    common = ["-timeout=10", "-rss_limit_mb=2048", f"-max_len={MAX_BYTES}",
              f"-artifact_prefix={binary.parent / options.target}-"]
    print(f"fuzz-{options.target}: seed {seed}, {len(files)} inputs in corpus",
          flush=True)
    # The first folder collects new inputs; the corpus itself stays as it is.
    with tempfile.TemporaryDirectory(prefix="chipwright-fuzz-") as found:
        command = [binary, *common, f"-seed={seed}",
                   f"-max_total_time={seconds}", "-print_final_stats=1",
                   found, corpus]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              errors="replace")
        new = len(list(pathlib.Path(found).iterdir()))
        if options.keep:
            shutil.copytree(found, options.keep, dirs_exist_ok=True)
    count = re.search(r"number_of_executed_units: (\d+)", done.stdout)
    executed = int(count.group(1)) if count else 0
    if done.returncode != 0:
        print(done.stdout[-20000:])
        return 1
    edges = re.findall(r"cov: (\d+)", done.stdout)
    print(f"{executed} executions in {seconds} s, {new} inputs of new coverage, "
          f"{edges[-1] if edges else 0} edges")
    # Fewer would mean that the corpus itself did not run.
    if executed <= len(files):
        print(f"error: expected more than {len(files)} executions")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
