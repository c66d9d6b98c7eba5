#!/usr/bin/env python3
"""Joins of a large document with history, alone and 32 at once, while two others type in rooms beside it.

  python Benchmarks/joins.py [--megabytes 1] [--joins 60] [--at-once 32] [--editors 8]

A writer makes a document of one-character items that do not join into runs (each is inserted at the front), in
updates of 19,000. Then `--joins` fresh sockets ask for everything, one after another and `--at-once` together; a join
is from before the connect to the last byte of step 2. Meanwhile pairs in `--editors` rooms type 20 characters a
second each: how long the other of a pair waits for an edit, at most, tells whether joins hold up anybody else. The
document is asked for with permessage-deflate and without. y-websocket-server takes the same.
"""

from __future__ import annotations

import argparse
import os
import re
import selectors
import shutil
import socket
import subprocess
import sys
import threading
import time

from harness import Server, Workspace, add_common_options, finish, machine, median, number, quantile, table
from spectators import NODE_MODULES, Listening

STRUCTS = 19_000
EDITS_PER_SECOND = 20
SETTLE_SECONDS = 1.0
HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{extra}\r\n"
)
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate\r\n"


def var_uint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def history(client: int, clock: int, count: int) -> bytes:
    """An update of `count` characters, each before the one that was made last."""
    out = bytearray(var_uint(1) + var_uint(count) + var_uint(client) + var_uint(clock))
    for at in range(clock, clock + count):
        if at == 0:
            out += b"\x04\x01\x04text" + b"\x01a"
        else:
            out += b"\x44" + var_uint(client) + var_uint(at - 1) + b"\x01" + bytes([97 + at % 26])
    return bytes(out) + b"\0"


def typed(client: int, clock: int) -> bytes:
    head = b"\x01\x01" + var_uint(client) + var_uint(clock)
    place = b"\x04\x01\x04text" if clock == 0 else b"\x84" + var_uint(client) + var_uint(clock - 1)
    return head + place + b"\x01x\0"


class Socket:
    """As little of WebSocket as a measurement needs."""

    def __init__(self, port: int, path: str, extra: str = ""):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(HANDSHAKE.format(path=path, port=port, extra=extra).encode())
        self.buffer = bytearray()
        while b"\r\n\r\n" not in self.buffer:
            self.read()
        del self.buffer[: self.buffer.index(b"\r\n\r\n") + 4]

    def read(self) -> None:
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionError("closed by the server")
        self.buffer += data

    def send(self, message: bytes) -> None:
        count = len(message)
        if count < 126:
            length = bytes([0x80 | count])
        elif count < 65536:
            length = bytes([0xFE]) + count.to_bytes(2, "big")
        else:
            length = bytes([0xFF]) + count.to_bytes(8, "big")
        self.socket.sendall(b"\x82" + length + b"\0\0\0\0" + message)

    def frame(self) -> tuple[bool, bytes] | None:
        """A whole frame that has arrived: whether it is compressed, and its payload."""
        if len(self.buffer) < 2:
            return None
        count, at = self.buffer[1], 2
        if count >= 126:
            at = 4 if count == 126 else 10
            count = int.from_bytes(self.buffer[2:at], "big") if len(self.buffer) >= at else 1 << 60
        if len(self.buffer) < at + count:
            return None
        got = bool(self.buffer[0] & 0x40), bytes(self.buffer[at : at + count])
        del self.buffer[: at + count]
        return got

    def wait(self, accepts) -> int:
        """Reads up to a frame that is accepted; its size."""
        while True:
            while (frame := self.frame()) is None:
                self.read()
            if accepts(*frame):
                return len(frame[1])


def is_state(compressed: bool, payload: bytes) -> bool:
    # Only a state is large enough here to be compressed.
    return compressed or payload[:2] == b"\x00\x01"


def join(port: int, path: str, extra: str) -> tuple[float, int]:
    start = time.perf_counter()
    joiner = Socket(port, path, extra)
    joiner.send(b"\x00\x00\x01\x00")
    size = joiner.wait(is_state)
    took = (time.perf_counter() - start) * 1000
    joiner.socket.close()
    return took, size


def join_at_once(port: int, path: str, extra: str, count: int) -> list[float]:
    """All ask in one moment; how long each waited."""
    sockets = [Socket(port, path, extra) for _ in range(count)]
    time.sleep(SETTLE_SECONDS)
    watched = selectors.DefaultSelector()
    for each in sockets:
        watched.register(each.socket, selectors.EVENT_READ, each)
    start = time.perf_counter()
    for each in sockets:
        each.send(b"\x00\x00\x01\x00")
    waits: list[float] = []
    while len(waits) < count:
        for key, _ in watched.select():
            key.data.read()
            while (frame := key.data.frame()) is not None:
                if is_state(*frame):
                    waits.append((time.perf_counter() - start) * 1000)
                    watched.unregister(key.data.socket)
                    break
    for each in sockets:
        each.socket.close()
    return waits


