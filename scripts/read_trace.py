#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The commands of a trace (`--trace FILE`) as a table or as a picture.

    scripts/read_trace.py trace.json --pe 0,0
    scripts/read_trace.py trace.json --pe 0,0 --window 400:1400 --svg trace.svg
"""

import argparse
import gzip
import html
import json
import re
import sys

COLOURS = {"dma_in": "#4c78a8", "dma_out": "#72b7b2", "mml": "#e45756",
           "drain": "#f58518", "se": "#54a24b", "mlu": "#b279a2"}


def read(path):
    """Tracks (process, name) and slices (track, name, from, cycles, operands)."""
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt") as file:
        events = json.load(file)["traceEvents"]
    processes, threads, slices = {}, {}, []
    for event in events:
        if event["ph"] == "M" and event["name"] == "process_name":
            processes[event["pid"]] = event["args"]["name"]
        elif event["ph"] == "M" and event["name"] == "thread_name":
            threads[event["tid"]] = (event["pid"], event["args"]["name"])
    for event in events:
        if event["ph"] == "X":
            pid, name = threads[event["tid"]]
            arguments = event["args"]
            slices.append(((processes[pid], name), event["name"],
                           arguments["cycle"], arguments.get("cycles"),
                           arguments.get("function", ""),
                           arguments.get("operands", "")))
    return slices


def of_pe(slices, pe, window):
    low, high = window
    chosen = [s for s in slices if s[0][0] == f"PE {pe}" and s[3] is not None
              and s[2] < high and s[2] + s[3] > low]
    if not chosen:
        sys.exit(f"the trace holds no command of PE {pe} in this window")
    return sorted(chosen, key=lambda s: (s[2], s[0][1]))


def table(slices):
    print(f"{'engine':<11}{'command':<13}{'from':>6}{'to':>6}{'cycles':>8}  issued at")
    for (_, engine), name, begin, cycles, function, _ in slices:
        print(f"{engine:<11}{name:<13}{begin:>6}{begin + cycles:>6}{cycles:>8}  "
              f"{function}")


def svg(slices, window, title):
    """A row for each track, a bar for each command."""
    low = min(s[2] for s in slices) if window[0] == 0 else window[0]
    high = min(max(s[2] + s[3] for s in slices), window[1])
    span = max(high - low, 1)
    order = ("FI in", "DPE", "RE", "SE", "MLU", "FI out")

    def rank(track):
        name, _, number = track.partition(" #")
        return (order.index(name) if name in order else len(order), name,
                int(number or 0))

    tracks = sorted({s[0][1] for s in slices}, key=rank)
    left, width, row, top = 80, 900, 22, 34
    height = top + row * len(tracks) + 34

    def x(cycle):
        return left + (min(max(cycle, low), high) - low) * width / span

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 20}" '
           f'height="{height}" font-family="sans-serif" font-size="12">',
           '<rect width="100%" height="100%" fill="white"/>',
           f'<text x="{left}" y="18">{html.escape(title)}</text>']
    for i, track in enumerate(tracks):
        y = top + row * i
        out.append(f'<text x="{left - 6}" y="{y + 15}" text-anchor="end">'
                   f'{html.escape(track)}</text>')
        out.append(f'<rect x="{left}" y="{y + 1}" width="{width}" '
                   f'height="{row - 3}" fill="#f2f2f2"/>')
    seen = set()
    for (_, track), name, begin, cycles, _, _ in slices:
        kind = name.removeprefix("xpe.").replace(".", "_")
        seen.add(kind)
        y = top + row * tracks.index(track)
        a, b = x(begin), x(begin + cycles)
        out.append(f'<rect x="{a:.1f}" y="{y + 2}" width="{max(b - a - 0.3, 0.4):.1f}" '
                   f'height="{row - 5}" fill="{COLOURS.get(kind, "#888888")}"/>')
    step = 10 ** len(str(span // 10))
    step = next(s for s in (step // 10, step // 5, step // 2, step)
                if span / max(s, 1) <= 12 and s > 0)
    y = top + row * len(tracks)
    for cycle in range(-(-low // step) * step, high + 1, step):
        out.append(f'<line x1="{x(cycle):.1f}" y1="{top}" x2="{x(cycle):.1f}" '
                   f'y2="{y}" stroke="#cccccc" stroke-width="0.5"/>')
        out.append(f'<text x="{x(cycle):.1f}" y="{y + 14}" text-anchor="middle">'
                   f'{cycle}</text>')
    at = left
    for kind in [k for k in COLOURS if k in seen] + sorted(seen - set(COLOURS)):
        out.append(f'<rect x="{at}" y="{y + 20}" width="10" height="10" '
                   f'fill="{COLOURS.get(kind, "#888888")}"/>')
        out.append(f'<text x="{at + 14}" y="{y + 29}">{kind}</text>')
        at += 30 + 8 * len(kind)
    out.append(f'<text x="{left + width}" y="{y + 29}" text-anchor="end">cycles'
               '</text></svg>')
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trace")
    parser.add_argument("--pe", default="0,0")
    parser.add_argument("--window", default="", help="cycles A:B")
    parser.add_argument("--title", default="")
    parser.add_argument("--svg", help="write a picture instead of the table")
    arguments = parser.parse_args()
    if arguments.window and not re.fullmatch(r"\d+:\d+", arguments.window):
        parser.error(f"--window {arguments.window}: expected A:B in cycles")
    low, high = map(int, (arguments.window or "0:1000000000000").split(":"))
    slices = of_pe(read(arguments.trace), arguments.pe, (low, high))
    if arguments.svg:
        with open(arguments.svg, "w") as file:
            file.write(svg(slices, (low, high), arguments.title or
                           f"PE {arguments.pe}"))
    else:
        table(slices)


if __name__ == "__main__":
    main()
