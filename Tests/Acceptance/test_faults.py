"""The server dies, its power goes, its disk fills or fails: what was acknowledged is there, and what is not is said."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
from pycrdt import Doc
from websockets.exceptions import ConnectionClosed

from harness import wire
from harness.api import PASSWORD, Api, assert_problem, bundled_problems
from harness.faults import FaultyDisk, SmallDisk
from harness.peers import CLIENTS
from harness.waiting import SCALE, until

ROUNDS = 200 if SCALE >= 10 else 8
SEED = 20_241


@pytest.fixture
def faulty_disk():
    disk = FaultyDisk()
    yield disk
    disk.close()


@pytest.fixture
def small_disk():
    disk = SmallDisk("--open-rooms")
    yield disk
    disk.close()


def metric(server, name: str) -> float:
    """The sum of a metric over its labels; 0 where it is not there."""
    lines = Api(server).call("GET", "/metrics", expect=200).text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name)


# Crashes


class Load:
    """The clients of one round, in a process of their own, and what they were told."""

    def __init__(self, server, seed: int, open_names: list[str], rooms: list[tuple[str, str]]):
        self.told: list[dict] = []
        self.process = subprocess.Popen(
            [sys.executable, str(CLIENTS / "load_writer.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        config = {"http": server.http, "ws": server.ws, "seed": seed, "open": open_names, "rooms": rooms}
        self.process.stdin.write((json.dumps(config) + "\n").encode())
        self.process.stdin.flush()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            # A line that was torn by the kill was told to nobody.
            if line.endswith(b"\n"):
                self.told.append(json.loads(line))

    def kill(self) -> None:
        self.process.kill()

    def finish(self) -> list[dict]:
        self.process.wait(10)
        self.reader.join(10)
        return self.told


class Promises:
    """All that was acknowledged, over all rounds."""

    def __init__(self):
        self.clocks: dict[str, dict[int, int]] = {}
        self.count: dict[str, int] = {}
        self.chat: dict[str, set[str]] = {}
        self.users: list[str] = []

    def add(self, told: list[dict]) -> None:
        self.chat, self.users = {}, []
        for each in told:
            self.count[each["by"]] = self.count.get(each["by"], 0) + 1
            if each["kind"] == "clock":
                clocks = self.clocks.setdefault(each["document"], {})
                clocks[each["client"]] = max(clocks.get(each["client"], 0), each["clock"])
            elif each["kind"] == "chat":
                self.chat.setdefault(each["room"], set()).add(each["id"])
            else:
                self.users.append(each["handle"])

    def check(self, server, tokens: dict[str, str]) -> None:
        for document, clocks in self.clocks.items():
            room = document.removesuffix("/main")
            with wire.RawSocket(server, f"/sync/{document}", tokens.get(room)) as socket:
                doc = Doc()
                doc.apply_update(socket.wait_synced())
            have = states(doc.get_state())
            for client, clock in clocks.items():
                assert have.get(client, 0) >= clock, (
                    f"{document}: {clock} of client {client} was acknowledged, {have.get(client, 0)} is there"
                )
        for room, ids in self.chat.items():
            with wire.room_socket(server, room, "chat", tokens[room]) as socket:
                data = socket.wait_synced()
            assert all(each.encode() in data for each in ids), f"chat lines of {room} are lost"
        for handle in self.users[-1:]:
            body = {"login": handle, "password": PASSWORD}
            answer = Api(server).call("POST", "/v1/sessions", json=body)
            assert answer.status_code in (201, 429), f"account {handle} is lost: {answer.text}"


def wait_settled(server) -> None:
    """Until every record is in its room's place of the log, where these tests damage it."""

    def waiting() -> int:
        with sqlite3.connect(server.data / "log.db") as log:
            count = log.execute("SELECT count(*) FROM journal").fetchone()[0]
        log.close()
        return count

    until("the journal is settled", lambda: waiting() == 0, 20)


def states(vector: bytes) -> dict[int, int]:
    count, at = wire.read_var_uint(vector, 0)
    found = {}
    for _ in range(count):
        client, at = wire.read_var_uint(vector, at)
        found[client], at = wire.read_var_uint(vector, at)
    return found


