"""What the benchmarks share: a copy of the binary, a server on a temporary folder, HTTP, figures, the machine."""

from __future__ import annotations

import argparse
import http.client
import json
import math
import os
import platform
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")
START_SECONDS = 30
STOP_SECONDS = 15
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def add_common_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--binary", type=Path, default=ROOT / ".build/release/coduel", help="default: .build/release/coduel"
    )
    parser.add_argument("--json", type=Path, help="write all figures to this file")


class Workspace:
    """A temporary folder with a copy of the binary and the sandbox helper, so that a build may go on meanwhile."""

    def __init__(self, binary: Path):
        if not binary.exists():
            sys.exit(f"{binary} does not exist: run `swift build -c release` first, or give --binary")
        self.folder = Path(tempfile.mkdtemp(prefix="coduel-bench-"))
        self.folder.chmod(0o755)
        self.binary = self._copy(binary)
        helper = binary.with_name("sandbox-helper")
        self.helper = self._copy(helper) if helper.exists() else None

    def _copy(self, file: Path) -> Path:
        return Path(shutil.copy2(file, self.folder / file.name))

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class Process:
    """A process that the benchmark started, its CPU time and memory from /proc."""

    def __init__(self, command: list[str], log: Path, env: dict[str, str] | None = None):
        self.log = log
        with log.open("wb") as output:
            self.child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=env, cwd=ROOT
            )

    @property
    def pid(self) -> int:
        return self.child.pid

    def wait_line(self, pattern: re.Pattern[str]) -> re.Match[str]:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            text = self.log.read_text(errors="replace")
            if found := pattern.search(text):
                return found
            if self.child.poll() is not None:
                raise RuntimeError(f"the process ended with {self.child.returncode}:\n{text[-2000:]}")
            time.sleep(0.02)
        raise RuntimeError(f"no line like {pattern.pattern!r} within {START_SECONDS} s")

    def cpu_seconds(self) -> tuple[float, float]:
        """User and system time so far, in steps of a clock tick (10 ms)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) / CLOCK_TICKS, int(fields[12]) / CLOCK_TICKS

    def resident_mb(self) -> float:
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1048576

    def stop(self) -> None:
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.stop()


class Server(Process):
    """`coduel serve` on a free port of 127.0.0.1 and a new data folder."""

    def __init__(self, workspace: Workspace, *flags: str, problems: Path | None = None, data: Path | None = None):
        self.folder = Path(tempfile.mkdtemp(prefix="run-", dir=workspace.folder))
        self.folder.chmod(0o755)
        self.data = data or self.folder / "data"
        self.data.mkdir()
        command = [str(workspace.binary), "serve", "--listen", "127.0.0.1:0", "--data", str(self.data)]
        command += ["--problems", str(problems or ROOT / "fixtures/problems"), "--log-level", "warning"]
        if (ROOT / "web/dist").is_dir():
            command += ["--web", str(ROOT / "web/dist")]
        if workspace.helper is not None:
            command += ["--sandbox-helper", str(workspace.helper)]
        clean = {key: value for key, value in os.environ.items() if not key.startswith("CODUEL_")}
        super().__init__(command + list(flags), self.folder / "log", clean)
        try:
            self.port = int(self.wait_line(LISTENING).group(1))
        except RuntimeError:
            self.stop()
            raise


class Client:
    """One connection to the HTTP interface, as one person."""

    def __init__(self, port: int, token: str | None = None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.port, self.token = port, token

    def call(self, method: str, path: str, body: object | None = None) -> dict:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        try:
            self.connection.request(method, "/api/v1" + path, data, headers)
            answer = self.connection.getresponse()
        except http.client.RemoteDisconnected:
            # The server closes what was idle for a minute.
            self.connection.close()
            self.connection.request(method, "/api/v1" + path, data, headers)
            answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {text[:300]!r}")
        return json.loads(text) if text else {}

    @classmethod
    def registered(cls, port: int) -> Client:
        handle, password = "bench" + secrets.token_hex(4), secrets.token_hex(12)
        client = cls(port)
        client.call("POST", "/users", {"handle": handle, "email": f"{handle}@example.org", "password": password})
        client.token = client.call("POST", "/sessions", {"login": handle, "password": password})["access_token"]
        return client

    @classmethod
    def guest(cls, port: int) -> Client:
        client = cls(port)
        client.token = client.call("POST", "/sessions/guest", {})["access_token"]
        return client

    def close(self) -> None:
        self.connection.close()


def quantile(values: list[float], share: float) -> float:
    """The least value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(values: list[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def number(value: float | None) -> str:
    """Three significant digits, or all before the point."""
    if value is None:
        return "-"
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def table(head: list[str], rows: list[list[object]]) -> str:
    """A Markdown table: the first column to the left, numbers to the right."""
    cells = [[cell if isinstance(cell, str) else number(cell) for cell in row] for row in rows]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "--:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in cells])


def machine() -> dict:
    """What the figures were taken on, and how busy it was."""
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    return {
        "cores": os.cpu_count(),
        "processor": model.group(1) if model else platform.machine(),
        "memory_gib": round(int(memory.group(1)) / 1048576, 1) if memory else None,
        "kernel": platform.release(),
        "load": [round(load, 2) for load in os.getloadavg()],
    }


def busy_share(since: tuple[int, int] | None = None) -> tuple[int, int] | float:
    """Without an argument a mark; with one, the share of all cores' time since it that anyone used."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle, total = fields[3] + fields[4], sum(fields)
    if since is None:
        return idle, total
    return 1 - (idle - since[0]) / max(1, total - since[1])


def finish(options: argparse.Namespace, figures: dict) -> None:
    """Writes the figures where `--json` says."""
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
