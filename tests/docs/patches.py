#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The worked examples in docs/examples/*.patch apply to this source tree.

With CHIPWRIGHT_LONG=1 all are applied to one copy of the tree, which is built,
and the tests that they bring are run.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

# Patch to test programs (targets) and the tests of each.
TESTS = {
    "exp-row-max.patch": {
        "numerics_tests": "ExpMax.*",
        "machine_test": "Microprograms.*:-*dram*",
        "isa_test": "Decoder.*:Commands.*",
        "runtime_test": "ExpMaxKernel.*",
    },
    "gelu-mlp.patch": {"models_test": "Graph*.*"},
    "softcap.patch": {"runtime_test": "*Softcap*"},
}
# What its document runs on the patched tree.
SCRIPTS = {
    "gelu-mlp.patch": "chipwright checkpoint --preset gelu-demo -o gelu && "
                      "chipwright run --model gelu --prompt-ids 3,10,17 "
                      "--max-new-tokens 2 --check cpu --check-ops",
}


def run(command, **options):
    print("$", " ".join(map(str, command)), flush=True)
    return subprocess.run(command, **options).returncode


def build_and_test(source, patches):
    """Applies all patches to one copy, builds and tests it. \returns whether
    all went well."""
    targets = sorted({t for p in patches for t in TESTS[p.name]})
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "tree"
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns(
            "build", ".git", ".cache", "__pycache__"))
        steps = [["patch", "-p1", "-s", "--no-backup-if-mismatch", "-i", p]
                 for p in patches]
        # Generated documents are not part of a patch.
        steps += [["cmake", "--preset", "release"],
                  ["ninja", "-C", "build/release", "-j2", "chipwright",
                   "update-isa-reference", *targets]]
        if any(run(step, cwd=copy, stdout=subprocess.DEVNULL) for step in steps):
            return False
        path = f"{copy / 'build/release/bin'}:{os.environ['PATH']}"
        for patch in patches:
            for target, chosen in TESTS[patch.name].items():
                program = copy / "build/release/bin" / target
                if run([program, f"--gtest_filter={chosen}"], cwd=copy):
                    return False
            if run(["bash", "-c", SCRIPTS.get(patch.name, "true")], cwd=copy,
                   env={**os.environ, "PATH": path}):
                return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True)
    source = pathlib.Path(parser.parse_args().source).resolve()
    patches = sorted((source / "docs/examples").glob("*.patch"))
    if {p.name for p in patches} != set(TESTS):
        sys.exit(f"found {[p.name for p in patches]}, expected {sorted(TESTS)}")
    failed = []
    for patch in patches:
        # Hunks may have moved.
        if run(["patch", "-p1", "--dry-run", "--force", "-s", "-i", patch],
               cwd=source):
            failed.append(f"{patch.name} does not apply; renew it, and the "
                          "document that explains it")
    if not failed and os.environ.get("CHIPWRIGHT_LONG") == "1":
        if not build_and_test(source, patches):
            failed.append("the patched tree does not build or pass")
    print("\n".join(failed) or f"{len(patches)} patches apply")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
