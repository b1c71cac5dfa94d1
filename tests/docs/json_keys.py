#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every key that --json prints stands in docs/json.md, and the other way round.

The document's tables are read: a section ### NAME lists the keys of an output
or an object in its first column, `key` or `key` (`object`).
"""

import argparse
import gzip
import json
import pathlib
import re
import subprocess
import sys
import tempfile


def sections(text):
    """Name of each section to [(key or "", object or None)]."""
    result = {}
    for name, body in re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", text, re.M | re.S):
        rows = []
        for cell in re.findall(r"^\| (.*?) \|", body, re.M):
            alone = re.fullmatch(r"\(`([^`]+)`\)", cell)
            if alone:
                rows.append(("", alone[1]))
                continue
            for key, kind in re.findall(r"`([^`]+)`(?: \(`([^`]+)`\))?", cell):
                rows.append((key, kind or None))
        result[name] = rows
    return result


def expand(name, tables, prefix=""):
    """All key paths of a section, objects written out."""
    if name not in tables:
        sys.exit(f"docs/json.md has no section {name}")
    for key, kind in tables[name]:
        if kind is None:
            yield prefix + key
        else:
            yield from expand(kind, tables, prefix + (key + "." if key else ""))


def leaves(value, path=""):
    """Key paths of \\p value; empty lists and objects are leaves, lists of
    plain values too."""
    if isinstance(value, dict) and value:
        for key, one in value.items():
            yield from leaves(one, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and any(isinstance(v, dict) for v in value):
        for one in value:
            yield from leaves(one, path + "[]")
    else:
        yield path


def pattern(path):
    """A key path of the document as a regular expression; names of maps may
    contain points."""
    parts = re.split(r"(<\w+>)", path)
    return re.compile("".join(
        r".+" if part.startswith("<") else re.escape(part) for part in parts))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--document", required=True)
    arguments = parser.parse_args()
    tool = str(pathlib.Path(arguments.tool).resolve())
    tables = sections(pathlib.Path(arguments.document).read_text())
    printed = {}

    with tempfile.TemporaryDirectory() as folder:

        def run(*command, section=None, status=(0,)):
            if section:
                command = command + ("--json", "-")
            done = subprocess.run([tool, *command], cwd=folder,
                                  capture_output=True, text=True)
            if done.returncode not in status:
                sys.exit(f"{' '.join(command)}: status {done.returncode}: "
                         f"{done.stderr}")
            if section:
                found = printed.setdefault(section, {})
                for path in leaves(json.loads(done.stdout)):
                    found.setdefault(path, " ".join(command))

        gemm = ("kernel", "gemm", "--m", "64", "--n", "64", "--k", "64")
        run(*gemm, "--mode", "functional", section="kernel")
        run("kernel", "moe", "--tokens", "4", "--hidden", "32",
            "--intermediate", "32", "--experts", "2", "--mode", "functional",
            section="kernel-moe")
        run(*gemm, "--max-cycles", "100", section="stopped", status=(5,))
        # The second point does not exist: all its blocks are too large.
        run("kernel", "gemm", "--m", "64", "--n", "64", "--k", "64", "--mode",
            "functional", "--sweep", "ls.bytes=393216,4096", section="sweep",
            status=(3, 4))
        run("checkpoint", "--preset", "llama4-demo", "-o", "model")
        bounds = ("--model", "model", "--max-tokens", "16", "--max-batch", "2",
                  "--max-context", "64")
        run("compile", *bounds, "-o", "model.cwx", section="compile")
        run("show", "package", "model.cwx", section="show-package")
        step = ("run", "--model", "model", "--package", "model.cwx",
                "--prompt-ids", "3,10,17,24,31,38,45,52,59,66,73,80")
        run(*step, "--max-new-tokens", "2", "--check", "cpu", "--check-ops",
            section="run")
        vocabulary = (pathlib.Path(arguments.document).parent.parent /
                      "tests/golden/tokenizers/smollm2.json.gz")
        pathlib.Path(folder, "model", "tokenizer.json").write_bytes(
            gzip.decompress(vocabulary.read_bytes()))
        run("run", "--model", "model", "--dtype", "int8", "--prompt", "a bc",
            "--max-new-tokens", "1", "--perplexity", section="run")
        run("run", "--model", "model", "--weight-dtype", "int4",
            "--prompt-ids", "3,10", "--max-new-tokens", "1", section="run")
        run(*step, "--max-new-tokens", "1", "--reproduce",
            "layers.0.input_layernorm", "op")
        run("run", "--replay", "op", section="replay")
        run("show", "chips", section="show-chips")
        run("show", "chip", "mtia-2i", section="show-chip")

    errors = []
    for section, found in printed.items():
        known = {path: pattern(path) for path in expand(section, tables)}
        for path, command in sorted(found.items()):
            if path not in known and not any(
                    "<" in p and k.fullmatch(path) for p, k in known.items()):
                errors.append(f"`{path}` is printed by `{command}` and does not "
                              f"stand in docs/json.md under {section}")
        for path, expression in known.items():
            if not any(expression.fullmatch(one) for one in found):
                errors.append(f"`{path}` stands in docs/json.md under {section} "
                              "and is not printed")
    print("\n".join(errors[:40]))
    print(f"{sum(map(len, printed.values()))} keys of {len(printed)} outputs, "
          f"{len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
