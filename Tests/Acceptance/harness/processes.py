"""Reading /proc: descendants, memory, identity and listening sockets of processes."""

from __future__ import annotations

import os
import re
from pathlib import Path


def status(pid: int) -> dict[str, str]:
    """The fields of /proc/PID/status; empty when the process is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return {}
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def start_time(pid: int) -> int:
    """Clock ticks after boot at which the process began, which tells it from a later one of the same number; 0 when gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    except OSError:
        return 0


def descendants(root: int) -> list[int]:
    """`root` and everything below it."""
    children: dict[int, list[int]] = {}
    for pid in all_pids():
        parent = status(pid).get("PPid")
        if parent:
            children.setdefault(int(parent), []).append(pid)
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue += children.get(pid, [])
    return found


def is_running(pid: int) -> bool:
    """True for a process that exists and is no zombie."""
    return status(pid).get("State", "Z").strip()[:1] not in ("Z", "X")


def resident_bytes(pids: list[int]) -> int:
    total = 0
    for pid in pids:
        match = re.match(r"\s*(\d+) kB", status(pid).get("VmRSS", ""))
        total += int(match.group(1)) * 1024 if match else 0
    return total


def listening_pids(port: int) -> list[int]:
    """Processes that hold the listening TCP socket of `port` on any local address."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not os.path.exists(table):
            continue
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    holders = []
    for pid in all_pids():
        try:
            links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        except OSError:
            continue
        if inodes.intersection(links):
            holders.append(pid)
    return holders


def namespace(pid: int, kind: str) -> str:
    """The name of a namespace of the process, "" when it is gone or hidden."""
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}")
    except OSError:
        return ""
