"""Hostile input: a specific error, nothing stored, the server alive and its memory bounded."""

from __future__ import annotations

import base64
import json
import os
import random
import resource
import socket
import stat
import struct
import subprocess
import zipfile

import pytest
from pycrdt import Doc, Text
from websockets.exceptions import ConnectionClosed

from harness import wire
from harness.api import (
    Api,
    assert_problem,
    bundled_problems,
    files_below,
    package_entries,
    unique,
    zip_of,
)
from harness.server import BINARY, coduel, environment
from harness.waiting import until

MEBIBYTE = 1 << 20
CODE = {"root": "code"}
# 23 bytes of update format v2 that stand for 200,000 structs: run-length columns with the attacker's counts.
V2_BOMB = bytes.fromhex("0000010100000100010000000441be9a0c01c09a0c0000")
VALID = wire.text_update(4001, "hello")
HUGE = 2**53 - 1


def update_with(struct_bytes: bytes, client: int = 4002, clock: int = 0, count: int = 1) -> bytes:
    """A v1 update of one client whose struct section is given, and an empty delete set."""
    return wire.var_uint(1) + wire.var_uint(count) + wire.var_uint(client) + wire.var_uint(clock) + struct_bytes + b"\0"


def item(content_ref: int, content: bytes, root: str = "code") -> bytes:
    return bytes([content_ref, 1]) + wire.var_bytes(root.encode()) + content


MALFORMED_UPDATES = {
    "empty": b"",
    "v2 bomb": V2_BOMB,
    "unknown content": update_with(item(0x1F, b"\0")),
    "content type beyond the known": update_with(item(7, wire.var_uint(99))),
    "string longer than the update": update_with(item(4, wire.var_uint(1 << 30) + b"x")),
    "string that is no UTF-8": update_with(item(4, wire.var_bytes(b"\xff\xfe\xfd"))),
    "any nested 20,000 deep": update_with(item(8, wire.var_uint(1) + bytes([117, 1]) * 20_000 + bytes([126]))),
    "more structs than bytes": update_with(b"\0\1", count=1 << 40),
    "more clients than bytes": wire.var_uint(1 << 40) + b"\1\1\0",
    "gc beyond the largest clock": update_with(b"\0" + wire.var_uint(HUGE), clock=HUGE),
    "varint without end": b"\xff" * 64,
    "client id beyond 2^53": update_with(item(4, wire.var_bytes(b"x")), client=1 << 60),
    "delete set range beyond the largest clock": b"\0\1"
    + wire.var_uint(4003)
    + b"\1"
    + wire.var_uint(HUGE)
    + wire.var_uint(HUGE),
    "more delete ranges than bytes": b"\0\1" + wire.var_uint(4003) + wire.var_uint(1 << 40) + b"\0\1",
}


@pytest.fixture
def room(open_server):
    """A fresh open room with something in it: its name and a check that the content is still the same and editable."""
    name = unique("bad")
    with wire.open_socket(open_server, name) as socket_:
        socket_.wait_synced()
        socket_.send(wire.update(wire.text_update(900_000, "content")))
        socket_.wait_for("the echo", lambda m: m[0] == wire.SYNC and m[1][0] == wire.UPDATE)

    def unharmed(extra: str = "") -> None:
        open_server.assert_alive()
        with wire.open_socket(open_server, name) as reader:
            doc = Doc()
            text = doc.get("code", type=Text)
            doc.apply_update(reader.wait_synced())
            assert str(text) == "content" + extra, f"the document now reads {str(text)!r:.200}"
            assert len(state_vector(doc)) == 1, f"the state vector has {state_vector(doc)}"

    return name, unharmed


def state_vector(doc: Doc) -> list[tuple[int, int]]:
    data = doc.get_state()
    count, at = wire.read_var_uint(data, 0)
    pairs = []
    for _ in range(count):
        client, at = wire.read_var_uint(data, at)
        clock, at = wire.read_var_uint(data, at)
        pairs.append((client, clock))
    return pairs


