#!/usr/bin/env python3
"""What a box costs and how exactly it measures: sandbox-helper next to vfork + exec and to bubblewrap.

  python Benchmarks/sandbox.py [--rounds 200] [--helper PATH]

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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--helper", type=Path, default=ROOT / ".build/release/sandbox-helper")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    options = parser.parse_args()
    if not options.helper.exists():
        sys.exit(f"{options.helper} does not exist: run `swift build -c release` first, or give --helper")
    bwrap = shutil.which("bwrap")
    where, mark = machine(), busy_share()
    with tempfile.TemporaryDirectory(prefix="coduel-bench-") as name:
        folder = Path(name)
        command = [str(build(folder)), str(options.helper), str(options.rounds)] + ([bwrap] if bwrap else [])
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

    alone, boxed = figures["loop_bare_cpu_us"], figures["loop_boxed_cpu_us"]
    print()
    print(table(
        ["a busy loop, CPU time, ms", "least", "median", "p95", "p95 above median, %"],
        [[label, least(v) / 1e3, median(v) / 1e3, quantile(v, 0.95) / 1e3, 100 * spread(v)]
         for label, v in (("bare", alone), ("boxed", boxed))],
    ))  # fmt: skip
    goals.append((f"CPU time within {CPU_SPREAD:.0%}: {spread(boxed):.1%}", spread(boxed) <= CPU_SPREAD))
    goals.append((f"no wider than bare: {spread(boxed):.1%} and {spread(alone):.1%}", spread(boxed) <= spread(alone) + 0.002))

    peaks = figures["memory_peak_bytes"]
    errors = [(peak - peaks[0]) / 2**20 - size for size, peak in zip(figures["memory_mib"], peaks)]
    print(f"\nmemory peaks of {figures['memory_mib']} MiB, error in MiB: {[round(error, 2) for error in errors]}")
    worst = max(map(abs, errors))
    goals.append((f"memory within {MEMORY_MIB} MiB: {worst:.2f}", worst <= MEMORY_MIB))
    wrong = [row for row in figures["output"] if row[2] != min(row[0], row[1]) or row[3] != (row[1] > row[0])]
    goals.append((f"output limit to the byte in {len(figures['output'])} runs: {wrong or 'yes'}", not wrong))
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
