#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs cases of the table of faults through the real binary.

    run_case.py --tool BINARY [--show] [NAME...]

A case of table.json is one mistake of a user. Its command must end with the
stated exit status, explain itself on stderr, and leave every file as it was.
Fields of a case:

    name, group   group is yaml, elf, args, program, model, package or mlir
    args          of the tool; {case} is the case's temporary folder
    files         name and text of files in that folder
    elf           changes to a correct kernel ELF, written to k.elf
    model         changes to a correct model, written to m/ (inputs.py)
    package       changes to a correct package, written to p.cwx (inputs.py)
    kernel        file in kernels/, run in both modes, which must agree
    exit          exit status
    stderr        substrings of the message
    place         PE, hart, function and instruction that a program's fault names
    lines         lines that the message may have (1)
"""

import argparse
import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the source tree stays as it is
import inputs  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
HALT = 0x0000707B  # xpe.halt
# A message comes from the tool, not from what it is made of.
FORBIDDEN = [
    "terminate called", "Assertion", "SystemC", "Accellera", "Traceback",
    "Sanitizer", "runtime error:", "internal error", "what():", "std::",
    "core dumped", "Aborted", "#0 0x",
]
# A hang guard, far above what any case takes.
LIMIT_SECONDS = 240


def number(value):
    return int(value, 0) if isinstance(value, str) else value


def make_elf(changes):
    """A kernel of one instruction, xpe.halt, as changed."""
    segments = changes.get("segments", [{"address": "0x40000000"}])
    header_bytes, entry_bytes = 64, 56
    offset = header_bytes + entry_bytes * len(segments)
    table, body = b"", b""
    for segment in segments:
        size = number(segment.get("bytes", 16))
        data = struct.pack("<I", HALT) * (size // 4 + 1)
        table += struct.pack(
            "<IIQQQQQQ", number(segment.get("type", 1)),
            number(segment.get("flags", 5)),
            number(segment.get("offset", offset + len(body))),
            number(segment["address"]), number(segment["address"]),
            number(segment.get("file_bytes", size)),
            number(segment.get("memory", size)), 4)
        body += data[:size]
    ident = bytes([0x7F, 0x45, 0x4C, 0x46, number(changes.get("class", 2)),
                   number(changes.get("data", 1)), 1]) + bytes(9)
    header = ident + struct.pack(
        "<HHIQQQIHHHHHH", number(changes.get("type", 2)),
        number(changes.get("machine", 243)), 1,
        number(changes.get("entry", "0x40000000")), header_bytes,
        number(changes.get("section_offset", 0)),
        number(changes.get("elf_flags", 0)), header_bytes, entry_bytes,
        number(changes.get("program_headers", len(segments))),
        64, number(changes.get("section_headers", 0)), 0)
    whole = header + table + body
    return whole[:number(changes.get("truncate", len(whole)))]


def snapshot(folder):
    """Every file of a folder with its content and time."""
    return {
        str(path.relative_to(folder)):
            (path.stat().st_mtime_ns, path.stat().st_mode,
             path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


def run(tool, case, mode):
    """\\returns (stderr, list of what is wrong)."""
    wrong = []
    with tempfile.TemporaryDirectory(prefix="chipwright-fault-") as name:
        folder = pathlib.Path(name)
        for path, text in case.get("files", {}).items():
            (folder / path).write_text(text)
        if "elf" in case:
            (folder / "k.elf").write_bytes(make_elf(case["elf"]))
        if "model" in case:
            inputs.make_model(case["model"], folder / "m")
        if "package" in case:
            inputs.make_package(case["package"], tool, folder / "p.cwx")
        (folder / "out").mkdir()
        (folder / "out" / "x.json").write_text("an older result\n")
        arguments = [a.replace("{case}", name) for a in case.get("args", [])]
        if "kernel" in case:
            arguments = ["kernel", "--file",
                         str(HERE / "kernels" / case["kernel"]), *arguments]
        if mode:
            arguments += ["--mode", mode]
        if case.get("json", True):
            arguments += ["--json", "out/x.json"]
        before = snapshot(folder)
        try:
            done = subprocess.run(
                [tool, *arguments], cwd=folder, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, errors="replace",
                timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            return "", [f"still running after {LIMIT_SECONDS} s"]
        after = snapshot(folder)
        message = done.stderr.replace(name, "{case}")
        output = done.stdout
    if done.returncode != case["exit"]:
        wrong.append(f"exit status {done.returncode}, expected {case['exit']}")
    if not message.startswith("chipwright: error: "):
        wrong.append("stderr does not start with 'chipwright: error: '")
    for part in case["stderr"]:
        if part not in message:
            wrong.append(f"stderr lacks: {part}")
    for part in FORBIDDEN:
        if part in message or part in output:
            wrong.append(f"output has: {part}")
    if output and not case.get("stdout"):
        wrong.append(f"stdout is not empty: {output[:200]}")
    lines = message.rstrip("\n").split("\n")
    if case["group"] != "program" and len(lines) > case.get("lines", 1):
        wrong.append(f"{len(lines)} lines, expected {case.get('lines', 1)}")
    if len(lines[0]) > 600:
        wrong.append(f"the first sentence has {len(lines[0])} characters")
    if "place" in case:
        pe, hart, function, instruction = case["place"]
        pattern = (rf"PE {pe} .*hart {hart} .*pc 0x[0-9a-f]+ "
                   rf"\({function}\+0x[0-9a-f]+\): {re.escape(instruction)}")
        if not re.search(pattern, message):
            wrong.append(f"stderr names no place like: {pattern}")
    if after != before:
        changed = [path for path in sorted({*before, *after})
                   if before.get(path) != after.get(path)]
        wrong.append(f"files changed: {', '.join(changed)}")
    return message, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tool", required=True)
    parser.add_argument("--show", action="store_true", help="print messages")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    table = json.loads((HERE / "table.json").read_text())
    unknown = set(options.names) - {case["name"] for case in table}
    if unknown:
        sys.exit(f"table.json has no case {', '.join(sorted(unknown))}")
    failed = 0
    for case in table:
        if options.names and case["name"] not in options.names:
            continue
        modes = ["timing", "functional"] if "kernel" in case else [None]
        answers = [run(options.tool, case, mode) for mode in modes]
        wrong = [item for _, items in answers for item in items]
        if len({message for message, _ in answers}) != 1:
            wrong.append("the modes disagree:\n" +
                         "\n".join(message for message, _ in answers))
        if options.show or wrong:
            print(f"--- {case['name']}\n{answers[0][0].rstrip()}")
        for item in wrong:
            print(f"FAILED {case['name']}: {item}")
        failed += bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