@pytest.mark.timeout(60 + ROUNDS * 30)
def test_nothing_acknowledged_is_lost_when_everything_dies(serve, faulty_disk):
    """kill -9 of the server and of every client at a random moment; every other time the power goes with them."""
    numbers = random.Random(SEED)
    server = serve("--open-rooms", env=faulty_disk.env)
    faulty_disk.begin("slow-sync")
    api = Api(server)
    alice = api.register()
    made = [alice.make_pair_room() for _ in range(2)]
    rooms = [(room["id"], room["sync_token"]) for room in made]
    promises, undone = Promises(), 0
    for round_number in range(ROUNDS):
        names = [f"load-{round_number // 20}-{each}" for each in range(3)]
        load = Load(server, SEED + 1_000 * round_number, names, rooms)
        until("something was acknowledged", lambda: load.told or load.process.poll() is not None, 30)
        time.sleep(numbers.uniform(0, 1.0))
        # A server that outlives its clients by a moment has synced everything before the power goes.
        for victim in (server, load) if round_number % 2 else (load, server):
            victim.kill()
        told = load.finish()
        assert told, "the clients ended without a word"
        promises.add(told)
        if round_number % 2:
            undone += faulty_disk.cut_power(server.data, numbers)
        server.start()
        try:
            promises.check(server, dict(rooms))
        except AssertionError as failure:
            raise AssertionError(f"round {round_number} of {ROUNDS}, seed {SEED}: {failure}") from None
    assert metric(server, "coduel_log_lost_records_total") == 0, "a crash must not damage records"
    print(f"{ROUNDS} rounds; acknowledged: {promises.count}; writes that the power cuts took: {undone}")
    assert {"echo", "status", "HTTP", "chat.accepted"} <= promises.count.keys(), promises.count
    assert undone > 0, "the power cuts took nothing: the journal of unsynced writes does not work"


COUNTING = """
import os, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA journal_mode = WAL")
database.execute(f"PRAGMA synchronous = {sys.argv[2]}")
database.execute("CREATE TABLE IF NOT EXISTS numbers (number INTEGER PRIMARY KEY, filler BLOB)")
for number in range(1, 1_000_000):
    database.execute("INSERT INTO numbers VALUES (?, ?)", (number, os.urandom(2_000)))
    os.write(1, b"%d\\n" % number)
"""


