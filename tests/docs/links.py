#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Links between documents lead to files and headings that exist."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def prose(path):
    text = path.read_text()
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", lambda m: m[0].strip("`"), text)


def anchors(path):
    found = re.findall(r"^#+ (.*)$", prose(path), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in found}


def main():
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    errors, count = [], 0
    for path in paths:
        for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
            if re.match(r"\w+:", target):
                continue
            count += 1
            file, _, anchor = target.partition("#")
            other = (path.parent / file).resolve() if file else path
            name = path.relative_to(ROOT)
            if not other.exists():
                errors.append(f"{name}: {target}: no such file")
            elif anchor and anchor not in anchors(other):
                errors.append(f"{name}: {target}: no such heading")
    print("\n".join(errors))
    print(f"{count} links, {len(errors)} errors")
    return 1 if errors or not count else 0


if __name__ == "__main__":
    sys.exit(main())
