#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Levels of text between a model and its package, through the real binary.

    stages.py --tool BINARY --opt CHIPWRIGHT_OPT CASE...
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden"
LEVELS = ["llm", "grid", "program", "pe", "llvm", "asm"]
# Two models, types and chips, one of them without contexts.
SETUPS = {
    "bf16": ("transformers-llama4", ["--max-tokens", "64", "--max-batch", "2",
                                     "--max-context", "128"], []),
    "fp16": ("transformers-llama4-noqknorm",
             ["--dtype", "fp16", "--max-tokens", "32", "--max-batch", "3",
              "--max-context", "200"], ["--chip", "mtia-300"]),
    "plain": ("transformers-llama4", ["--max-tokens", "16"],
              ["--set", "cp.contexts=0", "--set", "grid.rows=2",
               "--set", "grid.cols=4"]),
}


class Failed(Exception):
    pass


def expect(condition, message):
    if not condition:
        raise Failed(message)


class Setup:
    def __init__(self, tool, name, folder):
        self.tool = tool
        model, self.bounds, self.chip = SETUPS[name]
        self.model = ["--model", str(GOLDEN / model)]
        self.folder = folder

    def path(self, name):
        return self.folder / name

    def run(self, *arguments, status=0):
        done = subprocess.run(
            [self.tool, "compile", *arguments], cwd=self.folder,
            capture_output=True, text=True, timeout=240)
        expect(done.returncode == status,
               f"{' '.join(arguments)}: exit status {done.returncode}, "
               f"expected {status}\n{done.stderr[:2000]}")
        return done

    def package(self, name, *arguments):
        """Compiles through. \\returns the package's bytes."""
        self.run(*self.model, *self.bounds, *self.chip, "-o", name, *arguments)
        return self.path(name).read_bytes()

    def resumed(self, level, text, *arguments):
        """\\returns the bytes of the package of a level's text."""
        self.run(*self.model, *self.chip, "--start-from", level, text, "-o",
                 "resumed.cwx", *arguments)
        return self.path("resumed.cwx").read_bytes()

    def level(self, level):
        self.run(*self.model, *self.bounds, *self.chip, "--stop-after", level,
                 "-o", level)
        return self.path(level).read_text()


def texts(setup):
    """Each level, fed to the tool, gives exactly the next level's text."""
    for level in LEVELS:
        setup.level(level)
    for level, following in zip(LEVELS, LEVELS[1:] + [None]):
        # To itself: what is printed is what was read.
        setup.run(*setup.chip, "--start-from", level, level, "--stop-after",
                  level, "-o", "same")
        expect(setup.path("same").read_bytes() ==
               setup.path(level).read_bytes(), f"{level} does not round-trip")
        if following:
            setup.run(*setup.chip, "--start-from", level, level, "--stop-after",
                      following, "-o", "next")
            expect(setup.path("next").read_bytes() ==
                   setup.path(following).read_bytes(),
                   f"{following} from the text of {level} differs")


def packages(setup):
    """Each level, fed to the tool, gives the same package as no stop."""
    whole = setup.package("whole.cwx")
    for level in LEVELS:
        setup.level(level)
        expect(setup.resumed(level, level) == whole,
               f"the package from level {level} differs")


def edited(setup):
    """What is edited in a text reaches the package."""
    whole = setup.package("whole.cwx")
    schedule = re.compile(r"#grid.schedule<tile = \[(\d+), ")
    grid = setup.level("program")
    setup.run(*setup.model, *setup.bounds, *setup.chip, "-o", "p.cwx",
              "--dump-ir", "ir", "--print-schedule", "s.txt")
    expect(grid == setup.path("ir/program.mlir").read_text(),
           "--dump-ir and --stop-after differ")
    # A schedule within level grid.
    lines = [line for line in setup.path("s.txt").read_text().splitlines()
             if line.startswith("linear_0 ")]
    expect(len(lines) == 1, "linear_0 has no schedule")
    attribute = lines[0].split(" ", 2)[2]
    smaller = schedule.sub("#grid.schedule<tile = [2, ", attribute)
    expect(smaller != attribute, "the schedule is that small already")
    text = setup.level("grid")
    place = text.index("grid.generic", text.index("grid.program @linear_0"))
    place = text.index("attributes {", place) + len("attributes {")
    setup.path("edited").write_text(
        text[:place] + f"schedule = {smaller}, " + text[place:])
    by_text = setup.resumed("grid", "edited")
    expect(by_text != whole, "an edited schedule changes nothing")
    # The same schedule from a file.
    setup.path("edited.txt").write_text(lines[0].replace(attribute, smaller))
    by_file = setup.package("s.cwx", "--schedule", "edited.txt")
    expect(by_file == by_text, "--schedule and the edited text differ")
    # A constant of the assembly: the other programs stay.
    asm = setup.level("asm")
    place = asm.index("# chipwright program linear_0")
    end = asm.index("\n", place) + 1
    setup.path("edited").write_text(
        asm[:end] + '\t.section .note.extra,"",@progbits\n\t.text\n' + asm[end:])
    expect(setup.resumed("asm", "edited") == whole, "a note changed code")
    edit = asm.index("_start:\n", end) + len("_start:\n")
    setup.path("edited").write_text(asm[:edit] + "\tnop\n" + asm[edit:])
    changed = setup.resumed("asm", "edited")
    expect(changed != whole, "an edited program changes nothing")