EDITORS = """
import sys, time, selectors
sys.path.insert(0, sys.argv[1])
from joins import EDITS_PER_SECOND, Socket, typed, var_uint
port, base, count = int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
pairs = [(Socket(port, f"{base}/beside{n}"), Socket(port, f"{base}/beside{n}")) for n in range(count)]
watched = selectors.DefaultSelector()
for number, pair in enumerate(pairs):
    watched.register(pair[1].socket, selectors.EVENT_READ, number)
print("ready", flush=True)
watched.register(sys.stdin, selectors.EVENT_READ, -1)
sent, clocks, waits, done = [{} for _ in pairs], [0] * count, [], False
due = time.perf_counter()
while not done:
    for key, _ in watched.select(max(0, due - time.perf_counter())):
        if key.data < 0:
            done = True
            continue
        reader = pairs[key.data][1]
        reader.read()
        while (frame := reader.frame()) is not None:
            if frame[1][:2] == b"\\x00\\x02":
                client = var_uint(9000 + key.data)
                at = frame[1].index(client, 3) + len(client)
                body = frame[1]
                clock = shift = 0
                while True:
                    clock |= (body[at] & 127) << shift
                    shift += 7
                    at += 1
                    if body[at - 1] < 128:
                        break
                if clock in sent[key.data]:
                    waits.append((time.perf_counter() - sent[key.data].pop(clock)) * 1000)
    now = time.perf_counter()
    if now >= due:
        due = now + 1 / EDITS_PER_SECOND / count
        number = sum(clocks) % count
        sent[number][clocks[number]] = now
        pairs[number][0].send(b"\\x00\\x02" + var_uint(len(t := typed(9000 + number, clocks[number]))) + t)
        clocks[number] += 1
print(" ".join(f"{wait:.3f}" for wait in waits))
"""


class Editors:
    """Pairs in rooms of their own, in a process of their own."""

    def __init__(self, port: int, base: str, count: int):
        folder = os.path.dirname(os.path.abspath(__file__))
        command = [sys.executable, "-c", EDITORS, folder, str(port), base, str(count)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def waits(self) -> list[float]:
        out, _ = self.process.communicate("done\n", timeout=60)
        return [float(wait) for wait in out.split()]


def measure(options: argparse.Namespace, port: int, base: str) -> dict:
    path = f"{base}/large"
    writer = Socket(port, path)
    structs = int(options.megabytes * 1_000_000 / 10)
    for clock in range(0, structs, STRUCTS):
        update = history(77, clock, min(STRUCTS, structs - clock))
        writer.send(b"\x00\x02" + var_uint(len(update)) + update)
    swallow = threading.Thread(target=lambda: drain(writer), daemon=True)
    swallow.start()
    deadline = time.monotonic() + 60
    while (size := join(port, path, "")[1]) < structs * 6:
        if time.monotonic() > deadline:
            raise RuntimeError(f"the document stayed at {size} bytes")
        time.sleep(0.2)
    figures: dict = {"bytes": size}
    for name, extra in {"plain": "", "deflate": DEFLATE}.items():
        editors = Editors(port, f"{base}/{name}", options.editors)
        time.sleep(SETTLE_SECONDS)
        figures[f"{name} alone"] = [join(port, path, extra)[0] for _ in range(options.joins)]
        figures[f"{name} at once"] = join_at_once(port, path, extra, options.at_once)
        figures[f"{name} edits"] = editors.waits()
    return figures


def drain(reader: Socket) -> None:
    try:
        while True:
            reader.read()
            reader.buffer.clear()
    except OSError:
        return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common_options(parser)
    parser.add_argument("--megabytes", type=float, default=1)
    parser.add_argument("--joins", type=int, default=60)
    parser.add_argument("--at-once", type=int, default=32)
    parser.add_argument("--editors", type=int, default=8)
    options = parser.parse_args()
    if not 0 < options.megabytes <= 4:
        parser.error("--megabytes is up to 4: an open room takes 32 MiB in memory, an item is a hundred bytes")
    os.environ.setdefault("NODE_PATH", NODE_MODULES)
    before, figures = machine(), {}
    with Workspace(options.binary) as workspace:
        with Server(workspace, "--open-rooms") as server:
            figures["coduel"] = measure(options, server.port, "/sync/open")
        if shutil.which("y-websocket-server"):
            with Listening(["y-websocket-server"], workspace, re.compile("running at")) as (_, port):
                figures["y-websocket-server"] = measure(options, port, "")
    head = ["", "bytes", "join p50 ms", "p99", f"{options.at_once} at once: last ms", "edits meanwhile p50 ms", "max"]
    rows = []
    for server_name, got in figures.items():
        for name in ("plain", "deflate"):
            alone, edits = got[f"{name} alone"], got[f"{name} edits"]
            rows.append([
                f"{server_name}, {name}", number(got["bytes"]), median(alone), quantile(alone, 0.99),
                max(got[f"{name} at once"]), median(edits), max(edits),
            ])  # fmt: skip
    print(table(head, rows))
    print(f"\nmachine: {before}, load at the end {os.getloadavg()}")
    finish(options, {"machine": before, "figures": figures})


if __name__ == "__main__":
    main()
