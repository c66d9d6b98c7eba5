"""Bounds of rooms and sockets: each is a setting, is said in band, and is counted."""

from __future__ import annotations

import re
import time

import pytest
from websockets.exceptions import ConnectionClosed

from harness import wire
from harness.api import Api, assert_problem, bundled_problems
from harness.server import coduel
from harness.waiting import until
from harness.wire import AUTH, STATELESS, SYNC, MultiplexedSocket, Refused


def metric(server, name: str, **labels: str) -> float:
    """The value of one series; 0 where it is not there."""
    text = Api(server).call("GET", "/metrics", expect=200).text
    wanted = ",".join(f'{key}="{value}"' for key, value in labels.items())
    series = re.escape(f"{name}{{{wanted}}}" if labels else name)
    found = re.search(rf"^{series} ([0-9.e+]+)$", text, re.M)
    return float(found.group(1)) if found else 0.0


def over(server, limit: str) -> float:
    return metric(server, "coduel_sync_over_limit_total", limit=limit)


def refused(server, code: str) -> float:
    return metric(server, "coduel_sync_refusals_total", code=code)


def test_unknown_limits_are_errors(tmp_path):
    for text in ("no_such=1", "document_bytes=0", "document_bytes=x", "document_bytes"):
        done = coduel("serve", "--listen", "127.0.0.1:0", "--data", tmp_path / "data", "--sync-limits", text)
        assert done.returncode != 0 and "sync-limits" in done.stderr, f"{text}: {done.stderr}"


def test_sizes(serve):
    server = serve("--sync-limits", "update_bytes=2000,document_bytes=20000,room_log_bytes=60000,awareness_bytes=300")
    alice = Api(server).register()
    room = alice.make_pair_room()["id"]

    def write(text: str, client: int):
        with wire.room_socket(server, room, "main", alice.token) as socket:
            socket.wait_synced()
            socket.send(wire.update(wire.text_update(client, text)))
            return socket.wait_for(
                "an echo or a refusal",
                lambda m: m[1] if m[0] == AUTH else "saved" if m[0] == SYNC and text.encode() in m[1][1] else None,
            )

    assert write("x" * 2_100, 9_001) == "reset:too_large"
    answers = [write("y" * 1_500, 9_100 + number) for number in range(14)]
    assert answers[0] == "saved" and answers[-1] == "reset:document_full", answers
    assert answers == sorted(answers, reverse=True), "full stays full"
    assert refused(server, "too_large") == 1 and refused(server, "document_full") >= 1
    with wire.room_socket(server, room, "main", alice.token) as socket:
        socket.wait_synced()
        for _ in range(3):
            socket.send(wire.awareness([(9_500, 1, {"big": "z" * 400})]))
        said = [m[1] for m in socket.drain(0.6) if m[0] == AUTH]
        assert said == ["limit:awareness_bytes"], f"said once: {said}"
        for client in range(6):
            socket.send(wire.awareness([(9_600 + client, 1, {"a": 1})]))
        said = [m[1] for m in socket.drain(0.6) if m[0] == AUTH]
        assert said == ["limit:awareness_clients"], said
        # No quarantine: the socket still reads.
        socket.wait_synced()
    assert over(server, "awareness_bytes") == 3 and over(server, "awareness_clients") == 2
    other = alice.make_pair_room()["id"]
    with wire.room_socket(server, other, "main", alice.token) as socket:
        socket.wait_synced()
        sent = 0
        for number in range(200):
            socket.send(wire.update(insert_and_delete(9_700, number)))
            sent += 1_000
        socket.wait_denied("reset:document_full")
    assert sent > 60_000, "text that is deleted again fills the log all the same"


def insert_and_delete(client: int, number: int) -> bytes:
    """A thousand letters, and the deletion of those before."""
    body = wire.text_update(client, "w" * 1_000, clock=number * 1_000)[:-1]
    if number == 0:
        return body + b"\0"
    return body + wire.var_uint(1) + wire.var_uint(client) + wire.var_uint(1) + wire.var_uint(0) + wire.var_uint(number * 1_000)


def test_numbers_of_sockets(serve):
    server = serve("--sync-limits", "sockets_per_user=3,sockets_per_address=8,documents_per_socket=2,rooms_per_user=2")
    api = Api(server)
    alice = api.register()
    room = alice.make_pair_room()["id"]
    sockets = [wire.room_socket(server, room, "main", alice.token) for _ in range(3)]
    for socket in sockets:
        socket.wait_synced()
    with wire.room_socket(server, room, "main", alice.token) as fourth:
        assert fourth.wait_closed(5) == 4429
        assert any(m[0] == AUTH for m in fourth.seen)
    with pytest.raises(Refused) as again:
        wire.room_socket(server, room, "main", alice.token)
    assert again.value.status == 429
    assert over(server, "sockets_per_user") == 1
    with MultiplexedSocket(server) as many:
        bob = api.register()
        theirs = bob.make_pair_room()["id"]
        for name in ("main", "chat", "state"):
            many.authenticate(f"{theirs}/{name}", bob.token)
        denied = many.wait_for("the refusal", lambda m: m if m[1] == AUTH and m[2][0] == 1 else None)
        assert denied[0] == f"{theirs}/state", denied
        assert over(server, "documents_per_socket") == 1
        # All sockets of the harness come from one address.
        opened = []
        with pytest.raises(Refused) as full:
            for _ in range(10):
                opened.append(MultiplexedSocket(server))
        assert full.value.status == 429 and len(opened) == 4, f"{len(opened)} more sockets of one address"
        assert over(server, "sockets_per_address") >= 1
        for socket in opened:
            socket.__exit__()
    for socket in sockets:
        socket.__exit__()
    until("places are free again", lambda: can_open(server, room, alice), 15, every=0.5)
    alice.make_pair_room()
    assert_problem(alice.post("/v1/rooms", {"kind": "pair"}), 409)


