"""Raw sync frames: what a client that is no provider may send, and what the server answers."""

from __future__ import annotations

import json
import time
from urllib.parse import quote

from pycrdt import Doc, Map, Text
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.sync.client import connect

SYNC, AWARENESS, AUTH, QUERY_AWARENESS, STATELESS, SYNC_STATUS = 0, 1, 2, 3, 5, 8
STEP1, STEP2, UPDATE = 0, 1, 2


def var_uint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def var_bytes(data: bytes) -> bytes:
    return var_uint(len(data)) + data


def read_var_uint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at


def step1(state_vector: bytes = b"\0") -> bytes:
    return bytes([SYNC, STEP1]) + var_bytes(state_vector)


def step2(update: bytes) -> bytes:
    return bytes([SYNC, STEP2]) + var_bytes(update)


def update(data: bytes) -> bytes:
    return bytes([SYNC, UPDATE]) + var_bytes(data)


def awareness(states: list[tuple[int, int, object]]) -> bytes:
    body = var_uint(len(states))
    for client, clock, state in states:
        body += var_uint(client) + var_uint(clock) + var_bytes(json.dumps(state).encode())
    return bytes([AWARENESS]) + var_bytes(body)


def stateless(message) -> bytes:
    text = message if isinstance(message, str) else json.dumps(message)
    return bytes([STATELESS]) + var_bytes(text.encode())


def text_update(
    client: int, text: str, root: str = "code", clock: int = 0, origin: tuple[int, int] | None = None
) -> bytes:
    """A v1 update with one string item: at the start of the root text, or behind `origin`."""
    body = var_uint(1) + var_uint(1) + var_uint(client) + var_uint(clock)
    if origin is None:
        body += bytes([0x04, 1]) + var_bytes(root.encode())
    else:
        body += bytes([0x84]) + var_uint(origin[0]) + var_uint(origin[1])
    return body + var_bytes(text.encode()) + b"\0"


class Decoded(tuple):
    """(type, payload): sync as (SYNC, (kind, bytes)), auth as (AUTH, reason), stateless as (STATELESS, object)."""


def decode(frame: bytes) -> Decoded:
    kind, at = read_var_uint(frame, 0)
    if kind == SYNC:
        sub, at = read_var_uint(frame, at)
        length, at = read_var_uint(frame, at)
        return Decoded((kind, (sub, frame[at : at + length])))
    if kind == AUTH:
        denied, at = read_var_uint(frame, at)
        length, at = read_var_uint(frame, at)
        return Decoded((kind, frame[at : at + length].decode() if denied == 0 else "granted"))
    if kind == STATELESS:
        length, at = read_var_uint(frame, at)
        return Decoded((kind, json.loads(frame[at : at + length])))
    return Decoded((kind, frame[at:]))


class Refused(Exception):
    """The upgrade was answered by an HTTP status."""

    def __init__(self, status: int):
        super().__init__(f"the upgrade was answered {status}")
        self.status = status