def test_the_bomb_is_one():
    """Real Yjs makes 200,000 structs of it."""
    script = (
        "const Y=require('yjs');const d=new Y.Doc();Y.applyUpdateV2(d,Buffer.from(process.argv[1],'hex'));"
        "console.log(Y.getState(d.store,1))"
    )
    done = subprocess.run(
        ["node", "-e", script, V2_BOMB.hex()],
        capture_output=True,
        text=True,
        env=os.environ | {"NODE_PATH": "/usr/share/nodejs"},
    )
    assert len(V2_BOMB) == 23 and done.stdout.strip() == "200000", done.stdout + done.stderr


@pytest.mark.parametrize("what", MALFORMED_UPDATES)
@pytest.mark.parametrize("frame_of", [wire.update, wire.step2], ids=["update", "step2"])
def test_malformed_updates_reset_the_socket(open_server, room, what, frame_of):
    name, unharmed = room
    with wire.open_socket(open_server, name) as socket_:
        socket_.wait_synced()
        socket_.send(frame_of(MALFORMED_UPDATES[what]))
        socket_.wait_denied("reset:malformed", "reset:too_large")
        # Quarantine: every later write of this socket is refused too, and it still hears the others.
        socket_.send(wire.update(VALID))
        assert not [m for m in socket_.drain(0.2) if m[0] == wire.SYNC and m[1][0] == wire.UPDATE], (
            "a quarantined socket may write"
        )
    unharmed()


def test_a_quarantined_socket_still_hears_the_others(open_server, yjs):
    name = unique("bad")
    writer = yjs().open(open_server.ws + "/sync/open", name).synced()
    with wire.open_socket(open_server, name) as socket_:
        socket_.wait_synced()
        socket_.send(wire.update(b""))
        socket_.wait_denied("reset:malformed")
        writer.insert("stillheard", target=CODE)
        socket_.wait_for(
            "the update of another", lambda m: m[0] == wire.SYNC and m[1][0] == wire.UPDATE and b"stillheard" in m[1][1]
        )


def test_truncated_updates_and_frames(open_server, room):
    name, unharmed = room
    frames = [wire.update(VALID[:length]) for length in range(len(VALID))]
    frames += [wire.update(VALID)[:length] for length in range(1, len(wire.update(VALID)))]
    for frame in frames:
        with wire.open_socket(open_server, name) as socket_:
            socket_.wait_synced()
            socket_.send(frame)
            if len(frame) > 1:
                socket_.wait_denied("reset:malformed")
    unharmed()


def test_random_frames(open_server, room):
    name, unharmed = room
    seed = random.randrange(1 << 31)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(40):
        with wire.open_socket(open_server, name) as socket_:
            try:
                for _ in range(25):
                    body = rng.randbytes(rng.choice((1, 9, 60, 700)))
                    head = rng.choice((b"", b"\0", b"\0\0", b"\0\1", b"\0\2", b"\1", b"\2", b"\3", b"\5", b"\x08"))
                    socket_.send(head + body)
                socket_.drain(0.01)
            except ConnectionClosed:
                assert socket_.close_code not in (None, 1006, 1011), f"closed with {socket_.close_code} (seed {seed})"
    unharmed()


def test_bits_flipped_in_a_real_update(open_server, room):
    """Whatever the server makes of each, the document stays one that real Yjs can read, and no state is half applied."""
    name, _ = room
    seed = random.randrange(1 << 31)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(150):
        frame = bytearray(VALID)
        for _ in range(rng.randrange(1, 4)):
            frame[rng.randrange(len(frame))] ^= 1 << rng.randrange(8)
        with wire.open_socket(open_server, name) as socket_:
            socket_.send(wire.update(bytes(frame)))
            socket_.wait_synced()
    open_server.assert_alive()
    with wire.open_socket(open_server, name) as reader:
        doc = Doc()
        doc.apply_update(reader.wait_synced())