def can_open(server, room, account) -> bool:
    try:
        with wire.room_socket(server, room, "main", account.token) as socket:
            return bool(socket.wait_synced())
    except (Refused, ConnectionClosed, AssertionError):
        return False


def test_fast_writers_are_slowed_and_lose_nothing(serve):
    server = serve("--sync-limits", "user_messages_per_s=100")
    api = Api(server)
    alice, bob = api.register(), api.register()
    room = alice.make_pair_room()["id"]
    alice.invite(room, bob)
    with wire.room_socket(server, room, "main", bob.token) as reader:
        reader.wait_synced()
        # Two sockets of one user share what the user may send. What was read before the limit was met counts, but is not lost.
        sockets = [wire.room_socket(server, room, "main", alice.token) for _ in range(2)]
        begun = time.monotonic()
        for index, socket in enumerate(sockets):
            socket.wait_synced()
            for number in range(400):
                socket.send(wire.update(wire.text_update(8_000 + index, "a" * 500, clock=number * 500)))
        last = {8_000: False, 8_001: False}

        def look(message):
            return message[0] == SYNC and any(
                wire.var_uint(client) + wire.var_uint(399 * 500) in message[1][1] and not last.update({client: True})
                for client in last
            ) and all(last.values())

        reader.wait_for("the last edits of both", look, 30)
        took = time.monotonic() - begun
        assert took > 2, f"800 edits of one user in {took:.2f} s, with 100 a second and bursts of 200"
        for socket in sockets:
            socket.__exit__()
    assert over(server, "user_messages") >= 1


def test_submissions_on_sockets_and_by_http_share_a_limit(serve):
    server = serve("--rate-limits", "submissions=3/600")
    alice = Api(server).register()
    room = alice.make_pair_room(problem_id=bundled_problems()[0])["id"]
    alice.submit(room)
    answers = []
    with wire.room_socket(server, room, "main", alice.token) as socket:
        socket.wait_synced()
        for number in range(3):
            socket.send(wire.stateless({"type": "submit", "nonce": f"s{number}", "language": "python"}))
            answers.append(socket.wait_for("an answer", lambda m: m[1] if m[0] == STATELESS else None))
    assert [a["type"] for a in answers] == ["submit.accepted", "submit.accepted", "submit.refused"], answers
    assert answers[2]["reason"] == "too_fast" and answers[2]["retry_after_ms"] > 0
    assert_problem(alice.post(f"/v1/rooms/{room}/submissions", {"language": "python"}), 429)


def test_before_the_token_is_checked(serve):
    server = serve("--sync-limits", "admission_bytes=5000,admission_frames=10")
    alice = Api(server).register()
    for frames in ([wire.step1()] * 40, [wire.update(b"x" * 1_000)] * 8):
        room = alice.make_pair_room()["id"]
        with wire.room_socket(server, room, "main", alice.token) as socket:
            try:
                for frame in frames:
                    socket.send(frame)
                # The room may be open before they came; then they are messages like any other.
                closed = socket.wait_closed(2)
                assert closed == 4429, closed
            except (ConnectionClosed, AssertionError):
                pass
    server.assert_alive()


def test_open_rooms_have_a_bound(serve):
    server = serve("--open-rooms", "--sync-limits", "open_rooms=2")

    def write(name: str) -> bytes | int:
        with wire.open_socket(server, name) as socket:
            try:
                socket.wait_synced()
                socket.send(wire.update(wire.text_update(9_001, f"in {name}")))
                return socket.wait_for("the echo", lambda m: m[1][1] if m[0] == SYNC and name.encode() in m[1][1] else None)
            except (ConnectionClosed, AssertionError):
                return socket.close_code

    assert all(isinstance(write(name), bytes) for name in ("one", "two"))
    assert write("three") == 1013
    assert over(server, "open_rooms") == 1
    server.restart()
    until("the rooms of the disk are counted", lambda: write("three") == 1013, 15, every=0.5)
    with wire.open_socket(server, "one") as socket:
        assert b"in one" in socket.wait_synced(), "a room that is there stays"


def test_metrics_of_rooms_and_sockets(serve):
    server = serve()
    alice = Api(server).register()
    room = alice.make_pair_room()["id"]
    with wire.room_socket(server, room, "main", alice.token) as socket:
        socket.wait_synced()
        before = metric(server, "coduel_room_updates_total")
        socket.send(wire.update(wire.text_update(9_001, "counted")))
        socket.wait_for("the echo", lambda m: m[0] == SYNC and b"counted" in m[1][1])
        assert metric(server, "coduel_room_updates_total") > before
        assert metric(server, "coduel_ws_connections") == 1
        assert metric(server, "coduel_room_pending_bytes") == 0
        assert metric(server, "coduel_ws_slow_receivers") == 0
        for name in (
            "coduel_log_commit_seconds_count", "coduel_crdt_apply_seconds_count", "coduel_reader_lag_seconds_count",
            'coduel_ws_messages_total{direction="received",type="update"}', "coduel_ws_received_bytes_total", "coduel_ws_sent_bytes_total",
            "coduel_room_update_bytes_total",
        ):
            assert metric(server, name) > 0, name
    until("the socket is gone", lambda: metric(server, "coduel_ws_connections") == 0)
