"""Writes to documents, chat and accounts as fast as it may, and prints a line of JSON for everything that was
acknowledged. Configuration comes as one line of JSON on standard input; it runs until it is killed.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx  # noqa: E402
from pycrdt import Doc  # noqa: E402

from harness import wire  # noqa: E402


def tell(**what) -> None:
    # One write, so that a killed process leaves whole lines, and at most one torn one.
    os.write(1, (json.dumps(what) + "\n").encode())


def clock_of(update_or_state: bytes, client: int) -> int:
    """The clock of a client in an encoded state vector."""
    count, at = wire.read_var_uint(update_or_state, 0)
    for _ in range(count):
        found, at = wire.read_var_uint(update_or_state, at)
        clock, at = wire.read_var_uint(update_or_state, at)
        if found == client:
            return clock
    return 0


class Writer:
    """One client id that appends to a text; many writes are on their way at once."""

    def __init__(self, document: str, seed: int):
        self.document = document
        self.random = random.Random(seed)
        self.client = self.random.getrandbits(31) | 1 << 20
        self.clock = 0
        self.sent: list[int] = []

    def next_update(self) -> bytes:
        text = self.random.choice(["x", "return 0\n", "0123456789" * self.random.randint(1, 30)])
        origin = (self.client, self.clock - 1) if self.clock else None
        data = wire.text_update(self.client, text, clock=self.clock, origin=origin)
        self.clock += len(text)
        self.sent.append(self.clock)
        return data

    def pause(self) -> None:
        time.sleep(self.random.choice([0, 0, 0.002, 0.01]))


def plain(server, path: str, token: str | None, document: str, seed: int) -> None:
    """Takes the echo for an acknowledgement."""
    writer = Writer(document, seed)
    socket = wire.RawSocket(server, path, token)

    def listen():
        doc, told = Doc(), 0
        doc.apply_update(socket.wait_synced())
        while True:
            message = socket.receive(1)
            socket.seen.clear()
            if message is None or message[0] != wire.SYNC or message[1][0] == wire.STEP1:
                continue
            doc.apply_update(message[1][1])
            clock = clock_of(doc.get_state(), writer.client)
            if clock > told:
                told = clock
                tell(kind="clock", document=document, client=writer.client, clock=clock, by="echo")

    threading.Thread(target=listen, daemon=True).start()
    while True:
        socket.send(wire.update(writer.next_update()))
        writer.pause()


def multiplexed(server, name: str, token: str, seed: int) -> None:
    """Takes the sync status for an acknowledgement: every write has one, in the order of the writes."""
    writer = Writer(name, seed)
    socket = wire.MultiplexedSocket(server)
    socket.authenticate(name, token)

    def listen():
        saved = 0
        while True:
            message = socket.receive(1)
            socket.seen.clear()
            if message is None or message[1] != wire.SYNC_STATUS:
                continue
            assert message[2] == 1, "an honest write was refused"
            saved += 1
            if saved <= len(writer.sent):
                clock = writer.sent[saved - 1]
                tell(kind="clock", document=name, client=writer.client, clock=clock, by="status")

    threading.Thread(target=listen, daemon=True).start()
    while True:
        socket.send_to(name, wire.update(writer.next_update()))
        writer.pause()


def chat(server, room: str, token: str, seed: int) -> None:
    numbers = random.Random(seed)
    with wire.room_socket(server, room, "chat", token) as socket:
        while True:
            nonce = str(numbers.getrandbits(60))
            socket.send(wire.stateless({"type": "chat.post", "nonce": nonce, "text": f"line {nonce}"}))
            answer = socket.wait_for("an answer", lambda m: m[1] if m[0] == wire.STATELESS else None, 30)
            if answer["type"] == "chat.accepted":
                tell(kind="chat", room=room, id=answer["id"], by="chat.accepted")
            time.sleep(0.4)


def accounts(server, seed: int) -> None:
    numbers = random.Random(seed)
    with httpx.Client(trust_env=False, timeout=30) as client:
        while True:
            handle = f"u{numbers.getrandbits(50):x}"
            body = {"handle": handle, "email": f"{handle}@example.org", "password": "correct horse battery staple"}
            if client.post(server.http + "/api/v1/users", json=body).status_code == 201:
                tell(kind="user", handle=handle, by="HTTP")
            time.sleep(0.5)


def main() -> None:
    config = json.loads(sys.stdin.readline())
    server = SimpleNamespace(http=config["http"], ws=config["ws"])
    seed = config["seed"]
    jobs = [(plain, f"/sync/open/{name}", None, f"open/{name}") for name in config["open"]]
    for room, token in config["rooms"]:
        jobs.append((plain, f"/sync/{room}/main", token, f"{room}/main"))
        jobs.append((multiplexed, f"{room}/main", token))
        jobs.append((chat, room, token))
    jobs.append((accounts,))
    for number, (job, *arguments) in enumerate(jobs):
        threading.Thread(target=job, args=(server, *arguments, seed + number), daemon=True).start()
    threading.Event().wait()


main()