def schedules(setup):
    """Printed schedules, fed back, change nothing; nor do parts of them."""
    whole = setup.package("whole.cwx", "--print-schedule", "s.txt")
    text = setup.path("s.txt").read_text()
    lines = [line for line in text.splitlines()
             if line and not line.startswith("#")]
    expect(len(lines) > 10, f"found {len(lines)} schedules")
    expect("layers.0.self_attn.q_proj" in text, "schedules name no operations")
    setup.package("again.cwx", "--schedule", "s.txt", "--print-schedule",
                  "again.txt")
    expect(setup.path("again.txt").read_text() == text, "schedules changed")
    expect(setup.path("again.cwx").read_bytes() == whole, "the package changed")
    setup.path("part.txt").write_text("\n".join(lines[::2]) + "\n")
    expect(setup.package("part.cwx", "--schedule", "part.txt") == whole,
           "a part of the schedules changes the package")


def dump(setup):
    """Every level and every program's levels are there and go on from there."""
    setup.run(*setup.model, *setup.bounds, *setup.chip, "-o", "p.cwx",
              "--dump-ir", "ir")
    for level in LEVELS:
        name = "asm.s" if level == "asm" else f"{level}.mlir"
        expect(setup.path(f"ir/{name}").read_text() ==
               setup.level(level), f"{name} is not the text of the level")
    programs = setup.path("ir/programs")
    names = {path.name.split(".")[0] for path in programs.iterdir()}
    expect("attention_0" in names and len(names) > 10, f"found {names}")
    for name in names:
        for suffix in ["grid.mlir", "program.mlir", "pe.mlir", "llvm.mlir", "s",
                       "elf"]:
            expect((programs / f"{name}.{suffix}").is_file(),
                   f"{name}.{suffix} is missing")
    pe = (programs / "add_0.pe.mlir").read_text()
    options = ["--grid-to-commands", str(programs / "add_0.grid.mlir")]
    done = subprocess.run([setup.opt, *options], capture_output=True, text=True,
                          timeout=240)
    expect(done.returncode == 0, done.stderr)
    body = done.stdout[done.stdout.index("func.func"):]
    expect(body.rstrip() == pe[pe.index("func.func"):].rstrip(),
           "chipwright-opt makes something else of a dumped program")
    done = subprocess.run([setup.opt, "--llm-to-grid",
                           str(setup.path("ir/llm.mlir"))],
                          capture_output=True, text=True, timeout=240)
    expect(done.returncode == 0, done.stderr)
    expect(done.stdout.count("grid.program") ==
           setup.path("ir/grid.mlir").read_text().count("grid.program"),
           "chipwright-opt makes something else of the model")


def timing(setup):
    """Times of steps and passes stand on stderr and change nothing."""
    whole = setup.package("whole.cwx")
    done = setup.run(*setup.model, *setup.bounds, *setup.chip, "-o", "t.cwx",
                     "--timing")
    expect(setup.path("t.cwx").read_bytes() == whole, "the package changed")
    for name in ["llm to grid", "schedule", "program to pe", "pe to llvm",
                 "llvm to asm", "asm to package", "GridToPePass",
                 "PeAssignContexts", "link", "Total"]:
        count = len(re.findall(rf"\) +{name}$", done.stderr, re.M))
        expect(count == 1, f"--timing has {count} lines of {name}")


CASES = {"texts": texts, "packages": packages, "edited": edited,
         "schedules": schedules, "dump": dump, "timing": timing}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tool", required=True)
    parser.add_argument("--opt", required=True)
    parser.add_argument("--setup", choices=SETUPS, default="bf16")
    parser.add_argument("cases", nargs="+", choices=CASES)
    options = parser.parse_args()
    failed = 0
    for case in options.cases:
        with tempfile.TemporaryDirectory(prefix="chipwright-stages-") as name:
            setup = Setup(options.tool, options.setup, pathlib.Path(name))
            setup.opt = options.opt
            try:
                CASES[case](setup)
            except Failed as error:
                print(f"FAILED {case}: {error}")
                failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
