#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares runs with the committed table of cycles, or renews the table.

    scripts/update_cycles.py                  renews tests/golden/cycles.json
    scripts/update_cycles.py --check NAME...  fails where a number differs

The table holds what must not depend on the computer, the build or the order of
events. A change of it in a commit is a change of the machine that is modelled,
so it says in the commit's message why the cycles moved.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "tests" / "golden" / "cycles.json"
NUMBERS = ["cycles", "kernel_cycles", "instructions", "commands", "pc_hash"]


def measure(tool, arguments):
    """Runs one kernel. \\returns its numbers, or exits with its message."""
    done = subprocess.run(
        [tool, "kernel", *arguments.split(), "--json", "-"],
        capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"kernel {arguments}: exit status {done.returncode}\n"
                 f"{done.stderr}")
    result = json.loads(done.stdout)
    result.update(result["simulator"])
    return {number: result[number] for number in NUMBERS}



def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tool",
                        default=ROOT / "build" / "release" / "bin" /
                        "chipwright")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("names", nargs="*", help="entries; default: all")
    options = parser.parse_args()
    table = json.loads(TABLE.read_text())
    unknown = set(options.names) - {entry["name"] for entry in table}
    if unknown:
        sys.exit(f"{TABLE.name} has no entry {', '.join(sorted(unknown))}")
    differ = 0
    for entry in table:
        if options.names and entry["name"] not in options.names:
            continue
        found = measure(str(options.tool), entry["args"])
        expected = {number: entry.get(number) for number in NUMBERS}
        if found == expected:
            continue
        differ += 1
        for number in NUMBERS:
            if found[number] != expected[number]:
                print(f"{entry['name']}: {number} {expected[number]} -> "
                      f"{found[number]}")
        entry.update(found)
    if options.check:
        if differ:
            print("reproduce: chipwright kernel ARGS of tests/golden/"
                  "cycles.json; if the modelled machine was meant to change: "
                  "scripts/update_cycles.py")
        return 1 if differ else 0
    text = "[\n" + ",\n".join(
        json.dumps(entry, indent=1) for entry in table) + "\n]\n"
    temporary = TABLE.with_suffix(".new")
    temporary.write_text(text)
    os.replace(temporary, TABLE)
    print(f"{differ} of {len(table)} entries changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
