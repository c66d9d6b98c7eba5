"""permessage-deflate (RFC 7692): against PyPI `websockets` and node's `ws`, and by hand where they are too well-behaved.

The shapes of Autobahn's groups 12 (payloads) and 13 (parameters), whose Python 2 code is not ported, are those of
`test_websockets_echo`. Seeded; CODUEL_TEST_SEED and CODUEL_TEST_SCALE choose the messages and their number.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess

import pytest
from harness import frames, wire
from harness.frames import COMPRESSED, CONTINUATION, FIN, TEXT, HandMade, deflate
from pycrdt import Doc, Text
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.sync.client import connect

SEED = int(os.environ.get("CODUEL_TEST_SEED", "1"))
SCALE = float(os.environ.get("CODUEL_TEST_SCALE", "1"))
ECHO = "/conformance/echo"
TERMS = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
# Group 12's sizes of messages.
SIZES = [0, 1, 16, 64, 256, 1_023, 1_024, 4_096, 8_192, 16_384, 32_768, 65_536, 131_072, 262_144, 262_145]


@pytest.fixture(scope="module")
def echo():
    from harness.server import Server

    server = Server("--conformance-echo", "--open-rooms").start()
    yield server
    server.close()


def payload(chance: random.Random, size: int) -> bytes:
    kind = chance.randrange(3)
    if kind == 0:
        return chance.randbytes(size)
    if kind == 1:
        return bytes(size)
    words = [b"let ", b"x = ", b"foo(", b");\n", "grüße".encode(), b"0123"]
    return b"".join(chance.choice(words) for _ in range(size // 4 + 1))[:size]


# Group 13's combinations: who may keep a context, and how large the windows are.
@pytest.mark.parametrize("server_window", [None, 9, 12, 15])
@pytest.mark.parametrize("client_window", [None, True, 9, 15])
@pytest.mark.parametrize("keeps_context", [False, True])
def test_websockets_echo(echo, keeps_context, client_window, server_window):
    factory = ClientPerMessageDeflateFactory(
        server_no_context_takeover=not keeps_context,
        client_no_context_takeover=not keeps_context,
        client_max_window_bits=client_window,
        server_max_window_bits=server_window,
    )
    chance = random.Random(f"{SEED} {keeps_context} {client_window} {server_window}")
    with connect(echo.ws + ECHO, extensions=[factory], compression=None, max_size=None, proxy=None) as socket:
        agreed = socket.response.headers["Sec-WebSocket-Extensions"]
        assert agreed == (TERMS if server_window is None else f"{TERMS}; server_max_window_bits={server_window}")
        for _ in range(max(1, int(SCALE))):
            for size in SIZES:
                message: bytes | str = payload(chance, size)
                if chance.random() < 0.3:
                    message = message.decode("latin-1")
                pieces = [message]
                if size > 10 and chance.random() < 0.4:
                    cut = chance.randrange(len(message))
                    pieces = [message[:cut], message[cut:]]
                socket.send(pieces[0] if len(pieces) == 1 else iter(pieces))
                assert socket.recv(timeout=20) == message, f"{size} bytes came back changed; CODUEL_TEST_SEED={SEED}"


def test_ws_of_node_echo(echo):
    command = ["node", str(wire.__file__).replace("harness/wire.py", "clients/ws_deflate.cjs"), echo.ws + ECHO]
    done = subprocess.run(
        [*command, str(SEED), str(int(100 * SCALE))],
        env=os.environ | {"NODE_PATH": "/usr/share/nodejs"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["done"] == int(100 * SCALE) and told["code"] == 1000
    assert told["extensions"] == "permessage-deflate"


OFFERS = [
    (None, None),
    ("permessage-deflate", TERMS),
    ("Permessage-Deflate ; Client_max_window_bits", TERMS),
    ("permessage-deflate; client_max_window_bits=10", TERMS),
    ('permessage-deflate; server_max_window_bits="10"', TERMS + "; server_max_window_bits=10"),
    ("x-webkit-deflate-frame, permessage-deflate", TERMS),
    # zlib has no window of 256 bytes without a wrapper: the next offer is taken.
    ("permessage-deflate; server_max_window_bits=8", None),
    ("permessage-deflate; server_max_window_bits=8, permessage-deflate", TERMS),
    ("permessage-deflate; server_max_window_bits", None),
    ("permessage-deflate; server_max_window_bits=16", None),
    ("permessage-deflate; server_max_window_bits=09", None),
    ("permessage-deflate; server_max_window_bits=+9", None),
    ("permessage-deflate; client_max_window_bits=7", None),
    ("permessage-deflate; server_no_context_takeover=1", None),
    ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", None),
    ("permessage-deflate; unheard_of", None),
    ("permessage-deflate;", None),
    ("permessage-bzip2", None),
    (", ,;;==", None),
    ("permessage-bzip2, " * 40 + "permessage-deflate", None),
]


@pytest.mark.parametrize("offer, answer", OFFERS)
def test_offers(echo, offer, answer):
    with HandMade(echo, ECHO, offer) as socket:
        assert socket.status == 101 and socket.extensions == answer


def test_a_final_block_may_end_a_message(echo):
    import zlib

    codec = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = codec.compress(b"Hello" * 400) + codec.flush(zlib.Z_FINISH)
    with HandMade(echo, ECHO) as socket:
        socket.send(body + b"\0", bits=FIN | COMPRESSED)
        assert socket.frame().message() == b"Hello" * 400


BROKEN = [
    ("garbage", [(b"\xff\xff\xff\xff", TEXT, FIN | COMPRESSED)], 1007),
    ("a cut stream", [(deflate(os.urandom(500))[:100], TEXT, FIN | COMPRESSED)], 1007),
    ("no UTF-8 within", [(deflate(b"\xff\xfe" * 40), TEXT, FIN | COMPRESSED)], 1007),
    ("a compressed ping", [(deflate(b"hi"), 9, FIN | COMPRESSED)], 1002),
    ("a later frame that says so", [(b"\0", TEXT, COMPRESSED), (b"\0", CONTINUATION, FIN | COMPRESSED)], 1002),
    ("another reserved bit", [(b"hi", TEXT, FIN | 0x20)], 1002),
]


@pytest.mark.parametrize("what, sent, code", BROKEN, ids=[case[0] for case in BROKEN])
def test_what_breaks_the_rules_is_closed(echo, what, sent, code):
    with HandMade(echo, ECHO) as socket:
        for body, opcode, bits in sent:
            socket.send(body, opcode, bits)
        assert socket.close_code() == code
    echo.assert_alive()


def test_compression_that_was_not_agreed_on_is_refused(echo):
    with HandMade(echo, ECHO, None) as socket:
        socket.send(deflate(b"hello"), TEXT, FIN | COMPRESSED)
        assert socket.close_code() == 1002


@pytest.mark.parametrize("path, bytes_within", [(ECHO, 300 << 20), ("/sync/open/bomb", 64 << 20)])
def test_a_bomb_is_capped(echo, path, bytes_within):
    bomb = deflate(bytes(bytes_within))
    before = echo.resident_bytes()
    for _ in range(3):
        with HandMade(echo, path) as socket:
            half = len(bomb) // 2
            socket.send(bomb[:half], bits=COMPRESSED)
            socket.send(bomb[half:], CONTINUATION)
            assert socket.close_code() == 1009
    assert echo.resident_bytes() - before < 160 << 20, "it was expanded"
    echo.assert_alive()


def test_a_broadcast_is_compressed_for_those_who_agreed(echo):
    path = "/sync/open/compressed"
    text = "".join(f"line {number % 7} of the text\n" for number in range(400))
    update = wire.update(wire.text_update(77, text))
    with (
        wire.RawSocket(echo, path) as writer,
        HandMade(echo, path) as packed,
        HandMade(echo, path, None) as plain,
        HandMade(echo, path, "permessage-deflate; server_max_window_bits=9") as small,
    ):
        for socket in (packed, plain, small):
            socket.send(wire.step1())
            while socket.frame().message()[:2] != bytes([wire.SYNC, wire.STEP2]):
                pass
        writer.send(update)
        got = []
        for socket in (packed, plain, small):
            frame = socket.frame()
            while frame.message()[:2] != bytes([wire.SYNC, wire.UPDATE]):
                frame = socket.frame()
            got.append(frame)
        assert [frame.is_compressed for frame in got] == [True, False, True]
        assert {frame.message() for frame in got} == {update}
        assert len(got[0].payload) * 5 < len(got[1].payload)
        # What is small travels as it is: it would not shrink.
        writer.send(wire.update(wire.text_update(78, "x")))
        assert not packed.frame().is_compressed


def test_the_state_of_a_large_document_is_compressed(echo):
    path = "/sync/open/large"
    text = "".join(f"line {number % 77} of the text\n" for number in range(8_000))
    with wire.RawSocket(echo, path) as writer:
        writer.send(wire.update(wire.text_update(77, text)))
        writer.wait_for("the echo", lambda m: m[0] == wire.SYNC and m[1][0] == wire.UPDATE)
        with HandMade(echo, path) as reader:
            for _ in range(2):
                reader.send(wire.step1())
                frame = reader.frame()
                while frame.message()[:2] != bytes([wire.SYNC, wire.STEP2]):
                    frame = reader.frame()
                assert frame.is_compressed and len(frame.payload) < 40_000
                doc = Doc()
                doc.apply_update(wire.decode(frame.message())[1][1])
                assert str(doc.get("code", type=Text)) == text


def test_many_documents_with_a_compressing_socket(echo):
    """Frames of sizes around the threshold, in both directions, arrive whole and in order."""
    chance = random.Random(SEED)
    with HandMade(echo, ECHO) as socket:
        for number in range(int(60 * SCALE)):
            body = payload(chance, chance.choice([1_000, 1_023, 1_024, 1_025, 30_000]))
            pieces = [body[at : at + 777] for at in range(0, len(body), 777)] if number % 2 else [body]
            if number % 3:
                packed = deflate(body)
                pieces = [packed[at : at + 300] for at in range(0, len(packed), 300)]
            for at, piece in enumerate(pieces):
                bits = (COMPRESSED if number % 3 and at == 0 else 0) | (FIN if at == len(pieces) - 1 else 0)
                socket.send(piece, frames.BINARY if at == 0 else CONTINUATION, bits)
            assert socket.frame().message() == body


def test_offers_do_not_multiply(echo):
    """Every order of a few terms is either declined or answered with the same terms."""
    terms = ["client_max_window_bits", "server_no_context_takeover", "client_no_context_takeover"]
    for order in itertools.permutations(terms):
        with HandMade(echo, ECHO, "; ".join(["permessage-deflate", *order])) as socket:
            assert socket.extensions == TERMS


def test_a_foreign_origin_is_not_upgraded(echo):
    with HandMade(echo, "/sync/open/origin", origin="https://evil.example") as socket:
        assert socket.status >= 400
    with HandMade(echo, "/sync/open/origin", origin=echo.http) as socket:
        assert socket.status == 101