class RawSocket:
    """One WebSocket to a path of the server, frames in and out as bytes."""

    def __init__(self, server, path: str, token: str | None = None, header_token: str | None = None, **options):
        address = server.ws + path + (f"?token={quote(token)}" if token else "")
        headers = {"Authorization": f"Bearer {header_token}"} if header_token else {}
        headers |= options.pop("headers", {})
        try:
            self.socket = connect(
                address,
                additional_headers=headers,
                compression=None,
                max_size=None,
                proxy=None,
                open_timeout=10,
                ping_interval=None,
                close_timeout=2,
                legacy=True,
                **options,
            )
        except InvalidStatus as refusal:
            raise Refused(refusal.response.status_code) from None
        except InvalidMessage:
            # The connection ended without an answer.
            raise Refused(0) from None
        self.seen: list[Decoded] = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, frame: bytes | str) -> None:
        self.socket.send(frame)

    def receive(self, timeout: float = 5) -> Decoded | None:
        """The next message; None after `timeout`. Raises ConnectionClosed."""
        try:
            frame = self.socket.recv(timeout=timeout)
        except TimeoutError:
            return None
        message = decode(frame) if isinstance(frame, bytes) else Decoded(("text", frame))
        self.seen.append(message)
        return message

    def wait_for(self, what: str, check, timeout: float = 10):
        """Reads until check(message) gives something, and returns that."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            try:
                message = self.receive(left)
            except ConnectionClosed:
                raise AssertionError(
                    f"expected {what}, but the socket closed with {self.close_code}; seen {self.seen!r:.600}"
                ) from None
            if message is not None and (found := check(message)):
                return found
        raise AssertionError(f"expected within {timeout:g} s: {what}; seen {self.seen!r:.600}")

    def wait_synced(self) -> bytes:
        """Asks for everything and returns the update of step 2."""
        self.send(step1())
        return self.wait_for("step 2", lambda m: (m[1][1],) if m[0] == SYNC and m[1][0] == STEP2 else None)[0]

    def wait_denied(self, *codes: str, timeout: float = 10) -> str:
        """Waits for the auth message of quarantine and checks its reason."""
        reason = self.wait_for(f"auth message {' or '.join(codes)}", lambda m: m[1] if m[0] == AUTH else None, timeout)
        assert reason in codes, f"refused with {reason!r}, expected {' or '.join(codes)}"
        return reason

    def drain(self, seconds: float = 0.3) -> list[Decoded]:
        """Whatever arrives within `seconds`."""
        got, deadline = [], time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            message = self.receive(left)
            if message is not None:
                got.append(message)
        return got

    def wait_closed(self, timeout: float = 10) -> int:
        """Reads until the server closes; the close code."""
        deadline = time.monotonic() + timeout
        try:
            while (left := deadline - time.monotonic()) > 0:
                self.receive(left)
        except ConnectionClosed:
            return self.close_code
        raise AssertionError(f"expected the server to close within {timeout:g} s; seen {self.seen!r:.600}")

    @property
    def close_code(self) -> int:
        return self.socket.close_code


def room_socket(server, room: str, document: str, token: str | None, **options) -> RawSocket:
    return RawSocket(server, f"/sync/{room}/{document}", token, **options)


def open_socket(server, name: str) -> RawSocket:
    return RawSocket(server, f"/sync/open/{name}")


def access(server, room: str, document: str, token: str | None) -> str:
    """What the caller may do with the document: `write`, `read`, or the refusal as `401`, `403`, `404`.

    Who may write is sent a step 1, who may only read is not. A refusal comes in band with a close code 44xx the first time
    and as an HTTP status when it repeats.
    """
    try:
        with room_socket(server, room, document, token) as socket:
            socket.wait_synced()
            socket.drain(0.15)
            writes = any(message[0] == SYNC and message[1][0] == STEP1 for message in socket.seen)
            return "write" if writes else "read"
    except Refused as refusal:
        return str(refusal.status)
    except ConnectionClosed as closed:
        return _refusal_of(closed.rcvd.code if closed.rcvd else 1006)
    except AssertionError:
        code = socket.close_code
        if code is None:
            raise
        return _refusal_of(code)


def _refusal_of(code: int) -> str:
    return str(code - 4000) if 4400 <= code <= 4499 else f"closed {code}"


def document_json(update_bytes: bytes, file: str = "main.py") -> str | None:
    """The text of a file in a whole update, read by pycrdt."""
    doc = Doc()
    files = doc.get("files", type=Map)
    doc.apply_update(update_bytes)
    value = files[file] if file in files.keys() else None
    return str(value) if isinstance(value, Text) else None


class MultiplexedSocket(RawSocket):
    """The framing that names the document first, as Hocuspocus clients speak it: one socket for many documents."""

    def __init__(self, server):
        super().__init__(server, "/sync")

    def send_to(self, name: str, frame: bytes) -> None:
        self.send(var_bytes(name.encode()) + frame)

    def authenticate(self, name: str, token: str) -> None:
        self.send_to(name, bytes([AUTH, 0]) + var_bytes(token.encode()) + var_bytes(b"2.0.0"))

    def receive(self, timeout: float = 5) -> Decoded | None:
        """The next message as (document, type, payload); the payload of type 2 is (kind, text), of type 8 the number."""
        try:
            frame = self.socket.recv(timeout=timeout)
        except TimeoutError:
            return None
        length, at = read_var_uint(frame, 0)
        name, frame = frame[at : at + length].decode(), frame[at + length :]
        kind, at = read_var_uint(frame, 0)
        if kind == AUTH:
            sub, at = read_var_uint(frame, at)
            length, at = read_var_uint(frame, at)
            payload = (sub, frame[at : at + length].decode())
        elif kind == SYNC_STATUS:
            payload = read_var_uint(frame, at)[0]
        else:
            payload = decode(frame)[1]
        message = Decoded((name, kind, payload))
        self.seen.append(message)
        return message
