#!/usr/bin/env python3
"""The document engine next to Yjs, Yrs and Loro: editing traces, concurrent merging, the worst conflict.

  python Benchmarks/crdt.py --traces FOLDER [--rounds 5] [--only NAME,…] [--python VENV/bin/python] [--peers FOLDER]
  python Benchmarks/crdt.py --only '' --merging 250,500,1000,2000,4000,8000 --conflicts 64000 --plots docs/plots

Every figure comes from a process of its own; rounds take turns between the peers, each starting with another one. Peers
that are not installed are named and left out. Prints Markdown tables: least / median over the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import crdt_curves
import crdt_tables
from harness import ROOT, Workspace, add_common_options, finish, machine

HERE = Path(__file__).resolve().parent
NODE_MODULES = "/usr/share/nodejs"
PROCESS_SECONDS = 900
# Yjs takes n² for the worst conflict: 64,000 clients would take hours.
YJS_CONFLICTS = 4000
# Concurrent edits of more than this are repeated less often, and without Loro.
FEW = 1000


def trace_commands(options: argparse.Namespace, workspace: Workspace) -> dict[str, list[str]]:
    """The processes that replay a trace, by the name of their row; the trace comes last."""
    node, python = ["node", "--expose-gc"], [options.python]
    found = {
        "coduel": [str(workspace.binary), "bench", "crdt"],
        "yjs": [*node, str(HERE / "peers/yjs.mjs")],
        "yjs, warm": [*node, str(HERE / "peers/yjs.mjs"), "--warm"],
        "yrs": [*python, str(HERE / "peers/yrs.py")],
        "loro": [*python, str(HERE / "peers/loro_text.py")],
    }
    if options.peers:
        others = {"yjs": [*node, "crdt_yjs.mjs"], "yrs": [*python, "crdt_pycrdt.py"], "loro": [*python, "crdt_loro.py"]}
        for name, (*program, file) in others.items():
            if (options.peers / file).exists():
                found[f"{name} ({options.peers.name})"] = [*program, str(options.peers / file)]
    return found


def merging_commands(options: argparse.Namespace, workspace: Workspace, bench: str, n: int) -> dict[str, list[str]]:
    """The processes that merge concurrent edits, by the name of their row."""
    python, repetitions = options.python, "15" if n <= FEW else "5"
    found = {
        "coduel": [str(workspace.binary), "bench", "crdt", "--bench", bench, "--n", str(n), "--reps", repetitions],
        "yjs": ["node", str(HERE / "peers/merging.mjs"), bench, str(n), repetitions],
        "yrs": [python, str(HERE / "peers/merging_yrs.py"), bench, str(n), repetitions],
    }
    if n <= FEW:
        # Slow where others are not, so fewer repetitions.
        found["loro"] = [python, str(HERE / "peers/merging_loro.py"), bench, str(n), "3" if n > 100 else "15"]
    return found


def measure(command: list[str], realtime: bool = False) -> dict | str:
    """The figures of one process, or why there are none."""
    if realtime:
        command = ["chrt", "--rr", "10", *command]
    environment = os.environ | {"NODE_PATH": os.environ.get("NODE_PATH", NODE_MODULES)}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROCESS_SECONDS, env=environment)
    except (OSError, subprocess.TimeoutExpired) as failure:
        return str(failure)
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or ["no output"])[-1]
    figures = json.loads(done.stdout.strip().splitlines()[-1])
    rows = figures.get("cases", [figures])
    return figures if all(row["ok"] for row in rows) else "the content at the end is wrong"


class Rounds:
    """Figures by row of several rounds of commands in turns, and what could not be measured."""

    def __init__(self, rounds: int, realtime: bool):
        self.rounds = rounds
        self.realtime = realtime
        self.missing: dict[str, str] = {}

    def run(self, title: str, commands: dict[str, list[str]]) -> dict[str, list[dict]]:
        names, figures = list(commands), {}
        for turn in range(self.rounds):
            start = turn % len(names)
            for row in names[start:] + names[:start]:
                if row in self.missing:
                    continue
                result = measure(commands[row], self.realtime)
                if isinstance(result, str):
                    self.missing[row] = f"{row}: left out ({result})"
                    figures.pop(row, None)
                else:
                    figures.setdefault(row, []).append(result)
            print(f"{title}: round {turn + 1} of {self.rounds}", file=sys.stderr)
        return {row: figures[row] for row in names if row in figures}


def traces(options: argparse.Namespace) -> list[Path]:
    if options.only == "":
        return []
    found = sorted(options.traces.rglob("*.json.gz")) if options.traces.is_dir() else [options.traces]
    wanted = options.only.split(",") if options.only else None
    chosen = [file for file in found if wanted is None or file.name.removesuffix(".json.gz") in wanted]
    if not chosen:
        sys.exit(f"no trace in {options.traces}: give --traces FOLDER of github.com/josephg/editing-traces")
    return chosen


def with_trace(command: list[str], trace: Path) -> list[str]:
    """The trace comes right after the program of a peer, flags behind it."""
    flags = [part for part in command if part == "--warm"]
    return [*(part for part in command if part != "--warm"), str(trace), *flags]


def run(options: argparse.Namespace, workspace: Workspace) -> tuple[dict[str, dict], list[str]]:
    """All figures: by kind, then by trace, case or size."""
    rounds = Rounds(options.rounds, options.realtime)
    figures: dict[str, dict] = {"traces": {}, "merging": {}, "conflicts": {}}
    replaying = trace_commands(options, workspace)
    for trace in traces(options):
        name = trace.name.removesuffix(".json.gz")
        figures["traces"][name] = rounds.run(name, {row: with_trace(each, trace) for row, each in replaying.items()})
    for n in filter(None, options.merging.split(",")):
        for bench in ("b2", "b3"):
            commands = merging_commands(options, workspace, bench, int(n))
            figures["merging"][f"{bench} {n}"] = rounds.run(f"{bench}, N = {n}", commands)
    if options.conflicts:
        ours = [str(workspace.binary), "bench", "crdt", "--bench", "conflicts", "--n", str(options.conflicts)]
        theirs = ["node", str(HERE / "peers/merging.mjs"), "conflicts", str(min(options.conflicts, YJS_CONFLICTS))]
        figures["conflicts"] = rounds.run("conflicts", {"coduel": ours, "yjs": theirs})
    return figures, list(rounds.missing.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common_options(parser)
    parser.add_argument("--traces", type=Path, default=ROOT.parent / "shared/data/editing-traces")
    parser.add_argument("--only", help="names of traces, with commas; empty for none")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--merging", default="1000", help="sizes N of B2 and B3, with commas; empty for none")
    parser.add_argument("--conflicts", type=int, default=16000, help="most clients of the worst conflict; 0 for none")
    parser.add_argument("--realtime", action="store_true", help="run under SCHED_RR, where the machine is busy (root)")
    parser.add_argument("--plots", type=Path, help="a folder for the plots of how cost grows (several sizes, --conflicts)")
    parser.add_argument("--python", default=sys.executable, help="a Python with pycrdt and loro")
    parser.add_argument("--peers", type=Path, help="a folder with further drivers of the same peers")
    options = parser.parse_args()
    before = machine()
    with Workspace(options.binary) as workspace:
        figures, missing = run(options, workspace)
    crdt_tables.show(figures)
    crdt_curves.show(figures, options.plots)
    print(f"\nmachine: {before}, load at the end {os.getloadavg()}")
    for reason in missing:
        print(reason)
    finish(options, {"machine": before, "figures": figures, "missing": missing})
    if crdt_tables.differing(figures["traces"]):
        sys.exit("the state of one of them is not that of Yjs")


if __name__ == "__main__":
    main()