@pytest.mark.parametrize("synchronous", ["FULL", "NORMAL"])
def test_the_faulty_disk_forgets_what_was_not_synced(faulty_disk, tmp_path, synchronous):
    """SQLite as we set it keeps what it committed; as it is set by default beside a write-ahead log, it does not."""
    command = [sys.executable, "-c", COUNTING, str(tmp_path / "log.db"), synchronous]
    counting = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | faulty_disk.env)
    for _ in range(50):
        counting.stdout.readline()
    counting.kill()
    told = 50 + len(counting.stdout.read().split(b"\n")) - 1
    counting.wait(10)
    assert faulty_disk.cut_power(tmp_path, random.Random(SEED), everything=True) > 0 or synchronous == "FULL"
    with sqlite3.connect(tmp_path / "log.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        kept = database.execute("SELECT count(*) FROM numbers").fetchone()[0] if tables else 0
    database.close()
    assert kept >= told if synchronous == "FULL" else kept < told


# A full disk


@pytest.mark.timeout(120)
def test_a_full_disk_makes_rooms_read_only_until_there_is_space(small_disk, yjs):
    server = small_disk.server.start()
    api = Api(server)
    alice = api.register()
    room = alice.make_pair_room(problem_id=bundled_problems()[0])
    code = yjs().open_room(server, room["id"], "main", room["sync_token"]).synced()
    code.insert("before ")
    until("it is on disk", lambda: code.status()["acknowledged"] > 0)
    with wire.open_socket(server, "full") as writer, wire.open_socket(server, "full") as reader:
        writer.wait_synced()
        writer.send(wire.update(wire.text_update(9_000, "kept")))
        writer.wait_for("the echo", lambda m: m[0] == wire.SYNC and m[1][0] == wire.UPDATE)
        small_disk.fill()

        # Pages of the log may have room for a little more.
        clock = 4

        def refused():
            nonlocal clock
            writer.send(wire.update(wire.text_update(9_000, "y" * 5_000, clock=clock, origin=(9_000, clock - 1))))
            clock += 5_000
            return any(m == (wire.AUTH, "reset:disk_full") for m in writer.drain(0.1))

        until("writes are refused for want of space", refused, 30)
        assert b"kept" in reader.wait_synced(), "readers are served from memory"
        with wire.open_socket(server, "full") as late:
            assert b"kept" in late.wait_synced(), "and so are those who come now"
        assert metric(server, "coduel_room_read_only_total") > 0
        code.insert("during ", index=0)
        time.sleep(0.5)
        answer = alice.post(f"/v1/rooms/{room['id']}/submissions", {"language": "python"})
        assert_problem(answer, 503, 507)
        # Something small may still fit into pages that the files have: then it is kept, else it is refused.
        made = alice.post("/v1/rooms", {"kind": "pair", "visibility": "private"})
        if made.status_code != 201:
            assert_problem(made, 503, 507)
        assert api.call("GET", "/healthz", expect=200)
        assert "is read-only: the disk is full" in server.log()

        small_disk.make_space()
        # The server asks for what it refused, by itself.
        vector = writer.wait_for(
            "step 1", lambda m: (m[1][1],) if m[0] == wire.SYNC and m[1][0] == wire.STEP1 else None, 20
        )[0]
        have = states(vector).get(9_000, 0)
        text = "z" * (clock - have)
        writer.send(wire.step2(wire.text_update(9_000, text, clock=have, origin=(9_000, have - 1))))
        until(
            "the write is in the document",
            lambda: states(document_state(server, "full")).get(9_000, 0) == clock,
            20,
        )
    until("the stock client's text arrived too", lambda: has_text(server, room, "during before "), 20)
    assert not [each for each in code.status()["closes"]], "nobody had to reconnect"
    until("no room is read-only", lambda: metric_of(server, 'coduel_room_status{status="read_only"}') == 0)
    alice.submit(room["id"])
    server.restart()
    if made.status_code == 201:
        alice.call("GET", f"/v1/rooms/{made.json()['id']}", expect=200)
    assert states(document_state(server, "full")).get(9_000, 0) == clock
    assert has_text(server, room, "during before ")


def document_state(server, name: str) -> bytes:
    with wire.open_socket(server, name) as socket:
        doc = Doc()
        doc.apply_update(socket.wait_synced())
        return doc.get_state()


def has_text(server, room: dict, text: str) -> bool:
    with wire.room_socket(server, room["id"], "main", room["sync_token"]) as socket:
        return wire.document_json(socket.wait_synced()) == text


def metric_of(server, series: str) -> float:
    for line in Api(server).call("GET", "/metrics", expect=200).text.splitlines():
        if line.startswith(series + " "):
            return float(line.rsplit(" ", 1)[1])
    return 0


# A disk that fails


@pytest.mark.timeout(120)
def test_a_failed_sync_is_never_taken_for_a_success(serve, faulty_disk):
    server = serve("--open-rooms", env=faulty_disk.env)
    with wire.open_socket(server, "sync") as writer:
        writer.wait_synced()
        writer.send(wire.update(wire.text_update(9_000, "safe")))
        writer.wait_for("the echo", lambda m: m[0] == wire.SYNC and m[1][0] == wire.UPDATE)
        faulty_disk.begin("fail-sync")
        writer.send(wire.update(wire.text_update(9_000, "lost", clock=4, origin=(9_000, 3))))
        code = writer.wait_closed(10)
        assert code == 1013, f"closed with {code}, expected 1013"
        assert not any(m[0] == wire.SYNC and m[1][0] == wire.UPDATE and b"lost" in m[1][1] for m in writer.seen), (
            "a write was echoed whose sync failed"
        )
    # The room is loaded again from the disk; what failed is not there, or was never acknowledged.
    until("the room is served again", lambda: b"safe" in read_patiently(server, "sync"), 20)
    assert metric(server, "coduel_room_failures_total") > 0
    faulty_disk.end("fail-sync")
    until("writes are taken again", lambda: write_patiently(server, "sync", 9_001, "again"), 20)
    server.kill()
    faulty_disk.cut_power(server.data, random.Random(SEED))
    server.start()
    data = read_patiently(server, "sync")
    assert b"safe" in data and b"again" in data, "what was acknowledged is there after a power cut"


def read_patiently(server, name: str) -> bytes:
    """The document, or nothing while the room is left alone."""
    try:
        with wire.open_socket(server, name) as socket:
            return socket.wait_synced()
    except (AssertionError, wire.Refused, ConnectionClosed):
        return b""


def write_patiently(server, name: str, client: int, text: str) -> bool:
    try:
        with wire.open_socket(server, name) as socket:
            socket.wait_synced()
            socket.send(wire.update(wire.text_update(client, text)))
            socket.wait_for("the echo", lambda m: m[0] == wire.SYNC and m[1][0] == wire.UPDATE, 2)
            return True
    except (AssertionError, wire.Refused, ConnectionClosed):
        return False


def crc32c(data: bytes) -> int:
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def checksum(room: str, sequence: int, kind: int, document: str, author: str, at: int, payload: bytes) -> int:
    def field(data: bytes) -> bytes:
        return len(data).to_bytes(8, "little") + data

    numbers = [number.to_bytes(8, "little", signed=True) for number in (sequence, kind, at)]
    return crc32c(
        field(room.encode())
        + numbers[0]
        + numbers[1]
        + field(document.encode())
        + field(author.encode())
        + numbers[2]
        + field(payload)
    )


@pytest.mark.timeout(120)
def test_a_damaged_record_is_dropped_told_and_raises_the_epoch(serve):
    server = serve()
    alice = Api(server).register()
    rooms = [alice.make_pair_room() for _ in range(2)]
    for room in rooms:
        with wire.room_socket(server, room["id"], "main", room["sync_token"]) as socket:
            socket.wait_synced()
            for number, word in enumerate(("first", "second", "third")):
                socket.send(wire.update(wire.text_update(9_000 + number, word)))
                socket.wait_for("the echo", lambda m: m[0] == wire.SYNC and m[1][0] == wire.UPDATE)
    wait_settled(server)
    server.kill()
    damaged, whole = rooms
    with sqlite3.connect(server.data / "log.db") as log:
        # The server's own sums are those of the documented fields.
        columns = "room, sequence, kind, document, author, committed_at, payload, checksum"
        for row in log.execute(f"SELECT {columns} FROM log"):
            assert checksum(*row[:-1]) == row[-1]
        rows = log.execute("SELECT sequence, payload FROM log WHERE room = ?", (damaged["id"],)).fetchall()
        [(sequence, payload)] = [row for row in rows if b"second" in row[1]]
        log.execute(
            "UPDATE log SET payload = ? WHERE room = ? AND sequence = ?",
            (payload.replace(b"second", b"sekond"), damaged["id"], sequence),
        )
    log.close()
    server.start()

    with wire.room_socket(server, damaged["id"], "main", damaged["sync_token"]) as socket:
        socket.wait_denied("reset:epoch")
        assert socket.wait_closed() == 4205
    token = alice.sync_token(damaged["id"])
    with wire.room_socket(server, damaged["id"], "main", token) as socket:
        data = socket.wait_synced()
        assert b"first" in data and b"third" in data and b"second" not in data and b"sekond" not in data
    assert metric(server, "coduel_log_lost_records_total") == 1
    assert f"room {damaged['id']} was recovered: 1 records" in server.log()
    replay = alice.get(f"/v1/rooms/{damaged['id']}/replay?limit=100").json()["items"]
    assert [item["kind"] for item in replay].count("lost") == 1
    # Another room has nothing to do with it.
    with wire.room_socket(server, whole["id"], "main", whole["sync_token"]) as socket:
        assert b"second" in socket.wait_synced()
    server.restart()
    with wire.room_socket(server, damaged["id"], "main", token) as socket:
        assert b"third" in socket.wait_synced(), "the epoch rises once"
    with sqlite3.connect(server.data / "log.db") as log:
        aside = log.execute("SELECT room, payload FROM lost_records").fetchall()
    log.close()
    assert len(aside) == 1 and aside[0][0] == damaged["id"] and b"sekond" in aside[0][1]


@pytest.mark.timeout(120)
def test_a_failed_load_never_leads_to_a_write(serve):
    server = serve("--open-rooms")
    assert write_patiently(server, "odd", 9_000, "text")
    wait_settled(server)
    server.kill()
    # A sound record that this server cannot read: nothing may be dropped, and nothing written.
    payload = b"\xff\xff"
    with sqlite3.connect(server.data / "log.db") as log:
        last = log.execute("SELECT max(sequence), max(committed_at) FROM log WHERE room = 'open/odd'").fetchone()
        values = ("open/odd", last[0] + 1, 0, "main", "", last[1], payload)
        log.execute(
            "INSERT INTO log (room, sequence, kind, document, author, committed_at, payload, checksum)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*values, checksum(*values)),
        )
    log.close()
    server.start()
    for _ in range(5):
        assert not write_patiently(server, "odd", 9_001, "more")
    assert write_patiently(server, "other", 9_001, "more"), "other rooms go on"
    assert "open/odd could not be loaded" in server.log()
    server.kill()
    with sqlite3.connect(server.data / "log.db") as log:
        rows = log.execute("SELECT sequence, payload FROM log WHERE room = 'open/odd'").fetchall()
        assert len(rows) == last[0] + 1 and rows[-1][1] == payload
        assert log.execute("SELECT count(*) FROM room_snapshots WHERE room = 'open/odd'").fetchone() == (0,)
    log.close()