@pytest.mark.parametrize("frame", ["hello", "", "{}", "\u2603" * 1000])
def test_text_frames_are_errors(open_server, room, frame):
    name, unharmed = room
    with wire.open_socket(open_server, name) as socket_:
        socket_.wait_synced()
        socket_.send(frame)
        try:
            socket_.wait_denied("reset:malformed", timeout=5)
        except AssertionError:
            assert socket_.close_code in (1002, 1003, 1007, 1008), (
                f"a text frame got {socket_.close_code}, expected 1003 or reset:malformed"
            )
    unharmed()


def handshake(server, path: str) -> socket.socket:
    """A WebSocket by hand, to send frames that no library sends."""
    raw = socket.create_connection((server.host, server.port), 10)
    key = base64.b64encode(os.urandom(16)).decode()
    raw.sendall(
        f"GET {path} HTTP/1.1\r\nHost: {server.host}:{server.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        chunk = raw.recv(1)
        assert chunk, f"no upgrade: {answer!r}"
        answer += chunk
    assert b" 101 " in answer.split(b"\r\n")[0], answer
    return raw


def close_code_of(raw: socket.socket) -> int | None:
    """Reads server frames until a close frame; None when the connection just ends."""
    raw.settimeout(10)

    def exactly(count: int) -> bytes:
        data = b""
        while len(data) < count:
            chunk = raw.recv(count - len(data))
            if not chunk:
                raise ConnectionError
            data += chunk
        return data

    try:
        while True:
            first, length = exactly(2)
            if length == 126:
                (length,) = struct.unpack(">H", exactly(2))
            elif length == 127:
                (length,) = struct.unpack(">Q", exactly(8))
            payload = exactly(length)
            if first & 15 == 8:
                return struct.unpack(">H", payload[:2])[0]
    except ConnectionError:
        return None


def test_a_frame_of_100_megabytes_is_refused_by_its_header(open_server, room):
    name, unharmed = room
    raw = handshake(open_server, f"/sync/open/{name}")
    with raw:
        raw.sendall(bytes([0x82, 0xFF]) + struct.pack(">Q", 100 * MEBIBYTE) + b"\0\0\0\0" + b"\0" * 1000)
        code = close_code_of(raw)
    assert code == 1009, f"closed with {code}, expected 1009"
    unharmed()


@pytest.mark.parametrize(
    "name, head",
    [
        ("unmasked", bytes([0x82, 0x05]) + b"hello"),
        ("reserved opcode", bytes([0x83, 0x80, 0, 0, 0, 0])),
        ("reserved bits", bytes([0xF2, 0x80, 0, 0, 0, 0])),
        ("fragmented ping", bytes([0x09, 0x80, 0, 0, 0, 0])),
        ("length of 2^63", bytes([0x82, 0xFF]) + b"\xff" * 8 + b"\0\0\0\0"),
        ("continuation of nothing", bytes([0x80, 0x80, 0, 0, 0, 0])),
    ],
)
def test_frames_against_the_protocol(open_server, room, name, head):
    room_name, unharmed = room
    with handshake(open_server, f"/sync/open/{room_name}") as raw:
        raw.sendall(head)
        code = close_code_of(raw)
    assert code in (1002, 1009, None), f"{name}: closed with {code}, expected 1002"
    unharmed()


@pytest.mark.timeout(180)
def test_memory_stays_bounded_under_big_frames(open_server, room):
    name, unharmed = room
    before = open_server.resident_bytes()
    peak = before
    for _ in range(4):
        with wire.open_socket(open_server, name) as socket_:
            try:
                socket_.send(wire.update(b"\0" * (100 * MEBIBYTE)))
                socket_.wait_closed(20)
            except (ConnectionClosed, ConnectionError, AssertionError):
                pass
            peak = max(peak, open_server.resident_bytes())
    for _ in range(4):
        # In fragments that are each allowed, without end.
        with handshake(open_server, f"/sync/open/{name}") as raw:
            try:
                for index in range(100):
                    size = MEBIBYTE
                    raw.sendall(
                        bytes([0x02 if index == 0 else 0x00, 0xFF])
                        + struct.pack(">Q", size)
                        + b"\0\0\0\0"
                        + b"\0" * size
                    )
                    peak = max(peak, open_server.resident_bytes())
            except (ConnectionError, TimeoutError):
                pass
    for _ in range(200):
        with wire.open_socket(open_server, name) as socket_:
            socket_.send(wire.update(V2_BOMB))
            socket_.send(wire.awareness([(7, 1, "x" * 100_000)]))
    grown = (peak - before) / MEBIBYTE
    assert grown < 150, f"memory grew by {grown:.0f} MiB, expected less than 150"
    unharmed()


def test_awareness_is_capped_and_cannot_break_it(open_server, yjs):
    name = unique("bad")
    witness = yjs().open(open_server.ws + "/sync/open", name).synced()
    witness.call("set_awareness", state={"here": True})
    with wire.open_socket(open_server, name) as socket_:
        socket_.wait_synced()
        socket_.send(wire.awareness([(100_000 + n, 1, {"n": n}) for n in range(500)]))
        socket_.send(bytes([wire.AWARENESS]) + wire.var_bytes(wire.var_uint(1 << 40)))
        socket_.send(bytes([wire.AWARENESS]) + wire.var_bytes(b"\1\5\1" + wire.var_bytes(b"{no json")))
        # Somebody else's state is not ours to change.
        socket_.send(wire.awareness([(witness.client_id, 1_000_000, None)]))
        try:
            socket_.drain(0.5)
        except ConnectionClosed:
            assert socket_.close_code not in (1006, 1011), socket_.close_code
        strangers = [entry for entry in witness.call("awareness") if entry["client"] != witness.client_id]
        assert len(strangers) <= 4, f"{len(strangers)} states from one socket, expected at most 4"
    fresh = yjs().open(open_server.ws + "/sync/open", name).synced()
    until(
        "the witness is still seen",
        lambda: any(e["client"] == witness.client_id and e["state"] for e in fresh.call("awareness")),
    )


@pytest.fixture
def pair(server):
    """A pair room and its two people."""
    api = Api(server)
    alice, bob = api.register(), api.register()
    room_id = alice.make_pair_room(problem_id=bundled_problems()[0])["id"]
    alice.invite(room_id, bob)
    return room_id, alice, bob


def test_a_client_id_belongs_to_the_user_who_brought_it(server, pair, yjs):
    room_id, alice, bob = pair
    code = yjs().open_room(server, room_id, "main", alice.token).synced()
    code.insert("mine")
    until("it is acknowledged", lambda: code.status()["acknowledged"])
    clock = code.state()["clients"][str(code.client_id)]
    with wire.room_socket(server, room_id, "main", bob.token) as socket_:
        socket_.wait_synced()
        socket_.send(
            wire.update(wire.text_update(code.client_id, "forged", clock=clock, origin=(code.client_id, clock - 1)))
        )
        socket_.wait_denied("reset:foreign_client")
    for reserved in (0, 1, 255):
        with wire.room_socket(server, room_id, "main", bob.token) as socket_:
            socket_.wait_synced()
            known = dict(server_clocks(server, room_id, bob.token))
            socket_.send(wire.update(wire.text_update(reserved, "forged", clock=known.get(reserved, 0))))
            socket_.wait_denied("reset:foreign_client")
    assert code.text() == "mine"
    with wire.room_socket(server, room_id, "main", bob.token) as socket_:
        socket_.wait_synced()
        socket_.send(wire.update(wire.text_update(5005, "own")))
        socket_.wait_for(
            "the echo of an own id", lambda m: m[0] == wire.SYNC and m[1][0] == wire.UPDATE and b"own" in m[1][1]
        )


def server_clocks(server, room_id: str, token: str) -> list[tuple[int, int]]:
    with wire.room_socket(server, room_id, "main", token) as socket_:
        doc = Doc()
        doc.apply_update(socket_.wait_synced())
        return state_vector(doc)


def test_a_gap_is_asked_for_and_then_refused(server, pair):
    room_id, alice, _ = pair
    with wire.room_socket(server, room_id, "main", alice.token) as socket_:
        socket_.wait_synced()
        socket_.drain(0.2)
        socket_.send(wire.update(wire.text_update(6006, "late", clock=5, origin=(6006, 4))))
        socket_.wait_for(
            "a step 1 that asks for the missing part", lambda m: m[0] == wire.SYNC and m[1][0] == wire.STEP1
        )
        socket_.wait_denied("reset:gap", timeout=15)
    with wire.room_socket(server, room_id, "main", alice.token) as socket_:
        socket_.wait_synced()
        socket_.send(wire.update(wire.text_update(6007, "late", clock=1, origin=(6007, 0))))
        socket_.send(wire.update(wire.text_update(6007, "f")))
        socket_.wait_for(
            "the echo when the gap is filled",
            lambda m: m[0] == wire.SYNC and m[1][0] == wire.UPDATE and b"f" in m[1][1],
        )
    assert 6006 not in dict(server_clocks(server, room_id, alice.token)), "something of the refused update is stored"


def test_documents_that_only_the_server_writes(server, pair):
    room_id, alice, _ = pair
    for document in ("state", "chat"):
        with wire.room_socket(server, room_id, document, alice.token) as socket_:
            before = socket_.wait_synced()
            socket_.send(wire.step2(b"\0\0"))
            assert not [m for m in socket_.drain(0.3) if m[0] == wire.AUTH], (
                f"{document}: a step 2 that adds nothing is no write"
            )
            socket_.send(wire.update(wire.text_update(7007, "forged", root="messages")))
            socket_.wait_denied("reset:read_only")
        with wire.room_socket(server, room_id, document, alice.token) as socket_:
            after = socket_.wait_synced()
        assert b"forged" not in after and len(after) <= len(before) + 200, f"{document} was written to"


def test_a_reader_of_a_public_room_may_not_write(server, pair, yjs):
    _, alice, bob = pair
    room_id = alice.make_pair_room(visibility="public")["id"]
    stranger = yjs().open_room(server, room_id, "main", bob.token).synced()
    stranger.insert("graffiti")
    denials = until("the stranger is told", lambda: stranger.status()["denials"])
    assert denials[0] == "reset:read_only", denials
    with wire.room_socket(server, room_id, "main", alice.token) as socket_:
        assert b"graffiti" not in socket_.wait_synced()


@pytest.mark.parametrize(
    "message",
    [
        "{",
        "",
        "[]",
        "null",
        "5",
        '"chat.post"',
        "{}",
        '{"type":5}',
        '{"type":"chat.post"}',
        '{"type":"chat.post","nonce":1,"text":"x"}',
        '{"type":"chat.post","nonce":"' + "n" * 5000 + '","text":"x"}',
        '{"type":"submit"}',
        '{"type":"submit","nonce":"s","language":"cobol"}',
        '{"type":"no.such.message","nonce":"n"}',
        '{"a":' * 3000,
        "\\ud800",
    ],
    ids=lambda text: text[:24],
)
def test_stateless_messages_that_are_wrong(server, pair, message):
    room_id, alice, _ = pair
    with wire.room_socket(server, room_id, "main", alice.token) as socket_:
        socket_.wait_synced()
        socket_.send(wire.stateless(message))
        socket_.send(wire.stateless({"type": "chat.post", "nonce": "after", "text": "after"}))
        answer = socket_.wait_for(
            "the next message is answered",
            lambda m: m[1] if m[0] == wire.STATELESS and m[1].get("nonce") == "after" else None,
        )
        assert answer["type"] == "chat.accepted", answer
        wrong = [m[1] for m in socket_.seen if m[0] == wire.STATELESS and m[1].get("nonce") != "after"]
        assert all(m["type"].endswith(".refused") and m["reason"] for m in wrong), f"answered {wrong}"
    server.assert_alive()


PATHS = [
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "a/../../b",
    "%00",
    "a%00b",
    "%ff%fe",
    "x" * 5000,
    "",
    "..",
    ".",
    "a//b",
    "a\\..\\b",
    "%0d%0aX-Evil:%201",
    "CON",
    "~root",
    "'; drop table rooms; --",
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:24])
def test_path_tricks_in_room_names(open_server, path):
    outside = set(os.listdir(open_server.folder))
    for prefix in ("/sync/open/", "/sync/", "/"):
        with socket.create_connection((open_server.host, open_server.port), 10) as raw:
            raw.sendall(
                f"GET {prefix}{path.replace(' ', '%20')} HTTP/1.1\r\nHost: {open_server.host}:{open_server.port}\r\nConnection: close\r\n\r\n".encode()
            )
            raw.settimeout(10)
            answer = raw.recv(65536)
        status = int(answer.split(b" ", 2)[1])
        assert status in (200, 301, 308, 400, 401, 403, 404, 414, 426, 431), f"{prefix}{path} answered {status}"
        assert b"root:x:" not in answer and b"X-Evil" not in answer.split(b"\r\n\r\n")[0], (
            f"{prefix}{path}: {answer[:200]!r}"
        )
        if prefix != "/":
            assert status != 200, f"{prefix}{path} answered 200 without an upgrade"
    # A name that is taken is an ordinary document, kept like any other, or it is refused.
    try:
        with wire.open_socket(open_server, path.replace(" ", "%20").replace("\\", "%5c")) as socket_:
            socket_.wait_synced()
            socket_.send(wire.update(wire.text_update(8008, "odd name")))
            socket_.drain(0.2)
    except (wire.Refused, AssertionError, ConnectionClosed):
        pass
    open_server.assert_alive()
    assert set(os.listdir(open_server.folder)) == outside, "a file appeared beside the data folder"
    odd = [name for name in files_below(open_server.data) if "passwd" in name or "evil" in name.lower()]
    assert not odd, f"files named by a client: {odd}"


