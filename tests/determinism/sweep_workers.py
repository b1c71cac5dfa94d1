#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A sweep gives the same JSON with any number of worker processes.

    sweep_workers.py --tool BINARY KERNEL

Only CPU times and the command line, which names the number, may differ.
"""

import argparse
import json
import subprocess
import sys

SIZES = {
    "copy": ["--elements", "200000"],
    "gemm": ["--m", "128", "--n", "256", "--k", "256"],
}
SWEEP = ["--memory", "dram", "--sweep", "noc.link_bytes=32,64,128",
         "--sweep", "dram.level=burst,command", "--sweep", "grid.rows=4,8"]


def without_times(value):
    """JSON with what may differ taken out."""
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items()
                if key not in ("cpu_seconds", "process_cpu_seconds",
                               "command_line")}
    if isinstance(value, list):
        return [without_times(item) for item in value]
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tool", required=True)
    parser.add_argument("kernel", choices=SIZES)
    options = parser.parse_args()
    results = {}
    for jobs in (1, 2, 8):
        command = [options.tool, "kernel", options.kernel,
                   *SIZES[options.kernel], *SWEEP, "--jobs", str(jobs),
                   "--json", "-"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"--jobs {jobs}: exit status {done.returncode}\n"
                     f"{done.stderr}")
        result = json.loads(done.stdout)
        assert len(result["points"]) == 12, "3 x 2 x 2 points were asked for"
        results[jobs] = json.dumps(without_times(result), indent=1)
    cycles = {point["cycles"]
              for point in json.loads(results[1])["points"]}
    assert len(cycles) > 3, "the sweep changes nothing, so it shows nothing"
    for jobs in (2, 8):
        if results[jobs] != results[1]:
            differing = [f"{a.strip()} | {b.strip()}" for a, b in
                         zip(results[1].split("\n"), results[jobs].split("\n"))
                         if a != b]
            sys.exit(f"--jobs 1 | --jobs {jobs}:\n" + "\n".join(differing[:20]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
