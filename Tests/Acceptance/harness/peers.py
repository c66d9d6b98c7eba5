"""Editors driven from a test: processes of real Yjs (node, stock y-websocket provider) and of pycrdt."""

from __future__ import annotations

import itertools
import json
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

from harness.waiting import until

CLIENTS = Path(__file__).resolve().parents[1] / "clients"
FILE = {"file": "main.py"}


class Peer:
    """One client process. `open` gives a document with its own connection."""

    command: list[str] = []

    def __init__(self):
        environment = os.environ | {"NODE_PATH": "/usr/share/nodejs"}
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.ids = itertools.count(1)
        self.lock = threading.Lock()
        self.waiting: dict[int, queue.Queue] = {}
        self.errors: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._read_errors, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            answer = json.loads(line)
            self.waiting.pop(answer["id"]).put(answer)

    def _read_errors(self):
        for line in self.process.stderr:
            self.errors.append(line)
            del self.errors[:-50]

    def begin(self, op: str, **arguments) -> queue.Queue:
        """Sends a request; the answer will be in the queue."""
        with self.lock:
            number = next(self.ids)
            answer = self.waiting[number] = queue.Queue()
            self.process.stdin.write(json.dumps({"id": number, "op": op, **arguments}) + "\n")
            self.process.stdin.flush()
        return answer

    def finish(self, answer: queue.Queue, timeout: float = 30):
        try:
            got = answer.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(
                f"the client did not answer within {timeout:g} s; its errors: {''.join(self.errors)}"
            ) from None
        if "error" in got:
            raise AssertionError(f"the client failed: {got['error']}")
        return got["value"]

    def call(self, op: str, timeout: float = 30, **arguments):
        return self.finish(self.begin(op, **arguments), timeout)

    def open(self, url: str, name: str, token: str | None = None, **options) -> "Document":
        """Opens a document under its full name, `ROOM/DOCUMENT`, at the provider's server URL."""
        key = f"d{next(self.ids)}"
        params = {"token": token} if token else {}
        made = self.call("open", doc=key, url=url, name=name, params=params, **options)
        return Document(self, key, name, made["clientID"])

    def open_room(self, server, room: str, document: str, token: str, **options) -> "Document":
        return self.open(server.ws + "/sync", f"{room}/{document}", token, **options)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)


class YjsPeer(Peer):
    command = ["node", str(CLIENTS / "yjs_peer.cjs")]


class PycrdtPeer(Peer):
    command = [sys.executable, str(CLIENTS / "pycrdt_peer.py")]


class Document:
    """One document of a peer."""

    def __init__(self, peer: Peer, key: str, name: str, client_id: int):
        self.peer, self.key, self.name, self.client_id = peer, key, name, client_id

    def call(self, op: str, timeout: float = 30, **arguments):
        return self.peer.call(op, timeout, doc=self.key, **arguments)

    def begin(self, op: str, **arguments) -> queue.Queue:
        return self.peer.begin(op, doc=self.key, **arguments)

    def status(self) -> dict:
        return self.call("status")

    def synced(self, timeout: float = 10) -> "Document":
        def look():
            status = self.status()
            assert not status.get("denials"), f"{self.name}: the server refused: {status}"
            return status["synced"]

        try:
            until(f"{self.name} is synced", look, timeout)
        except AssertionError as failure:
            raise AssertionError(f"{failure}; status {self.status()}") from None
        return self

    def text(self, target=FILE) -> str | None:
        return self.call("text", target=target)

    def insert(self, text: str, index: int | None = None, target=FILE):
        return self.call("insert", target=target, index=index, text=text)

    def delete(self, index: int, length: int, target=FILE):
        return self.call("delete", target=target, index=index, length=length)

    def replace(self, text: str, target=FILE) -> None:
        """Makes the file hold exactly `text`."""
        old = until(f"{self.name} has {target}", lambda: (self.text(target) is not None) and [self.text(target)])[0]
        if old:
            self.delete(0, len(old.encode("utf-16-le")) // 2, target)
        self.insert(text, 0, target)

    def wait_text(self, what: str, check, timeout: float = 10, target=FILE) -> str:
        """Waits until check(text) holds; the text."""
        last: list[str | None] = [None]

        def look():
            last[0] = self.text(target)
            return last[0] is not None and check(last[0])

        try:
            until(f"{self.name}: {what}", look, timeout)
        except AssertionError as failure:
            raise AssertionError(f"{failure}; text {last[0]!r:.400}; status {self.status()}") from None
        return last[0]

    def map(self, root: str) -> dict:
        return self.call("json", root=root, type="map")

    def array(self, root: str) -> list:
        return self.call("json", root=root, type="array")

    def state(self) -> dict:
        return self.call("state")

    def close(self) -> None:
        self.call("close")

    # Chat and other stateless messages

    def send(self, message) -> None:
        self.call("send", message=message)

    def stateless(self, kind: str | None = None, nonce: str | None = None) -> list[dict]:
        return [
            message
            for message in self.call("stateless")
            if (kind is None or message.get("type") == kind) and (nonce is None or message.get("nonce") == nonce)
        ]

    def post_chat(self, text: str, nonce: str | None = None, timeout: float = 10) -> dict:
        """Posts and waits for the answer to the nonce: chat.accepted or chat.refused."""
        nonce = nonce or f"n{time.monotonic_ns()}"
        before = len(self.stateless(nonce=nonce))
        self.send({"type": "chat.post", "nonce": nonce, "text": text})
        return until(f"an answer to chat.post {nonce}", lambda: self.stateless(nonce=nonce)[before:], timeout)[0]

    # What came over the wire

    def frames(self) -> list[tuple[int, bytes]]:
        """Every frame received so far as (milliseconds since 1970, bytes); only where opened with keepFrames=True."""
        return [(frame["at"], bytes.fromhex(frame["hex"])) for frame in self.call("frames")]
