"""Clients that hang, lie and attack, and a clock that jumps: honest clients beside them never notice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
from pycrdt import Doc
from websockets.exceptions import ConnectionClosed

from harness import wire
from harness.api import Api
from harness.faults import FaultyDisk
from harness.waiting import SCALE, scaled, until

SEED = 77
HOSTILE_FRAMES = 10_000


class Honest:
    """A client that types all the time, and notes how long each of its writes took to come back."""

    def __init__(self, server, room: dict, client: int):
        self.client, self.clock, self.echoed = client, 0, 0
        self.doc = Doc()
        self.slowest = 0.0
        self.failure: BaseException | None = None
        self.is_done = threading.Event()
        self.server, self.room = server, room
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            with wire.room_socket(self.server, self.room["id"], "main", self.room["sync_token"]) as socket:
                # A document belongs to one thread.
                self.doc = Doc()
                self.doc.apply_update(socket.wait_synced())
                while not self.is_done.is_set():
                    self._write(socket)
                    time.sleep(0.01)
                self.doc.apply_update(socket.wait_synced())
                self.state = self.doc.get_update()
        except BaseException as failure:  # told by the test
            self.failure = failure

    def _write(self, socket):
        origin = (self.client, self.clock - 1) if self.clock else None
        socket.send(wire.update(wire.text_update(self.client, "a", clock=self.clock, origin=origin)))
        self.clock += 1
        began = time.monotonic()
        while self.echoed < self.clock:
            message = socket.receive(10)
            assert message is not None, "no echo within 10 s"
            assert message[0] != wire.AUTH, f"an honest write was refused: {message}"
            if message[0] == wire.SYNC and message[1][0] != wire.STEP1:
                self.doc.apply_update(message[1][1])
                self.echoed = clock_of(self.doc.get_state(), self.client)
            socket.seen.clear()
        self.slowest = max(self.slowest, time.monotonic() - began)

    def finish(self) -> Doc:
        until("it wrote for a while", lambda: self.clock > 50 or self.failure, 30)
        self.is_done.set()
        self.thread.join(20)
        assert self.failure is None, f"an honest client noticed: {self.failure!r}"
        again = Doc()
        again.apply_update(self.state)
        return again


def clock_of(vector: bytes, client: int) -> int:
    count, at = wire.read_var_uint(vector, 0)
    for _ in range(count):
        found, at = wire.read_var_uint(vector, at)
        clock, at = wire.read_var_uint(vector, at)
        if found == client:
            return clock
    return 0


@pytest.fixture
def scene(server):
    """A pair room with two honest clients, and a third member of whom nothing good comes."""
    alice, bob, mallory = (Api(server).register() for _ in range(3))
    room = alice.make_pair_room()
    for account in (bob, mallory):
        alice.invite(room["id"], account)
    tokens = [account.sync_token(room["id"]) for account in (alice, bob)]
    honest = [Honest(server, room | {"sync_token": token}, 70_000 + each) for each, token in enumerate(tokens)]
    yield room | {"sync_token": mallory.sync_token(room["id"])}, honest
    for each in honest:
        each.is_done.set()


def assert_honest(server, honest: list[Honest], slowest: float = 5) -> None:
    documents = [each.finish() for each in honest]
    time.sleep(0.2)
    room = honest[0].room
    with wire.room_socket(server, room["id"], "main", room["sync_token"]) as socket:
        final = Doc()
        final.apply_update(socket.wait_synced())
    for each in honest:
        assert clock_of(final.get_state(), each.client) == each.clock, "a write of an honest client is not there"
        assert each.slowest < slowest, f"a write took {each.slowest:.1f} s"
    for document in documents:
        document.apply_update(final.get_update())
        assert document.get_state() == final.get_state(), "an honest client differs"


class Generator:
    """Frames that are wrong in every way, from a seed."""

    def __init__(self, seed: int, corpus: list[bytes]):
        self.random = random.Random(seed)
        self.corpus = corpus

    def frame(self) -> bytes | str:
        numbers = self.random
        kind = numbers.randrange(10)
        if kind == 0:
            return numbers.randbytes(numbers.randrange(200))
        if kind == 1:
            return bytes([numbers.randrange(12), numbers.randrange(4)]) + numbers.randbytes(numbers.randrange(60))
        if kind == 2:
            return wire.update(numbers.randbytes(numbers.randrange(80)))
        if kind == 3:
            return wire.step1(numbers.randbytes(numbers.randrange(30)))
        if kind == 4:
            # Of somebody else, or far ahead, or of the server.
            client = numbers.choice([0, 1, 70_000, 70_001, numbers.getrandbits(31), 2**53 - 1])
            clock = numbers.choice([0, 1, 5, 1 << 20, 2**31 - 2])
            return wire.update(wire.text_update(client, "evil", clock=clock, origin=(client, max(clock - 1, 0))))
        if kind == 5:
            state = {"x": "y" * numbers.randrange(99)}
            return wire.awareness([(numbers.getrandbits(32), numbers.getrandbits(32), state)])
        if kind == 6:
            texts = ["{", '{"type":"submit"}', '{"type":"chat.post","nonce":"n"}', "[" * 500, '{"type":7}']
            return wire.stateless(numbers.choice(texts))
        frame = bytearray(numbers.choice(self.corpus))
        for _ in range(numbers.randrange(1, 6)):
            if frame:
                frame[numbers.randrange(len(frame))] = numbers.randrange(256)
        if kind == 7:
            del frame[numbers.randrange(len(frame) + 1) :]
        return bytes(frame)


@pytest.mark.timeout(600)
def test_ten_thousand_hostile_frames_between_honest_clients(server, scene):
    room, honest = scene
    corpus = [
        wire.step1(),
        wire.update(wire.text_update(90_000, "hello")),
        wire.step2(wire.text_update(90_000, " world", clock=5, origin=(90_000, 4))),
        wire.awareness([(90_000, 1, {"user": {"name": "mallory"}})]),
        wire.stateless({"type": "chat.post", "nonce": "1", "text": "hi"}),
        bytes([wire.QUERY_AWARENESS]),
    ]
    generator = Generator(SEED, corpus)
    sent = sockets = 0
    while sent < HOSTILE_FRAMES:
        # A socket is in quarantine after its first refused write: some of everything reaches a fresh one.
        try:
            with wire.room_socket(server, room["id"], "main", room["sync_token"]) as socket:
                sockets += 1
                for _ in range(generator.random.randrange(1, 120)):
                    socket.send(generator.frame())
                    sent += 1
                socket.drain(0.005)
        except (ConnectionClosed, wire.Refused):
            time.sleep(0.01)
        assert sockets < HOSTILE_FRAMES, f"seed {SEED}: no frames got through"
    server.assert_alive()
    print(f"{sent} frames over {sockets} sockets; slowest honest write {max(each.slowest for each in honest):.2f} s")
    assert_honest(server, honest)


@pytest.mark.timeout(120)
def test_whoever_lies_about_its_state_vector_harms_only_itself(server, scene):
    room, honest = scene
    numbers = random.Random(SEED)
    for _ in range(scaled(30, floor=30)):
        with wire.room_socket(server, room["id"], "main", room["sync_token"]) as socket:
            for _ in range(20):
                clients = [70_000, 70_001, 1, numbers.getrandbits(31)]
                pairs = [(each, numbers.choice([0, 3, 1 << 30, 2**53 - 1])) for each in clients]
                vector = wire.var_uint(len(pairs)) + b"".join(wire.var_uint(a) + wire.var_uint(b) for a, b in pairs)
                try:
                    socket.send(wire.step1(vector))
                except ConnectionClosed:
                    break
    assert_honest(server, honest)


STUCK = """
import sys, time
sys.path.insert(0, sys.argv[1])
from types import SimpleNamespace
from harness import wire
server = SimpleNamespace(ws=sys.argv[2])
sockets = [wire.room_socket(server, sys.argv[3], "main", sys.argv[4]) for _ in range(8)]
for socket in sockets:
    socket.send(wire.step1())
