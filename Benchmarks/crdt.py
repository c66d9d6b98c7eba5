#!/usr/bin/env python3
"""The document engine next to Yjs, Yrs and Loro on editing traces.

  python Benchmarks/crdt.py --traces FOLDER [--rounds 3] [--only NAME,…] [--python VENV/bin/python] [--peers FOLDER]

Every figure comes from a process of its own; rounds take turns between the peers, each starting with another one. Peers
that are not installed are named and left out. Prints Markdown tables: least / median over the rounds, ratios to Yjs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from harness import (
    ROOT,
    Workspace,
    add_common_options,
    finish,
    machine,
    median,
    number,
    table,
)

HERE = Path(__file__).resolve().parent
NODE_MODULES = "/usr/share/nodejs"
PROCESS_SECONDS = 600
YJS = ("yjs", "yjs, warm")
DIFFERS = "DIFFERS"


def commands(options: argparse.Namespace, workspace: Workspace) -> dict[str, list[str]]:
    """The processes to measure, by the name of their row."""
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


def measure(command: list[str], trace: Path) -> dict | str:
    """The figures of one process, or why there are none. The trace comes right after the program of a peer."""
    environment = os.environ | {"NODE_PATH": os.environ.get("NODE_PATH", NODE_MODULES)}
    flags = [part for part in command if part == "--warm"]
    program = [part for part in command if part != "--warm"]
    try:
        done = subprocess.run(
            [*program, str(trace), *flags], capture_output=True, text=True, timeout=PROCESS_SECONDS, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        return str(failure)
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or ["no output"])[-1]
    figures = json.loads(done.stdout.strip().splitlines()[-1])
    return figures if figures["ok"] else "the text at the end is wrong"


def traces(options: argparse.Namespace) -> list[Path]:
    found = sorted(options.traces.rglob("*.json.gz")) if options.traces.is_dir() else [options.traces]
    wanted = options.only.split(",") if options.only else None
    chosen = [file for file in found if wanted is None or file.name.removesuffix(".json.gz") in wanted]
    if not chosen:
        sys.exit(f"no trace in {options.traces}: give --traces FOLDER of github.com/josephg/editing-traces")
    return chosen


def run(options: argparse.Namespace, workspace: Workspace) -> tuple[dict, list[str]]:
    """Figures by trace and row, and what could not be measured."""
    peers = commands(options, workspace)
    names, figures, missing = list(peers), {}, {}
    for trace in traces(options):
        name = trace.name.removesuffix(".json.gz")
        of_trace = figures.setdefault(name, {})
        for turn in range(options.rounds):
            start = turn % len(names)
            for row in names[start:] + names[:start]:
                if row in missing:
                    continue
                result = measure(peers[row], trace)
                if isinstance(result, str):
                    missing[row] = f"{row}: left out ({result})"
                    of_trace.pop(row, None)
                else:
                    of_trace.setdefault(row, []).append(result)
            print(f"{name}: round {turn + 1} of {options.rounds}", file=sys.stderr)
    return figures, list(missing.values())


def least(runs: list[dict], key: str) -> float | None:
    values = [run[key] for run in runs if run.get(key) is not None]
    return min(values) if values else None


def pair(runs: list[dict], key: str) -> str:
    values = [run[key] for run in runs if run.get(key) is not None]
    return f"{number(min(values))} / {number(median(values))}" if values else "-"


def ratio(rows: dict[str, list[dict]], row: str, key: str) -> str:
    """How many times the least time of the row is in the least of Yjs, cold or warm."""
    ours = least(rows[row], key)
    theirs = [value for name in YJS if (value := least(rows.get(name, []), key)) is not None]
    return f"{min(theirs) / ours:.1f}" if ours and theirs else "-"


def state_of(rows: dict[str, list[dict]], row: str) -> str:
    """Whether the row ends with the bytes of Yjs; `1` where it does but for the order in the delete set."""
    ours = {run.get("v1_sha256") for run in rows[row]}
    yjs = [run for name in YJS for run in rows.get(name, [])]
    if ours == {None}:
        return "own format"
    if not yjs:
        return "-"
    if ours == {run["v1_sha256"] for run in yjs}:
        return "as Yjs"
    return "as Yjs ¹" if ours == {run["v1_sorted_sha256"] for run in yjs} else DIFFERS


def print_trace(name: str, rows: dict[str, list[dict]]) -> None:
    first = next(iter(rows.values()))[0]
    print(f"\n### {name} ({first['kind']}, {first['edits']:,} edits)\n")
    head = ["", "local ms", "Yjs / it", "remote ms", "Yjs / it", "µs an update", "encode ms", "Yjs / it"]
    head += ["decode ms", "Yjs / it", "v1 bytes", "document MB", "state"]
    lines = []
    for row, runs in rows.items():
        cells: list[object] = [row]
        for key in ("apply_local_ms", "apply_remote_ms"):
            cells += [pair(runs, key), ratio(rows, row, key)]
        cells.append(least(runs, "apply_remote_ms") * 1000 / max(1, runs[0]["updates"]))
        for key in ("encode_v1_min_ms", "decode_v1_min_ms"):
            cells += [pair(runs, key), ratio(rows, row, key)]
        memory = least(runs, "doc_heap_mb") if "doc_heap_mb" in runs[0] else least(runs, "doc_rss_mb")
        lines.append(cells + [f"{runs[0]['v1_bytes']:,}", memory, state_of(rows, row)])
    print(table(head, lines))
    for row, runs in rows.items():
        if (empty := least(runs, "binding_remote_ms")) is not None:
            print(f"\n{row}: of its remote time, as many empty updates take {number(empty)} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common_options(parser)
    parser.add_argument("--traces", type=Path, default=ROOT.parent / "shared/data/editing-traces")
    parser.add_argument("--only", help="names of traces, with commas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", default=sys.executable, help="a Python with pycrdt and loro")
    parser.add_argument("--peers", type=Path, help="a folder with further drivers of the same peers")
    options = parser.parse_args()
    before = machine()
    with Workspace(options.binary) as workspace:
        figures, missing = run(options, workspace)
    for name, rows in figures.items():
        if rows:
            print_trace(name, rows)
    firsts = {row: runs[0] for rows in figures.values() for row, runs in rows.items()}
    versions = [f"{row} {first['version']} {first.get('runtime', '')}".strip() for row, first in firsts.items()]
    print("\nversions: " + "; ".join(versions))
    print(f"machine: {before}, load at the end {os.getloadavg()}")
    for reason in missing:
        print(reason)
    finish(options, {"machine": before, "figures": figures, "missing": missing})
    if any(state_of(rows, row) == DIFFERS for rows in figures.values() for row in rows):
        sys.exit("the state of one of them is not that of Yjs")


if __name__ == "__main__":
    main()
