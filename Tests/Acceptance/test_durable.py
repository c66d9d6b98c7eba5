"""Durable means on disk: strace shows the order of write, fdatasync and send."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import processes, wire
from harness.api import Api, bundled_problems, unique
from harness.waiting import until

TRACED = "write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendmmsg,fdatasync,fsync"
ENTRY = re.compile(r"^(\d+)\s+[\d.]+ (\w+)\((.*)$")
RESUMED = re.compile(r"^(\d+)\s+[\d.]+ <\.\.\. (\w+) resumed>")
DESCRIPTOR = re.compile(r"^\d+<(.*?)>(?:[,) ]|$)")


@dataclass
class Call:
    """One system call: lines of the trace where it began and returned, what it was called on, and its arguments."""

    name: str
    began: int
    returned: int | None
    target: str
    arguments: str


def parse(trace: str) -> list[Call]:
    """The trace of one strace is in the order in which calls began and returned."""
    calls: list[Call] = []
    open_calls: dict[tuple[str, str], Call] = {}
    for number, line in enumerate(trace.splitlines()):
        if resumed := RESUMED.match(line):
            call = open_calls.pop((resumed[1], resumed[2]), None)
            if call is not None:
                call.returned = number
                call.arguments += line
        elif entry := ENTRY.match(line):
            target = DESCRIPTOR.match(entry[3])
            call = Call(entry[2], number, number, target[1] if target else "", entry[3])
            calls.append(call)
            if line.endswith("<unfinished ...>"):
                call.returned = None
                open_calls[(entry[1], entry[2])] = call
    return calls


def is_log(call: Call) -> bool:
    return call.target.endswith("-wal") and "write" in call.name


def is_send(call: Call) -> bool:
    return call.target.startswith(("TCP", "socket")) and call.name not in ("fdatasync", "fsync")


def assert_synced_before_sent(calls: list[Call], what: str, stored: str, sent: str) -> None:
    """Between the first write of `stored` to a log and the first send of `sent`, that log's fdatasync began and returned."""
    sends = [call for call in calls if is_send(call) and sent in call.arguments]
    assert sends, f"{what}: no send with {sent!r} in the trace"
    writes = [call for call in calls if is_log(call) and stored in call.arguments and call.began < sends[0].began]
    assert writes, f"{what}: sent in line {sends[0].began}, but {stored!r} was not in a write-ahead log before that"
    write = writes[0]
    syncs = [
        call
        for call in calls
        if call.name in ("fdatasync", "fsync")
        and call.target == write.target
        and call.began > write.returned
        and call.returned is not None
        and call.returned < sends[0].began
    ]
    assert syncs, (
        f"{what}: written to {write.target} in line {write.began} and sent in line {sends[0].began} "
        "without an fdatasync that began and returned in between"
    )


def test_the_parser_sees_a_send_that_overtakes_its_sync():
    good = """\
7  1.0 pwrite64(5</d/log.db-wal>, "..mark..", 8, 0) = 8
7  1.1 fdatasync(5</d/log.db-wal> <unfinished ...>
8  1.2 write(9<TCP:[1]>, "other", 5) = 5
7  1.3 <... fdatasync resumed>) = 0
8  1.4 write(9<TCP:[1]>, "mark", 4) = 4
"""
    assert_synced_before_sent(parse(good), "good", "mark", "mark")
    early = good.replace('"other"', '"mark"')
    with pytest.raises(AssertionError, match="without an fdatasync"):
        assert_synced_before_sent(parse(early), "early", "mark", "mark")


class Trace:
    """strace on every thread of the server."""

    def __init__(self, server, folder: Path):
        self.path = folder / "trace"
        self.process = subprocess.Popen(
            [
                "strace",
                "-f",
                "-ttt",
                "-yy",
                "-s",
                "70000",
                "-e",
                f"trace={TRACED}",
                "-e",
                "signal=none",
                "-o",
                str(self.path),
                "-p",
                str(server.pid),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

        def attached():
            if self.process.poll() is not None:
                pytest.skip(f"strace may not attach here: {self.process.stderr.read()}")
            tasks = os.listdir(f"/proc/{server.pid}/task")
            return all(
                f"TracerPid:\t{self.process.pid}" in Path(f"/proc/{server.pid}/task/{t}/status").read_text()
                for t in tasks
            )

        until("strace is attached to every thread", attached, 20)

    def stop(self) -> list[Call]:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(20)
        return parse(self.path.read_text(errors="replace"))


@pytest.mark.timeout(300)
def test_nothing_leaves_before_its_fdatasync_returned(serve, yjs, tmp_path):
    server = serve("--open-rooms")
    api = Api(server)
    alice = api.register()
    room = alice.make_pair_room(problem_id=bundled_problems()[0])
    free = yjs().open(server.ws + "/sync/open", "durable").synced()
    code = yjs().open_room(server, room["id"], "main", room["sync_token"]).synced()
    chat = yjs().open_room(server, room["id"], "chat", room["sync_token"]).synced()
    assert processes.is_running(server.pid)

    trace = Trace(server, tmp_path)
    try:
        handle = unique("durable")
        api.call(
            "POST",
            "/v1/users",
            expect=201,
            json={"handle": handle, "email": f"{handle}@example.org", "password": "correct horse battery staple"},
        )
        free.insert("markeropenroom", target={"root": "code"})
        until("the echo of the open room", lambda: free.status()["acknowledged"] > 0, 30)
        code.insert("markerpairroom")
        until("the echo of the pair room", lambda: code.status()["acknowledged"] > 0, 30)
        accepted = chat.post_chat("markerchat", nonce="nonceofchat", timeout=30)
        assert accepted["type"] == "chat.accepted", accepted
        until("the chat document has the line", lambda: chat.array("messages"), 30)
        with wire.MultiplexedSocket(server) as multiplexed:
            name = f"{room['id']}/main"
            multiplexed.authenticate(name, room["sync_token"])
            multiplexed.send_to(name, wire.update(wire.text_update(9009, "markerstatus")))
            multiplexed.wait_for("sync status", lambda m: m[1] == wire.SYNC_STATUS, 30)
        submission = alice.submit(room["id"], document="main", state_vector=code.state()["vector"])
        new_room = alice.make_pair_room()
    finally:
        calls = trace.stop()

    assert_synced_before_sent(calls, "answer to POST /users", handle, handle)
    assert_synced_before_sent(calls, "echo in an open room", "markeropenroom", "markeropenroom")
    assert_synced_before_sent(calls, "echo in a pair room", "markerpairroom", "markerpairroom")
    # strace writes bytes that are no text in octal: message type 8, value 1.
    assert_synced_before_sent(calls, "sync status", "markerstatus", f"{room['id']}/main\\10\\1")
    assert_synced_before_sent(calls, "insertion into chat", "markerchat", "markerchat")
    assert_synced_before_sent(calls, "chat.accepted", "markerchat", "nonceofchat")
    assert_synced_before_sent(calls, "answer to POST …/submissions", submission["id"], submission["id"])
    assert_synced_before_sent(calls, "answer to POST /rooms", new_room["id"], new_room["id"])
