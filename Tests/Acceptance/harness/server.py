"""The server under test: the real release binary, started, killed and started again."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from harness import processes
from harness.waiting import until

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("CODUEL_BINARY", ROOT / ".build/release/coduel"))
LISTENING = re.compile(r"coduel listening on http://([^\s:]+|\[[^\]]+\]):(\d+)")


def environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """Ours without any CODUEL_ variable, so that a run depends on nothing but its flags."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("CODUEL_")}
    return clean | (extra or {})


def coduel(*arguments: str, stdin: str | bytes = "", timeout: float = 60, cwd: Path | None = None):
    """Runs one command of the binary to its end; output is text."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [str(BINARY), *map(str, arguments)],
        input=data,
        capture_output=True,
        timeout=timeout,
        env=environment(),
        cwd=cwd,
    )
    done.stdout, done.stderr = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    return done


class Server:
    """`coduel serve` on a free loopback port with a data folder of its own.

    The folder is readable by every user, since the server gives up root. `stop`, `kill` and `start` may follow each other:
    the port and the data stay.
    """

    running: list["Server"] = []

    def __init__(self, *flags: str, env: dict[str, str] | None = None):
        self.folder = Path(tempfile.mkdtemp(prefix="coduel-acceptance-"))
        self.folder.chmod(0o755)
        self.data = self.folder / "data"
        self.data.mkdir()
        self.log_path = self.folder / "server.log"
        self.flags = flags
        self.env = env or {}
        self.host, self.port = "127.0.0.1", 0
        self.process: subprocess.Popen | None = None
        self.family: dict[int, int] = {}

    @property
    def http(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None, "the server has not been started"
        return self.process.pid

    def start(self, timeout: float = 30) -> "Server":
        offset = self.log_path.stat().st_size if self.log_path.exists() else 0
        command = [str(BINARY), "serve", "--listen", f"{self.host}:{self.port}", "--data", str(self.data), *self.flags]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment(self.env),
                cwd=ROOT,
                start_new_session=True,
            )
        if self not in Server.running:
            Server.running.append(self)

        def ready():
            match = LISTENING.search(self.log()[offset:])
            if match is None and self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode} at the start:\n{self.tail()}")
            return match

        match = until(f"the line `coduel listening on http://HOST:PORT` from {' '.join(command)}", ready, timeout)
        self.port = int(match.group(2))
        return self

    def remember_family(self) -> list[int]:
        """Notes the processes below the server, so that none can outlive the test unseen; returns them."""
        pids = processes.descendants(self.pid)
        self.family.update({pid: processes.start_time(pid) for pid in pids})
        return pids

    def leftovers(self) -> list[int]:
        """Processes noted as the server's that still run after its end."""
        return [
            pid
            for pid, begun in self.family.items()
            if processes.is_running(pid) and processes.start_time(pid) == begun
        ]

    def kill(self) -> None:
        """SIGKILL, as a crash; waits until the process is gone and its port free, not for its helper."""
        self.remember_family()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        until("nobody listens on the port of the killed server", lambda: not processes.listening_pids(self.port))

    def stop(self, timeout: float = 15) -> int:
        """SIGTERM; returns the exit code."""
        self.remember_family()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def restart(self) -> "Server":
        """kill -9 and a new start on the same data and port."""
        self.kill()
        return self.start()

    def close(self) -> None:
        """Ends everything this server started and removes its data."""
        if self.process is not None and self.process.poll() is None:
            self.remember_family()
            self.process.kill()
            self.process.wait(10)
        deadline = time.monotonic() + 3
        while self.leftovers() and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in self.leftovers():
            os.kill(pid, signal.SIGKILL)
        if self in Server.running:
            Server.running.remove(self)
        shutil.rmtree(self.folder, ignore_errors=True)

    def resident_bytes(self) -> int:
        """Memory of the server and its children now."""
        return processes.resident_bytes(processes.descendants(self.pid))

    def assert_alive(self) -> None:
        """The process that was started still runs and answers."""
        import httpx

        assert self.process.poll() is None, f"the server ended with {self.process.returncode}:\n{self.tail()}"
        answer = httpx.get(self.http + "/healthz", timeout=10, trust_env=False)
        assert answer.status_code == 200, f"GET /healthz answered {answer.status_code}, expected 200"

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def tail(self, lines: int = 60) -> str:
        return "\n".join(self.log().splitlines()[-lines:])
