#!/usr/bin/env python3
"""Thousands of log-ins beside two writers of a room: whether edits wait for passwords to be hashed.

  python Benchmarks/logins.py [--log-ins 500] [--at-once 8] [--seconds 20] [--rate 10]

Argon2id is costly on purpose, about 27 ms of a core a log-in: 10,000 take 3 to 6 minutes. Two people type in a pair
room with accounts and sync tokens, `--rate` characters a second each, evenly apart, from a process of their own; the
latency of an edit is from before its `send` until the other has it. Four phases of one run and one server: nobody else,
as many busy loops as the server has threads for hashing, the log-ins (`--at-once` of them under way at any time), nobody
else again. The busy loops tell what hashing costs edits by taking the processors alone, which no server can avoid.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import multiprocessing
import os
import secrets
import selectors
import subprocess
import sys
import threading
import time
from multiprocessing.connection import Connection

from harness import Client, Server, Workspace, add_common_options, busy_share, finish, machine, median, number, quantile, table
from joins import Socket, var_uint

HASHING_THREADS = 2
#: Fewer than the sessions that one account may have.
LOG_INS_AN_ACCOUNT = 150
MAXIMUM_LOG_INS = 20_000
MAXIMUM_AT_ONCE = 32
STALL_MS = 250
DRAIN_SECONDS = 5
SETTLE_SECONDS = 1
LIMITS = ",".join(f"{name}=1000000/1" for name in ("registrations", "logins", "reads", "writes", "mails"))
PASSWORD = secrets.token_hex(12)


class Reader:
    """Numbers and structs of an update."""

    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def skip_text(self) -> int:
        count = self.number()
        self.at += count
        return count

    def typed(self) -> int:
        """Skips an item of ASCII characters, which is all that is typed here; how many."""
        info = self.byte()
        if info & 31 != 4:
            raise RuntimeError(f"a struct that nobody here typed: {info}")
        for flag in (0x80, 0x40):
            if info & flag:
                self.number(), self.number()
        if not info & 0xC0:
            if self.number():
                self.skip_text()
            else:
                self.number(), self.number()
        return self.skip_text()


class Typist(Socket):
    """A socket of a room that types a character at a time into its file."""

    def __init__(self, port: int, path: str, client: int):
        super().__init__(port, path)
        self.client, self.clock, self.file = client, 0, None
        self.send(b"\x00\x00\x01\x00")
        while self.file is None:
            self.read()
            for message in self.messages():
                if message[:2] == b"\x00\x01":
                    reader = Reader(message[2:])
                    reader.number(), reader.number(), reader.number()
                    self.file = reader.number(), reader.number()

    def messages(self) -> list[bytes]:
        found = []
        while self.buffer:
            kind = self.buffer[0] & 15
            if (frame := self.frame()) is None:
                break
            if kind == 8:
                raise ConnectionError(f"closed by the server: {frame[1]!r}")
            if kind == 9:
                self.socket.sendall(b"\x8a\x80\0\0\0\0")
            elif frame[1][:2] == b"\x00\x00":
                self.send(b"\x00\x01\x02\x00\x00")
            else:
                found.append(frame[1])
        return found

    def type(self) -> int:
        """Sends the next character; its clock."""
        clock, own = self.clock, var_uint(self.client)
        if clock:
            place = b"\x84" + own + var_uint(clock - 1)
        else:
            place = b"\x04\x00" + var_uint(self.file[0]) + var_uint(self.file[1])
        update = b"\x01\x01" + own + var_uint(clock) + place + b"\x01x\x00"
        self.send(b"\x00\x02" + var_uint(len(update)) + update)
        self.clock += 1
        return clock


def type_edits(port: int, paths: list[str], rate: float, control: Connection) -> None:
    """Types until told to stop; sends back `(sent at, ms until the other had it)` of each edit, and the lost ones."""
    gc.disable()
    typists = [Typist(port, path, 9_000_001 + n) for n, path in enumerate(paths)]
    watched = selectors.DefaultSelector()
    for typist in typists:
        watched.register(typist.socket, selectors.EVENT_READ, typist)
    watched.register(control, selectors.EVENT_READ, None)
    control.send("ready")
    sent: dict[tuple[int, int], float] = {}
    edits: list[tuple[float, float]] = []
    gap, due, turn = 1 / rate / len(typists), time.perf_counter(), 0
    end = None
    while end is None or (sent and time.perf_counter() < end):
        for key, _ in watched.select(0.01 if end else max(0, due - time.perf_counter())):
            if key.data is None:
                control.recv()
                watched.unregister(control)
                end = time.perf_counter() + DRAIN_SECONDS
                continue
            key.data.read()
            at = time.perf_counter()
            for message in key.data.messages():
                if message[:2] == b"\x00\x02":
                    note(message, key.data.client, sent, edits, at)
        now = time.perf_counter()
        if end is None and now >= due:
            typist = typists[turn % len(typists)]
            turn, due = turn + 1, due + gap
            sent[typist.client, typist.clock] = now
            typist.type()
    control.send((edits, len(sent)))


def note(message: bytes, own: int, sent: dict, edits: list, at: float) -> None:
    """Takes the edits of the other out of `sent`."""
    reader = Reader(message[2:])
    reader.number()
    for _ in range(reader.number()):
        structs, client, clock = reader.number(), reader.number(), reader.number()
        for _ in range(structs):
            for clock in range(clock, clock + reader.typed()):
                if client != own and (begun := sent.pop((client, clock), None)) is not None:
                    edits.append((begun, (at - begun) * 1000))
            clock += 1


def pair_room(port: int) -> list[str]:
    owner, guest = Client.registered(port), Client.registered(port)
    room = owner.call("POST", "/rooms", {"kind": "pair", "visibility": "public", "language": "python"})["id"]
    code = owner.call("POST", f"/rooms/{room}/invites", {})["code"]
    guest.call("POST", f"/invites/{code}/accept", {})
    return [
        f"/sync/{room}/main?token={person.call('POST', f'/rooms/{room}/sync-tokens', {})['sync_token']}"
        for person in (owner, guest)
    ]


def registered(port: int, count: int) -> list[str]:
    client = Client(port)
    handles = [f"login{secrets.token_hex(5)}" for _ in range(count)]
    for handle in handles:
        client.call("POST", "/users", {"handle": handle, "email": f"{handle}@example.org", "password": PASSWORD})
    client.close()
    return handles


def log_in_all(port: int, handles: list[str], count: int, at_once: int) -> list[float]:
    """So many log-ins, round all accounts; how long each took, ms. One that is refused ends the benchmark."""
    numbers, took, faults = itertools.count(), [], []

    def work() -> None:
        try:
            client = Client(port)
            while (turn := next(numbers)) < count and not faults:
                start = time.perf_counter()
                client.call("POST", "/sessions", {"login": handles[turn % len(handles)], "password": PASSWORD})
                took.append((time.perf_counter() - start) * 1000)
            client.close()
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return took


def beside_busy_loops(seconds: float) -> None:
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(HASHING_THREADS)]
    time.sleep(seconds)
    for loop in loops:
        loop.kill()
        loop.wait()


def measure(options: argparse.Namespace, server: Server) -> dict:
    handles = registered(server.port, -(-options.log_ins // LOG_INS_AN_ACCOUNT))
    context = multiprocessing.get_context("spawn")
    control, other_end = context.Pipe()
    typing = context.Process(
        target=type_edits, args=(server.port, pair_room(server.port), options.rate, other_end), daemon=True
    )
    typing.start()
    other_end.close()
    control.recv()
    took: list[float] = []
    phases: dict[str, tuple[float, float, float]] = {}
    for name, work in {
        "before": lambda: time.sleep(options.seconds),
        f"beside {HASHING_THREADS} busy loops": lambda: beside_busy_loops(options.seconds),
        "during log-ins": lambda: took.extend(log_in_all(server.port, handles, options.log_ins, options.at_once)),
        "after": lambda: time.sleep(options.seconds),
    }.items():
        time.sleep(SETTLE_SECONDS)
        mark, cpu, start = busy_share(), sum(server.cpu_seconds()), time.perf_counter()
        work()
        phases[name] = start, time.perf_counter(), busy_share(mark)
        if name == "during log-ins":
            cpu_ms = (sum(server.cpu_seconds()) - cpu) * 1000 / options.log_ins
    control.send("stop")
    edits, lost = control.recv()
    typing.join()
    if lost:
        raise RuntimeError(f"{lost} edits did not arrive")
    return {
        "log_in_ms": took,
        "cpu_ms_a_log_in": cpu_ms,
        "phases": {
            name: {"seconds": end - start, "busy": busy, "edit_ms": [ms for at, ms in edits if start <= at < end]}
            for name, (start, end, busy) in phases.items()
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common_options(parser)
    parser.add_argument("--log-ins", type=int, default=500, help="10,000 for the whole")
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20, help="of each of the other phases")
    parser.add_argument("--rate", type=float, default=10, help="characters a second of each writer")
    options = parser.parse_args()
    if not 1 <= options.log_ins <= MAXIMUM_LOG_INS or not 1 <= options.at_once <= MAXIMUM_AT_ONCE:
        parser.error(f"--log-ins is 1 to {MAXIMUM_LOG_INS}, --at-once 1 to {MAXIMUM_AT_ONCE}")
    if not 1 <= options.seconds <= 300 or not 0.1 <= options.rate <= 50:
        parser.error("--seconds is 1 to 300, --rate 0.1 to 50")
    before = machine()
    with Workspace(options.binary) as workspace, Server(workspace, "--rate-limits", LIMITS) as server:
        figures = measure(options, server)
    rows = []
    for name, phase in figures["phases"].items():
        edits = phase["edit_ms"]
        rows.append([
            name, phase["seconds"], len(edits), median(edits), quantile(edits, 0.99), max(edits),
            sum(ms > STALL_MS for ms in edits), f"{phase['busy']:.0%}",
        ])  # fmt: skip
    print(table(["", "s", "edits", "p50 ms", "p99 ms", "max ms", f"over {STALL_MS} ms", "cores busy"], rows))
    took, seconds = figures["log_in_ms"], figures["phases"]["during log-ins"]["seconds"]
    print(
        f"\n{len(took):,} log-ins, {options.at_once} at once, in {seconds:.1f} s: {len(took) / seconds:.1f} a second, p50 "
        f"{number(median(took))} ms, p99 {number(quantile(took, 0.99))} ms, {number(figures['cpu_ms_a_log_in'])} ms of CPU each"
    )
    print(f"machine: {before}, load at the end {os.getloadavg()}")
    finish(options, {"machine": before, **figures})


if __name__ == "__main__":
    main()