print("ready", flush=True)
time.sleep(1000)
"""


@pytest.mark.timeout(300)
def test_sockets_that_hang_cost_a_bounded_amount_and_nobody_waits(server, scene):
    """Eight sockets of a process that is stopped: they read nothing, answer no ping, and do not close."""
    room, honest = scene
    arguments = [os.path.dirname(__file__), server.ws, room["id"], room["sync_token"]]
    stuck = subprocess.Popen([sys.executable, "-c", STUCK, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert stuck.stdout.readline() == "ready\n"
        stuck.send_signal(signal.SIGSTOP)
        before = server.resident_bytes()
        with wire.room_socket(server, room["id"], "main", room["sync_token"]) as writer:
            writer.wait_synced()
            clock = 0
            for _ in range(60):
                origin = (91_000, clock - 1) if clock else None
                writer.send(wire.update(wire.text_update(91_000, "z" * 60_000, clock=clock, origin=origin)))
                clock += 60_000
                writer.drain(0.02)
                writer.seen.clear()
        grown = server.resident_bytes() - before
        # 3.6 MB were written: unbounded buffers would hold them eight times.
        assert grown < 24 << 20, f"memory grew by {grown >> 20} MiB"
        if SCALE >= 10:
            # Nothing was heard of them for 75 s, not even a pong.
            until("the half-open sockets are given up", lambda: connections(server) <= 2, 150, every=1)
    finally:
        stuck.kill()
        stuck.wait(5)
    assert_honest(server, honest)


def connections(server) -> int:
    for line in Api(server).call("GET", "/metrics", expect=200).text.splitlines():
        if line.startswith("coduel_ws_connections"):
            return int(float(line.rsplit(" ", 1)[1]))
    return 0


def replay(account, room: str) -> list[dict]:
    items, cursor = [], ""
    while cursor is not None:
        page = account.get(f"/v1/rooms/{room}/replay?limit=100" + (f"&cursor={cursor}" if cursor else "")).json()
        items += page["items"]
        cursor = page["next_cursor"]
    return items


@pytest.mark.timeout(120)
def test_a_clock_that_jumps_harms_nobody(serve):
    disk = FaultyDisk()
    try:
        server = serve(env=disk.env)
        alice = Api(server).register()
        room = alice.make_pair_room()
        honest = [Honest(server, room, 70_000), Honest(server, room, 70_001)]
        for offset in (-3_600, 5, 300, -20, 0):
            disk.set_clock(offset)
            time.sleep(1)
        assert_honest(server, honest)
        times = [item["at_ms"] for item in replay(alice, room["id"])]
        assert times == sorted(times), "times of the log never fall"
        assert max(times) - min(times) > 200_000, "the server's clock did not jump"
        server.restart()
        with wire.room_socket(server, room["id"], "main", room["sync_token"]) as socket:
            doc = Doc()
            doc.apply_update(socket.wait_synced())
        assert all(clock_of(doc.get_state(), each.client) == each.clock for each in honest)
    finally:
        disk.close()
