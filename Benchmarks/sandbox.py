#!/usr/bin/env python3
"""What a box costs and how exactly it measures: sandbox-helper next to vfork + exec and to bubblewrap.

  python Benchmarks/sandbox.py [--rounds 200] [--iterations 100000000] [--alone] [--helper PATH]

First what a box costs. Then how exactly it measures, on the first core, while a second judge of its own helper works on the
second (`--alone`: nobody, and on any core): CPU time of a busy loop, in turns with the same loop without a box; peaks of
programs that hold a known size as one block, in two processes, as a file; the output limit to the byte.

Needs a C compiler; bubblewrap (Debian's package of that name) is left out where it is not installed. Run it as root: without
control groups there is less to measure. Everything takes turns in one run. Exit status 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import ROOT, busy_share, finish, machine, median, quantile, table

#: Goals: µs beyond vfork + exec, times less than bubblewrap, shares.
WARM_US, COLD_US, AGAINST_BWRAP, CPU_SPREAD, MEMORY_MIB = 500, 2_500, 5, 0.03, 1.0
#: What "no wider than the bare loop" leaves to chance: the 95th percentile of 200 runs is itself a sample.
SPREAD_TOLERANCE = 0.002


def build(folder: Path) -> Path:
    program = folder / "sandbox"
    source = ROOT / "Benchmarks/clients/sandbox.c"
    subprocess.run(
        ["cc", "-O2", "-Wall", "-I", str(ROOT / "Sources/sandbox-helper"), "-o", str(program), str(source)], check=True
    )
    return program


def spread(values: list[float]) -> float:
    """By how much the 95th percentile is above the median."""
    return quantile(values, 0.95) / median(values) - 1


def exactness(figures: dict, beside: bool) -> list[tuple[str, bool]]:
    """Prints what was measured of time and memory; the goals of all three."""
    bare, boxed = figures["loop_bare_cpu_us"], figures["loop_boxed_cpu_us"]
    judge = f"beside a second judge ({figures['neighbour_runs_per_s']:.0f} runs/s)" if beside else "alone"
    print()
    print(table(
        [f"a busy loop {judge}, CPU time, ms", "least", "median", "p95", "p95 above median, %"],
        [[label, least(v) / 1e3, median(v) / 1e3, quantile(v, 0.95) / 1e3, 100 * spread(v)]
         for label, v in (("bare", bare), ("boxed", boxed))],
    ))  # fmt: skip
    goals = [
        (f"CPU time within {CPU_SPREAD:.0%}: {spread(boxed):.1%}", spread(boxed) <= CPU_SPREAD),
        (f"no wider than bare: {spread(boxed):.1%} and {spread(bare):.1%}", spread(boxed) <= spread(bare) + SPREAD_TOLERANCE),
    ]

    rows, worst = [], 0.0
    for way in dict.fromkeys(row[0] for row in figures["memory"]):
        taken = [row for row in figures["memory"] if row[0] == way]
        errors = [(full - empty) / 2**20 - size for _, size, empty, full in taken]
        whole = [full / 2**20 - size for _, size, _, full in taken]
        worst = max([worst, *map(abs, errors)])
        sizes = f"{way}, {min(row[1] for row in taken)} to {max(row[1] for row in taken)} MiB, {len(taken)} runs"
        rows.append([sizes, min(errors), max(errors), min(whole), max(whole)])
    print()
    print(table(["peak less what was held, MiB", "beyond a program that holds nothing, least", "most", "in all, least", "most"], rows))
    goals.append((f"memory within {MEMORY_MIB} MiB: {worst:.2f}", worst <= MEMORY_MIB))

    wrong = [row for row in figures["output"] if row[2] != min(row[0], row[1]) or row[3] != (row[1] > row[0])]
    goals.append((f"output limit to the byte in {len(figures['output'])} runs: {wrong or 'yes'}", not wrong))
    return goals


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--iterations", type=int, default=100_000_000, help="of the busy loop; 100 million take 30 ms")
    parser.add_argument("--alone", action="store_true", help="without a second judge beside")
    parser.add_argument("--helper", type=Path, default=ROOT / ".build/release/sandbox-helper")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    options = parser.parse_args()
    if not options.helper.exists():
        sys.exit(f"{options.helper} does not exist: run `swift build -c release` first, or give --helper")
    beside = not options.alone and len(os.sched_getaffinity(0)) > 1
    bwrap = shutil.which("bwrap")
    where, mark = machine(), busy_share()
    with tempfile.TemporaryDirectory(prefix="coduel-bench-") as name:
        folder = Path(name)
        command = [str(build(folder)), str(options.helper), str(options.rounds), str(options.iterations)]
        command += [str(int(beside))] + ([bwrap] if bwrap else [])
        figures = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    figures["machine"], figures["busy"] = where, busy_share(mark)
    print(f"{where['cores']} cores, Linux {where['kernel']}, load {where['load'][0]}, {figures['busy']:.0%} busy")
    print(f"layers: {figures['layers']}\n")

    bare = figures["bare_us"]
    rows = []
    ways = [
        ("vfork + exec", "bare_us"),
        ("warm box", "warm_us"),
        ("new box", "cold_us"),
        ("new box after 0.1 s", "cold_rested_us"),
        ("bubblewrap", "bwrap_us"),
    ]
    for label, key in ways:
        values = figures[key]
        if values:
            beyond = [least(values) - least(bare), median(values) - median(bare)]
            rows.append([label, least(values), median(values), quantile(values, 0.95), *beyond])
    print(table(["a program that returns 0, µs", "least", "median", "p95", "beyond, least", "beyond, median"], rows))

    goals: list[tuple[str, bool]] = []
    beyond = {row[0]: row[-2] for row in rows}
    goals.append((f"warm box at most {WARM_US} µs beyond vfork + exec: {beyond['warm box']:.0f}", beyond["warm box"] <= WARM_US))
    cold = least(figures["cold_us"])
    goals.append((f"new box at most {COLD_US} µs in all: {cold:.0f}", cold <= COLD_US))
    if bwrap:
        ratio = beyond["bubblewrap"] / beyond["warm box"]
        goals.append((f"at least {AGAINST_BWRAP} times less than bubblewrap: {ratio:.1f}", ratio >= AGAINST_BWRAP))

    goals += exactness(figures, beside)
    print()
    for text, met in goals:
        print(("met     " if met else "MISSED  ") + text)
    finish(options, figures)
    return 0 if all(met for _, met in goals) else 1


def least(values: list[float]) -> float:
    return min(values)


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
