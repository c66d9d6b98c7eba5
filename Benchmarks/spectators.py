#!/usr/bin/env python3
"""From an edit to 1,000 spectators: a public pair room, an open room, and y-websocket-server beside it.

  python Benchmarks/spectators.py [--watchers 1000] [--rounds 3] [--seconds 15] [--fanout FOLDER]

Two writers make 5 edits a second each; watchers only read. `pair room` is the real thing: accounts, an invitation, a
guest with a sync token of its own behind every watcher. `open room` (`serve --open-rooms`) is what can be set beside
y-websocket-server, which knows no accounts. Rounds take turns; each run has a new server and data folder. Everything
is on 127.0.0.1.

The load comes from clients/spectators.c. Where a folder of the fanout load generator is given, its case battle-1000
runs too, against both servers and against its relay, which keeps no document.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from harness import (
    Client,
    Process,
    Server,
    Workspace,
    add_common_options,
    busy_share,
    finish,
    machine,
    median,
    number,
    quantile,
    table,
)

HERE = Path(__file__).resolve().parent
WRITERS = 2
EDITS_PER_SECOND = 5
WARMUP_SECONDS = 2
MAXIMUM_WATCHERS = 10_000
RUN_SECONDS = 240
COMMITS = 100
NO_LIMITS = "guests=100000/1,writes=100000/1,reads=100000/1,registrations=1000/1,logins=1000/1"
MEMORY = Path("/dev/shm")
NODE_MODULES = "/usr/share/nodejs"


def compiled(source: Path, folder: Path) -> Path:
    program = folder / source.stem
    subprocess.run(["cc", "-O2", "-o", str(program), str(source), "-lm", "-pthread"], check=True)
    return program


def commit_times(folder: Path) -> list[float]:
    """What one small appended write and fdatasync takes on the disk of the data folders, ms."""
    times = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(COMMITS):
            start = time.perf_counter()
            os.write(file.fileno(), b"x" * 4096)
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - start) * 1000)
            time.sleep(0.02)
    return times


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Bench:
    def __init__(self, options: argparse.Namespace, workspace: Workspace):
        self.options, self.workspace = options, workspace
        self.client = compiled(HERE / "clients/spectators.c", workspace.folder)
        self.fanout = self.relay = None
        if options.fanout:
            self.fanout = compiled(options.fanout / "fanout.c", workspace.folder)
            if (options.fanout / "relay.c").exists():
                self.relay = compiled(options.fanout / "relay.c", workspace.folder)

    # Servers and rooms

    def pair_room(self, server: Server) -> list[str]:
        """Makes a public room with two participants; the lines of its sockets."""
        owner, guest = Client.registered(server.port), Client.registered(server.port)
        room = owner.call("POST", "/rooms", {"kind": "pair", "visibility": "public", "language": "python"})["id"]
        code = owner.call("POST", f"/rooms/{room}/invites", {})["code"]
        guest.call("POST", f"/invites/{code}/accept", {})

        def line(kind: str, person: Client) -> str:
            token = person.call("POST", f"/rooms/{room}/sync-tokens", {})["sync_token"]
            return f"{kind} /sync/{room}/main?token={token}"

        lines = [line("w", owner), line("w", guest)]
        for _ in range(self.options.watchers):
            watcher = Client.guest(server.port)
            lines.append(line("r", watcher))
            watcher.close()
        return lines

    def coduel_pair(self, data: Path | None = None) -> dict:
        with Server(self.workspace, "--rate-limits", NO_LIMITS, data=data) as server:
            return self.load(server, server.port, self.pair_room(server))

    def coduel_pair_in_memory(self) -> dict:
        folder = Path(tempfile.mkdtemp(prefix="coduel-bench-", dir=MEMORY))
        folder.chmod(0o755)
        try:
            return self.coduel_pair(folder / "data")
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def coduel_open(self) -> dict:
        with Server(self.workspace, "--open-rooms") as server:
            return self.load(server, server.port, self.open_room("/sync/open/bench"))

    def y_websocket(self) -> dict:
        with self.y_websocket_server() as (server, port):
            return self.load(server, port, self.open_room("/bench"))

    def open_room(self, path: str) -> list[str]:
        return [f"w {path}"] * WRITERS + [f"r {path}"] * self.options.watchers

    def y_websocket_server(self) -> Listening:
        return Listening(["y-websocket-server"], self.workspace, re.compile("running at"))

    # Load

    def load(self, server: Process, port: int, lines: list[str]) -> dict:
        command = [str(self.client), "--port", str(port), "--pid", str(server.pid), "--rate", str(EDITS_PER_SECOND)]
        command += ["--warmup", str(WARMUP_SECONDS), "--seconds", str(self.options.seconds)]
        mark = busy_share()
        done = subprocess.run(
            command, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=RUN_SECONDS
        )
        if not done.stdout:
            log = server.log.read_text(errors="replace")[-500:]
            raise RuntimeError(f"{done.stderr.strip()}; log of the server: {log}")
        figures = json.loads(done.stdout)
        if figures["missing"] or figures["closed"]:
            raise RuntimeError(f"edits are missing or sockets were closed: {figures}")
        return {
            "edit": figures["delivery_ms"],
            "echo": figures["echo_ms"],
            "all": figures["edit_reaches_all_ms"],
            "join": figures["join_ms"],
            "cpu_us": figures["server_cpu_us_per_delivery"],
            "system_share": figures["server_system_s"] / max(0.01, figures["server_cpu_s"]),
            "cpu_share": figures["server_cpu_share"],
            "client_share": figures["client_cpu_share"],
            "join_us": figures["join_cpu_us_each"],
            "mb": figures["server_mb"]["end"],
            "busy": busy_share(mark),
        }

    def battle(self, server: Process, url: str, *more: str) -> dict:
        """Case battle-1000 of the fanout load generator."""
        command = [str(self.fanout), "--url", url, "--case", "battle-1000", "--server-pid", str(server.pid)]
        command += ["--watchers", str(self.options.watchers), "--duration", str(self.options.seconds)]
        mark = busy_share()
        done = subprocess.run([*command, *more], capture_output=True, text=True, timeout=RUN_SECONDS)
        if done.returncode != 0:
            raise RuntimeError(f"fanout ended with {done.returncode}: {done.stderr[-500:]} {done.stdout[-500:]}")
        figures = json.loads(done.stdout)
        run = figures["measured"]
        return {
            "edit": figures["delivery_ms"],
            "echo": None,
            "all": figures["edit_reaches_all_ms"],
            "join": figures["join_ms"],
            "cpu_us": run["server_cpu_us_per_delivery"],
            "system_share": run["server_sys_s"] / max(0.01, run["server_cpu_s"]),
            "cpu_share": run["server_cpu_share"],
            "client_share": run["loadgen_cpu_share"],
            "join_us": figures["connect"]["server_cpu_us_per_join"],
            "mb": figures["server_rss_mb"]["after_load"],
            "busy": busy_share(mark),
        }

    def battle_coduel(self) -> dict:
        with Server(self.workspace, "--open-rooms") as server:
            return self.battle(server, f"ws://127.0.0.1:{server.port}/sync/open")

    def battle_y_websocket(self) -> dict:
        with self.y_websocket_server() as (server, port):
            return self.battle(server, f"ws://127.0.0.1:{port}")

    def battle_relay(self) -> dict:
        port = free_port()
        with Process([str(self.relay), str(port), "1"], self.workspace.folder / "relay.log") as server:
            time.sleep(0.5)
            return self.battle(server, f"ws://127.0.0.1:{port}", "--verify", "0")

    def cases(self) -> dict[str, Callable[[], dict]]:
        found: dict[str, Callable[[], dict]] = {
            "coduel, pair room": self.coduel_pair,
            "coduel, open room": self.coduel_open,
        }
        if shutil.which("y-websocket-server"):
            found["y-websocket-server"] = self.y_websocket
        if MEMORY.is_dir():
            found["coduel, pair room, data in memory"] = self.coduel_pair_in_memory
        if self.fanout:
            found["battle-1000: coduel, open room"] = self.battle_coduel
            if shutil.which("y-websocket-server"):
                found["battle-1000: y-websocket-server"] = self.battle_y_websocket
        if self.relay:
            found["battle-1000: relay in C"] = self.battle_relay
        only = self.options.only
        return {name: case for name, case in found.items() if not only or only in name}


class Listening:
    """A peer that takes HOST and PORT from its environment; `with` gives its process and port."""

    def __init__(self, command: list[str], workspace: Workspace, ready: re.Pattern[str]):
        self.port = free_port()
        environment = {"NODE_PATH": NODE_MODULES} | os.environ | {"HOST": "127.0.0.1", "PORT": str(self.port)}
        self.process = Process(command, workspace.folder / "peer.log", environment)
        self.ready = ready

    def __enter__(self) -> tuple[Process, int]:
        try:
            self.process.wait_line(self.ready)
        except RuntimeError:
            self.process.stop()
            raise
        return self.process, self.port

    def __exit__(self, *_) -> None:
        self.process.stop()


def print_figures(figures: dict[str, list[dict]]) -> None:
    head = [
        "",
        "edit p50 ms",
        "p99 ms",
        "max ms",
        "last watcher p50 ms",
        "echo p50 ms",
        "CPU µs a delivery",
        "of it kernel",
    ]
    head += ["server CPU", "client CPU", "CPU µs a join", "MB"]
    rows: list[list[object]] = []
    for name, runs in figures.items():

        def mid(*keys: str) -> float | None:
            values = []
            for run in runs:
                value = run
                for key in keys:
                    value = value[key] if value is not None else None
                values.append(value)
            return None if None in values else median(values)

        rows.append([
            name, mid("edit", "p50"), mid("edit", "p99"), max(run["edit"]["max"] for run in runs), mid("all", "p50"),
            mid("echo", "p50"), mid("cpu_us"), f"{mid('system_share'):.0%}", f"{mid('cpu_share'):.0%}",
            f"{mid('client_share'):.0%}", mid("join_us"), mid("mb"),
        ])  # fmt: skip
    print(table(head, rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common_options(parser)
    parser.add_argument("--watchers", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--only", help="only cases whose name holds this")
    parser.add_argument("--fanout", type=Path, help="a folder with fanout.c, and relay.c")
    options = parser.parse_args()
    if not 1 <= options.watchers <= MAXIMUM_WATCHERS or not 1 <= options.seconds <= 120:
        parser.error(f"--watchers is 1 to {MAXIMUM_WATCHERS}, --seconds 1 to 120")
    before = machine()
    figures: dict[str, list[dict]] = {}
    commits: list[float] = []
    with Workspace(options.binary) as workspace:
        bench = Bench(options, workspace)
        for turn in range(options.rounds):
            commits += commit_times(workspace.folder)
            for name, case in bench.cases().items():
                figures.setdefault(name, []).append(case())
                print(f"round {turn + 1} of {options.rounds}: {name}", file=sys.stderr)
    print(
        f"\n{options.watchers:,} watchers, {WRITERS} writers at {EDITS_PER_SECOND} edits/s, {options.rounds} rounds of "
        f"{options.seconds:g} s; medians of the rounds, max of all\n"
    )
    print_figures(figures)
    busy = [run["busy"] for runs in figures.values() for run in runs]
    middle, late = number(median(commits)), number(quantile(commits, 0.99))
    print(f"\na 4 KiB write and fdatasync there: p50 {middle} ms, p99 {late} ms")
    print(f"machine: {before}, load at the end {os.getloadavg()}, all cores {min(busy):.0%} to {max(busy):.0%} busy")
    finish(options, {"machine": before, "figures": figures, "commit_ms": commits})


if __name__ == "__main__":
    main()