def test_file_names_in_submissions(server, pair):
    room_id, alice, _ = pair
    # Ten submissions a minute are allowed; these are refused and count all the same.
    for file in ("../../etc/passwd", "main.py/..", "", "a" * 5000, "\x00", "nosuch.py"):
        answer = alice.post(
            f"/v1/rooms/{room_id}/submissions", {"language": "python", "document": "main", "file": file}
        )
        assert_problem(answer, 404, 422)
        assert "root:x:" not in answer.text
    for document in ("../chat", "player-" + alice.id, "nosuch", "chat"):
        assert_problem(
            alice.post(f"/v1/rooms/{room_id}/submissions", {"language": "python", "document": document}), 403, 404, 422
        )


def symlink(name: str, target: str) -> tuple[zipfile.ZipInfo, bytes]:
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry, target.encode()


def device(name: str) -> tuple[zipfile.ZipInfo, bytes]:
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = (stat.S_IFCHR | 0o666) << 16
    return entry, b""


def encrypted(data: bytes) -> bytes:
    """The same archive with the encryption bit of every entry set."""
    out = bytearray(data)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = out.find(signature)
        while at >= 0:
            out[at + offset] |= 1
            at = out.find(signature, at + 4)
    return bytes(out)


# Each makes one archive; they are only made when their test runs.
BAD_ZIPS = {
    "climbing": lambda name, good: zip_of(good + [(f"{name}/../../coduel-evil", b"x")]),
    "climbing at the start": lambda name, good: zip_of(good + [("../coduel-evil", b"x")]),
    "absolute": lambda name, good: zip_of(good + [("/tmp/coduel-evil", b"x")]),
    "backslashes": lambda name, good: zip_of(good + [(f"{name}\\..\\..\\coduel-evil", b"x")]),
    "symbolic link": lambda name, good: zip_of(
        good + [symlink(f"{name}/data/secret/02.in", "/etc/passwd"), (f"{name}/data/secret/02.ans", b"x")]
    ),
    "device": lambda name, good: zip_of(good + [device(f"{name}/data/secret/zero")]),
    "twice the same name": lambda name, good: zip_of(good + [(f"{name}/problem.yaml", b"name: other\n")]),
    "file and folder of one name": lambda name, good: zip_of(good + [(f"{name}/problem.yaml/inner", b"x")]),
    "control character": lambda name, good: zip_of(good + [(f"{name}/data/secret/a\x01b.in", b"x")]),
    "bomb": lambda name, good: zip_of(
        good + [(f"{name}/data/secret/zz.in", b"\0" * (400 * MEBIBYTE)), (f"{name}/data/secret/zz.ans", b"1\n")]
    ),
    "30,000 entries": lambda name, good: zip_of(
        good + [(f"{name}/data/secret/{n:05}.in", b"") for n in range(30_000)], zipfile.ZIP_STORED
    ),
    "very deep": lambda name, good: zip_of(good + [(name + "/d" * 400 + "/x", b"x")]),
    "encrypted": lambda name, good: encrypted(zip_of(good)),
    "cut off": lambda name, good: zip_of(good)[:-30],
    "no zip": lambda name, good: b"PK\x03\x04 but not really" * 10,
    "empty": lambda name, good: b"",
    "only an end record": lambda name, good: b"PK\x05\x06" + b"\0" * 18,
    "nothing of a problem": lambda name, good: zip_of([("readme.txt", b"hello")]),
    "bad short name": lambda name, good: zip_of(package_entries("no good name!")),
}


