"""Readers that do not drain are sent nothing, and are level again when they do; the server's memory stays bounded."""

from __future__ import annotations

import threading
import time

import pytest
from pycrdt import Doc, Text

from harness import wire
from harness.waiting import until

READERS = 8
SECONDS = 6


class Reader:
    """A raw socket that applies every sync frame to a document, and can stop reading for a while."""

    def __init__(self, server, name: str):
        self.socket = wire.open_socket(server, name)
        self.doc = Doc()
        self.text = self.doc.get("code", type=Text)
        self.doc.apply_update(self.socket.wait_synced())
        # Of the text. A document belongs to one thread; the test looks at this number only.
        self.length = len(self.text)
        self.failure: Exception | None = None
        self.is_done = threading.Event()
        self.thread = threading.Thread(target=self.read, daemon=True)

    def read(self):
        try:
            while not self.is_done.is_set():
                message = self.socket.receive(0.2)
                if message is not None and message[0] == wire.SYNC and message[1][0] != wire.STEP1:
                    self.doc.apply_update(message[1][1])
                    self.length = len(self.text)
                self.socket.seen.clear()
        except Exception as failure:  # told by the test
            self.failure = failure

    def close(self):
        self.is_done.set()
        if self.thread.is_alive():
            self.thread.join(5)
        self.socket.socket.close()


@pytest.mark.timeout(180)
def test_readers_that_paused_are_level_again(serve):
    server = serve("--open-rooms")
    readers = [Reader(server, "slow") for _ in range(READERS)]
    before = server.resident_bytes()
    try:
        with wire.open_socket(server, "slow") as writer:
            writer.wait_synced()
            clock, piece = 0, "x" * 30_000
            drain = threading.Thread(target=lambda: swallow(writer), daemon=True)
            drain.start()
            pause_ends = time.monotonic() + SECONDS
            ends = pause_ends + SECONDS / 2
            reading = False
            while time.monotonic() < ends:
                origin = (4321, clock - 1) if clock else None
                writer.send(wire.update(wire.text_update(4321, piece, clock=clock, origin=origin)))
                clock += len(piece)
                if clock > 12_000_000:
                    break
                if not reading and time.monotonic() > pause_ends:
                    # They read again while the writer goes on: catching up and broadcasts must not overtake each other.
                    reading = True
                    for reader in readers:
                        reader.thread.start()
                time.sleep(0.02)
            if not reading:
                for reader in readers:
                    reader.thread.start()
            assert server.resident_bytes() - before < 400 << 20, "the server keeps what slow readers do not take"
            for number, reader in enumerate(readers):
                until(
                    f"reader {number} has all {clock} characters",
                    lambda r=reader: r.failure is not None or r.length == clock,
                    60,
                )
                assert reader.failure is None, f"reader {number} failed: {reader.failure!r}"
    finally:
        for reader in readers:
            reader.close()
    server.assert_alive()


def swallow(socket: wire.RawSocket):
    """Reads the writer's echoes away, so that only the readers are slow."""
    try:
        while True:
            socket.receive(1)
            socket.seen.clear()
    except Exception:
        return
