#!/usr/bin/env python3
"""What the rate limiter costs a request.

  python Benchmarks/limiter.py [--calls 200000] [--rounds 9]

Through HTTP it cannot be seen: a cached read takes some 60 µs of CPU time, and no setting takes a policy away. So the
limiter's own sources are compiled as the server's are (`-O`) with a loop around them (`clients/limiter.swift`), each
case in turn in every round, on the clock of the wall; the least says what the work costs, the rest what the machine
does besides. `no policy` is the loop with a limiter that has no limit for the call: the difference is the decision. Exit
status 1 when the goal is missed. Needs `swiftc`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import ROOT, busy_share, finish, machine, median, number, quantile, table

GOAL_US = 2.0
POLICY = ROOT / "Sources/Gateway/Policy"
LIMITS = ROOT / "Sources/Gateway/Server/GatewayLimits.swift"
#: The case of the goal: many people, each decision told to the caller.
CASE, EMPTY = "2,000 subjects, and the fields of the answer", "no policy"


def build(folder: Path) -> Path:
    # The one bound that the limiter needs: its file needs modules of others.
    found = re.search(r"static let rateLimitSubjects = ([\d_]+)", LIMITS.read_text())
    if not found:
        sys.exit(f"{LIMITS} does not say how many subjects are remembered")
    bound = folder / "bound.swift"
    bound.write_text(f"package enum GatewayLimits {{ package static let rateLimitSubjects = {found.group(1)} }}\n")
    program = folder / "limiter"
    sources = [POLICY / "RateLimiter.swift", POLICY / "RatePolicies.swift", bound, ROOT / "Benchmarks/clients/limiter.swift"]
    command = ["swiftc", "-O", "-wmo", "-swift-version", "6", "-parse-as-library", "-package-name", "coduel"]
    subprocess.run([*command, "-o", str(program), *map(str, sources)], check=True)
    return program


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=200_000, help="of each case in a round")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    options = parser.parse_args()
    if not shutil.which("swiftc"):
        sys.exit("swiftc is not in PATH")
    before = machine()
    with tempfile.TemporaryDirectory(prefix="coduel-bench-") as name:
        program, mark = build(Path(name)), busy_share()
        command = [str(program), str(options.calls), str(options.rounds)]
        costs = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        busy = busy_share(mark)
    rows = [[case, min(each), median(each), quantile(each, 0.95), min(each) - min(costs[EMPTY])] for case, each in costs.items()]
    print(table(["a call, µs", "least", "median", "p95", "least beyond no policy"], rows))
    cost = min(costs[CASE])
    print(f"\n{'met    ' if cost <= GOAL_US else 'MISSED '} at most {GOAL_US} µs with its fields: {number(cost)}")
    print(f"machine: {before}, load at the end {os.getloadavg()}, cores {busy:.0%} busy")
    finish(options, {"machine": before, "busy": busy, "us": costs})
    return 0 if cost <= GOAL_US else 1


if __name__ == "__main__":
    sys.exit(main())