@pytest.fixture(scope="module")
def author(server):
    return Api(server).with_role("author")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("what", BAD_ZIPS)
def test_zips_that_are_refused_whole(server, author, what, tmp_path):
    name = "evil" + unique()
    data = BAD_ZIPS[what](name, package_entries(name))
    before = server.resident_bytes()
    answer = author.call("POST", "/v1/problems", content=data, headers={"Content-Type": "application/zip"})
    problem = assert_problem(answer, 422, 400, 413)
    assert problem.get("detail") or problem.get("errors"), f"{what}: the error says nothing: {problem}"
    assert author.call("GET", f"/v1/problems/{name}").status_code == 404, f"{what}: something of it was stored"
    grown = (server.resident_bytes() - before) / MEBIBYTE
    assert grown < 200, f"{what}: memory grew by {grown:.0f} MiB"

    # The same on the command line.
    archive = tmp_path / f"{name}.zip"
    archive.write_bytes(data)
    done = coduel("problems", "import", archive, "--data", tmp_path / "data", timeout=60)
    assert done.returncode not in (0, -11, -6, -4, -5), f"{what}: import ended with {done.returncode}"
    assert (done.stderr + done.stdout).strip(), f"{what}: import says nothing"
    for evil in (
        "/tmp/coduel-evil",
        str(tmp_path / "coduel-evil"),
        str(tmp_path.parent / "coduel-evil"),
        str(server.folder / "coduel-evil"),
    ):
        assert not os.path.lexists(evil), f"{what}: {evil} was written"
    server.assert_alive()


def test_the_good_zip_beside_them_is_taken(server, author):
    name = "good" + unique()
    answer = author.call(
        "POST",
        "/v1/problems",
        content=zip_of(package_entries(name)),
        headers={"Content-Type": "application/zip"},
        expect=201,
    )
    assert name in json.dumps(answer.json())


@pytest.mark.parametrize(
    "data, version",
    [
        (V2_BOMB, "v2"),
        (b"\xff" * 64, "v1"),
        (b"", "v1"),
        (update_with(item(8, wire.var_uint(1) + bytes([117, 1]) * 50_000)), "v1"),
    ],
    ids=["v2 bomb", "varint", "empty", "deep"],
)
def test_update_files_that_are_refused(tmp_path, data, version):
    file = tmp_path / "update"
    file.write_bytes(data)

    def limits():
        resource.setrlimit(resource.RLIMIT_CPU, (10, 10))

    done = subprocess.run(
        [str(BINARY), "doc", "apply", str(file), "--from", version],
        capture_output=True,
        text=True,
        timeout=30,
        preexec_fn=limits,
        env=environment(),
    )
    assert done.returncode == 1 and done.stderr.strip(), (
        f"ended with {done.returncode}, expected 1 and a reason: {done.stdout}{done.stderr}"
    )
