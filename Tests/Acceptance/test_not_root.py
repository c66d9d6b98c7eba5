"""The process that faces the network is never root."""

from __future__ import annotations

import contextlib
import os
import pwd

import pytest

from harness import processes
from harness.api import Api, accepted_python, bundled_problems
from harness.waiting import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="shows what happens when root starts the server")


def ids(pid: int, field: str) -> list[int]:
    return [int(word) for word in processes.status(pid)[field].split()]


def assert_harmless(pid: int) -> None:
    """Other user and groups than root's, nothing to gain and nothing to read out of its memory."""
    status = processes.status(pid)
    assert 0 not in ids(pid, "Uid"), f"process {pid} has uids {status['Uid']}, expected none of root"
    assert 0 not in ids(pid, "Gid"), f"process {pid} has gids {status['Gid']}, expected none of root"
    assert 0 not in ids(pid, "Groups"), f"process {pid} kept group root: {status['Groups']}"
    for field in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert int(status[field], 16) == 0, f"process {pid}: {field} is {status[field]}, expected 0"
    assert status["NoNewPrivs"].strip() == "1", f"process {pid}: NoNewPrivs {status['NoNewPrivs']}, expected 1"
    # The kernel gives /proc/PID of a process that is not dumpable to root.
    assert os.stat(f"/proc/{pid}/status").st_uid == 0, f"process {pid} is dumpable"


# Boxes that a helper keeps warm at most: six a slot, three slots by default.
WARM_BOXES = 18


def network_sockets() -> set[str]:
    """Every socket of this machine's network, as links in /proc/PID/fd name them."""
    found = set()
    for name, column in (("tcp", 9), ("tcp6", 9), ("udp", 9), ("udp6", 9), ("raw", 9), ("raw6", 9), ("packet", 8)):
        with contextlib.suppress(OSError), open(f"/proc/net/{name}") as table:
            rows = [line.split() for line in table.readlines()[1:]]
            found |= {f"socket:[{row[column]}]" for row in rows if len(row) > column}
    return found


def test_only_the_helper_keeps_root(serve):
    server = serve()
    listeners = processes.listening_pids(server.port)
    assert server.pid in listeners, f"process {server.pid} should hold the port itself; holders: {listeners}"
    family = server.remember_family()
    for pid in listeners:
        assert_harmless(pid)
    privileged = [pid for pid in family if 0 in ids(pid, "Uid")]
    assert privileged, "expected the sandbox helper to keep root"
    for pid in privileged:
        program = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
        assert program == "sandbox-helper", f"process {pid} ({program}) runs as root"
        sockets = [
            link
            for fd in os.listdir(f"/proc/{pid}/fd")
            if (link := os.readlink(f"/proc/{pid}/fd/{fd}")).startswith("socket")
        ]
        # One to the server, and one to the warden of each warm box: nothing that the network reaches.
        assert not set(sockets) & network_sockets(), f"the helper holds a socket of the network: {sockets}"
        assert len(sockets) <= 1 + WARM_BOXES, f"the helper holds {len(sockets)} sockets: {sockets}"
    owners = {os.stat(os.path.join(folder, name)).st_uid for folder, _, names in os.walk(server.data) for name in names}
    assert owners == {ids(server.pid, "Uid")[0]}, f"files in the data folder belong to uids {owners}"
    modes = {
        os.stat(os.path.join(folder, name)).st_mode & 0o007
        for folder, _, names in os.walk(server.data)
        for name in names
    }
    folder_mode = server.data.stat().st_mode & 0o007
    assert folder_mode == 0 or modes == {0}, "others may read what is in the data folder"


def test_it_judges_after_giving_up_root(serve):
    server = serve()
    alice = Api(server).register()
    problem = bundled_problems()[0]
    answer = alice.post(
        f"/v1/problems/{problem}/submissions", {"language": "python", "source": accepted_python(problem)}, expect=202
    )
    found = alice.verdict(answer.json()["id"])
    assert found["verdict"] == "AC", found
    assert_harmless(server.pid)


def test_the_user_can_be_chosen(serve):
    server = serve("--user", "daemon")
    expected = pwd.getpwnam("daemon").pw_uid
    assert set(ids(server.pid, "Uid")) == {expected}, (
        f"uids {ids(server.pid, 'Uid')}, expected those of daemon ({expected})"
    )
    assert_harmless(server.pid)


def test_the_helper_ends_with_the_server(serve):
    server = serve()
    server.kill()
    until("nothing of the killed server is left", lambda: not server.leftovers(), 5)
