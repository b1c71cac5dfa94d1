#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the CTest tests of a build folder and closes with one line of totals.

Skipped tests must stand in tests/skips.txt (one name and reason a line); any
other skip counts as a failure.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ElementTree


def allowed_skips(path):
    """Reads `name  reason` lines; a name may end in * to match a prefix."""
    result = []
    for line in path.read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            result.append(line.split()[0])
    return result


def is_allowed(name, allowed):
    return any(
        name == entry or (entry.endswith("*") and name.startswith(entry[:-1]))
        for entry in allowed
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    arguments = parser.parse_args()
    root = pathlib.Path(__file__).resolve().parent.parent
    report = pathlib.Path(arguments.build).resolve() / "tests.xml"
    report.unlink(missing_ok=True)
    command = [
        "ctest",
        "--test-dir", arguments.build,
        "--output-on-failure",
        "--output-junit", str(report),
        "-j", str(os.cpu_count() or 1),
    ]
    subprocess.run(command, check=False)
    if not report.exists():
        print("error: ctest wrote no report", file=sys.stderr)
        print("0 passed, 1 failed, 0 skipped")
        return 1

    allowed = allowed_skips(root / "tests" / "skips.txt")
    passed = failed = skipped = 0
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        status = case.get("status")
        name = case.get("name")
        if status == "run":
            passed += 1
        elif status in ("notrun", "disabled"):
            if is_allowed(name, allowed):
                skipped += 1
            else:
                failed += 1
                print(f"not run and not in tests/skips.txt: {name}")
        else:
            failed += 1
            print(f"failed: {name}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
