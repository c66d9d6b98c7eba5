#!/usr/bin/env python3
"""Rooms under load next to other servers: one run, the servers take turns.

  python Benchmarks/fanout.py --fanout FOLDER [--rounds 3] [--seconds 8] [--only battle] [--grow PLOTS]

FOLDER holds the load generator (fanout.c) and the relay that keeps no document (relay.c). Peers: y-websocket-server,
and with --pycrdt PYTHON (an interpreter that has pycrdt-websocket and uvicorn) pycrdt-websocket. Coduel serves open
rooms with its log on disk, the peers keep nothing.

`--grow PLOTS` measures instead how cost grows from 10 to 5,000 watchers and from 1 to 2,000 rooms, and draws it as
SVG in that folder. `--realtime` runs server and generator under SCHED_RR (as root), where other work disturbs.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import plot
from harness import Process, Server, Workspace, add_common_options, busy_share, finish, machine, median, table
from spectators import NODE_MODULES, Listening, compiled, free_port

CASES = ["battle-1000", "saturate-fanout", "rooms-500", "saturate-rooms", "idle-10k", "idle-10k-rooms"]
WATCHERS = [10, 30, 100, 300, 1_000, 2_000, 5_000]
ROOMS = [1, 10, 100, 500, 1_000, 2_000]
RUN_SECONDS = 240
RELAY_WINDOW_US = "2000"


class Bench:
    def __init__(self, options: argparse.Namespace, workspace: Workspace):
        self.options, self.workspace = options, workspace
        self.generator = compiled(options.fanout / "fanout.c", workspace.folder)
        self.relay = compiled(options.fanout / "relay.c", workspace.folder)

    # Servers

    def coduel(self, arguments: list[str]) -> dict:
        with Server(self.workspace, "--open-rooms") as server:
            return self.load(server, f"ws://127.0.0.1:{server.port}/sync/open", arguments)

    def y_websocket(self, arguments: list[str]) -> dict:
        with Listening(["y-websocket-server"], self.workspace, re.compile("running at")) as (server, port):
            return self.load(server, f"ws://127.0.0.1:{port}", arguments)

    def pycrdt(self, arguments: list[str]) -> dict:
        port = free_port()
        command = [str(self.options.pycrdt), str(self.options.fanout / "peer_pycrdt_websocket.py"), str(port)]
        with Process(command, self.workspace.folder / "pycrdt.log") as server:
            time.sleep(2)
            return self.load(server, f"ws://127.0.0.1:{port}", [*arguments, "--open-first", "1"])

    def relay_of(self, *flags: str) -> Callable[[list[str]], dict]:
        def run(arguments: list[str]) -> dict:
            port = free_port()
            with Process([str(self.relay), str(port), *flags], self.workspace.folder / "relay.log") as server:
                time.sleep(0.5)
                return self.load(server, f"ws://127.0.0.1:{port}", [*arguments, "--verify", "0"])

        return run

    def servers(self, case: str) -> dict[str, Callable[[list[str]], dict]]:
        found: dict[str, Callable[[list[str]], dict]] = {"coduel": self.coduel}
        if shutil.which("y-websocket-server"):
            found["y-websocket-server"] = self.y_websocket
        if self.options.pycrdt and case in ("battle-1000", "rooms-500"):
            found["pycrdt-websocket"] = self.pycrdt
        if case == "battle-1000":
            found["relay in C, two threads"] = self.relay_of("2")
        if case == "saturate-fanout":
            found["relay in C, two threads, batching"] = self.relay_of("2", RELAY_WINDOW_US)
        return found

    # Load

    def load(self, server: Process, url: str, arguments: list[str]) -> dict:
        command = [str(self.generator), "--url", url, "--server-pid", str(server.pid), *arguments]
        if self.options.realtime:
            subprocess.run(["chrt", "--all-tasks", "--rr", "--pid", "5", str(server.pid)], check=True)
            command = ["chrt", "--rr", "5", *command]
        mark = busy_share()
        done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS)
        if done.returncode != 0:
            raise RuntimeError(f"fanout ended with {done.returncode}: {done.stderr[-500:]} {done.stdout[-500:]}")
        return json.loads(done.stdout) | {"busy": busy_share(mark)}

    def arguments(self, case: str) -> list[str]:
        return ["--case", case] + ([] if case.startswith("idle") else ["--duration", str(self.options.seconds)])


def row(name: str, runs: list[dict]) -> list[object]:
    """Medians of the rounds."""

    def mid(*keys: str) -> float | None:
        values = []
        for run in runs:
            value = run
            for key in keys:
                value = (value or {}).get(key)
            values.append(value)
        return None if None in values else median(values)

    measured = lambda key: mid("measured", key)  # noqa: E731
    return [
        name, measured("server_cpu_us_per_delivery"), measured("server_cpu_us_per_message"),
        measured("edits_per_s"), measured("deliveries_per_s"), mid("delivery_ms", "p50"), mid("delivery_ms", "p99"),
        measured("server_cpu_share"), measured("loadgen_cpu_share"), mid("join_ms", "p50"),
        mid("server_rss_mb", "kb_per_connection"),
    ]  # fmt: skip


HEAD = ["", "CPU µs a delivery", "CPU µs a message", "edits/s", "deliveries/s", "p50 ms", "p99 ms"]
HEAD += ["server cores", "generator cores", "join p50 ms", "KiB a connection"]


def compare(bench: Bench) -> dict:
    figures: dict[str, dict[str, list[dict]]] = {}
    for turn in range(bench.options.rounds):
        for case in CASES:
            if bench.options.only and bench.options.only not in case:
                continue
            for name, run in bench.servers(case).items():
                figures.setdefault(case, {}).setdefault(name, []).append(run(bench.arguments(case)))
                print(f"round {turn + 1} of {bench.options.rounds}: {case}, {name}", file=sys.stderr)
    for case, servers in figures.items():
        print(f"\n### {case}\n")
        print(table(HEAD, [row(name, runs) for name, runs in servers.items()]))
    return figures


def grow(bench: Bench) -> dict:
    """How cost grows with watchers of one room, and with rooms of two writers."""
    options = bench.options
    shapes = {
        "watchers": (WATCHERS, lambda n: ["--case", "battle-1000", "--watchers", str(n)]),
        "rooms": (ROOMS, lambda n: ["--case", "rooms-500", "--rooms", str(n), "--rate", str(min(5, 5_000 / n / 2))]),
    }
    figures: dict[str, dict[str, list[dict]]] = {}
    for shape, (numbers, arguments) in shapes.items():
        servers = {"coduel": bench.coduel}
        if shutil.which("y-websocket-server"):
            servers["y-websocket-server"] = bench.y_websocket
        for number in numbers:
            for name, run in servers.items():
                got = run([*arguments(number), "--duration", str(options.seconds)])
                figures.setdefault(shape, {}).setdefault(name, []).append({"n": number} | got)
                print(f"{shape} {number}: {name}", file=sys.stderr)
        print(f"\n### {shape}\n")
        rows = [row(f"{name}, {run['n']:,}", [run]) for name, runs in figures[shape].items() for run in runs]
        print(table(HEAD, rows))
        options.grow.mkdir(parents=True, exist_ok=True)
        unit = "delivery" if shape == "watchers" else "message"
        key = f"server_cpu_us_per_{unit}"
        for file, title, value in [
            (f"{shape}-cpu", f"CPU µs a {unit}", lambda run: run["measured"][key]),
            (f"{shape}-p99", "p99 ms", lambda run: run["delivery_ms"]["p99"]),
        ]:
            lines = {name: [(run["n"], value(run)) for run in runs] for name, runs in figures[shape].items()}
            (options.grow / f"{file}.svg").write_text(plot.lines(f"{title} by {shape}", shape, title, lines))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common_options(parser)
    parser.add_argument("--fanout", type=Path, required=True, help="a folder with fanout.c and relay.c")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--only", help="only cases whose name holds this")
    parser.add_argument("--pycrdt", type=Path, help="a Python that has pycrdt-websocket and uvicorn")
    parser.add_argument("--grow", type=Path, metavar="PLOTS", help="measure growth, write plots to this folder")
    parser.add_argument("--realtime", action="store_true", help="server and generator under SCHED_RR")
    options = parser.parse_args()
    if not 1 <= options.seconds <= 60:
        parser.error("--seconds is 1 to 60")
    os.environ.setdefault("NODE_PATH", NODE_MODULES)
    before = machine()
    with Workspace(options.binary) as workspace:
        bench = Bench(options, workspace)
        figures = grow(bench) if options.grow else compare(bench)
    print(f"\nmachine: {before}, load at the end {os.getloadavg()}")
    finish(options, {"machine": before, "figures": figures})


if __name__ == "__main__":
    main()
