"""Chat: written by the server alone, a nonce honoured once, capped, kept over restarts."""

from __future__ import annotations

import datetime

import pytest

from harness import wire
from harness.api import Api
from harness.waiting import until


@pytest.fixture
def pair(server, yjs):
    """A room with two people in it; their accounts and their chat documents."""
    api = Api(server)
    alice, bob = api.register(), api.register()
    room = alice.make_pair_room()["id"]
    alice.invite(room, bob)
    chats = [yjs().open_room(server, room, "chat", account.token).synced() for account in (alice, bob)]
    return room, (alice, bob), chats


def test_author_time_and_order_come_from_the_server(pair):
    _, (alice, bob), (one, other) = pair
    before = datetime.datetime.now(datetime.timezone.utc)
    first = one.post_chat("hello \U0001f600")
    second = other.post_chat("hi")
    assert first["type"] == second["type"] == "chat.accepted" and first["id"] != second["id"], (first, second)
    messages = until("both lines arrive", lambda: len(m := other.array("messages")) == 2 and m)
    assert one.array("messages") == messages
    assert [m["id"] for m in messages] == [first["id"], second["id"]]
    assert [m["text"] for m in messages] == ["hello \U0001f600", "hi"]
    assert [m["author"] for m in messages] == [{"id": a.id, "handle": a.handle} for a in (alice, bob)]
    at = datetime.datetime.fromisoformat(str(messages[0]["at"]).replace("Z", "+00:00"))
    assert abs((at - before).total_seconds()) < 30, f"time {messages[0]['at']}, expected about {before.isoformat()}"


def test_the_answer_comes_after_the_insertion(server):
    alice = Api(server).register()
    room = alice.make_pair_room()["id"]
    with wire.room_socket(server, room, "chat", alice.token) as socket:
        socket.wait_synced()
        socket.send(wire.stateless({"type": "chat.post", "nonce": "n1", "text": "hello"}))
        socket.wait_for("chat.accepted", lambda m: m[0] == wire.STATELESS)
        kinds = [message[0] for message in socket.seen if message[0] in (wire.SYNC, wire.STATELESS)]
        update = max(i for i, m in enumerate(socket.seen) if m[0] == wire.SYNC and m[1][0] == wire.UPDATE)
        answer = next(i for i, m in enumerate(socket.seen) if m[0] == wire.STATELESS)
        assert update < answer, f"chat.accepted before the insertion: {kinds}"


def test_chat_may_be_posted_on_any_socket_of_the_room(server, yjs, pair):
    room, (alice, _), (one, _) = pair
    code = yjs().open_room(server, room, "main", alice.token).synced()
    assert code.post_chat("from the editor")["type"] == "chat.accepted"
    until("the line arrives", lambda: [m["text"] for m in one.array("messages")] == ["from the editor"])


def test_a_nonce_is_honoured_once(pair):
    _, _, (one, other) = pair
    first = one.post_chat("only once", nonce="same")
    again = one.post_chat("only once", nonce="same")
    assert again["type"] == "chat.accepted" and again["id"] == first["id"], f"{first} then {again}"
    # Another author's nonce is another nonce.
    assert other.post_chat("mine", nonce="same")["id"] != first["id"]
    until("two lines in all", lambda: len(one.array("messages")) >= 2)
    assert [m["text"] for m in one.array("messages")] == ["only once", "mine"]


@pytest.mark.parametrize(
    "what, text",
    [
        ("longer than any cap", "x" * 100_000),
        ("empty", ""),
        ("only spaces", "   \n "),
        ("no string", 5),
        ("null", None),
    ],
)
def test_unusable_text_is_refused_with_a_reason(pair, what, text):
    _, _, (one, _) = pair
    answer = one.post_chat(text, nonce="bad")
    assert answer["type"] == "chat.refused" and answer["reason"], f"{what}: {answer}"
    assert one.post_chat("fine")["type"] == "chat.accepted"
    until("only the good line", lambda: [m["text"] for m in one.array("messages")] == ["fine"])


def test_the_length_cap_counts_and_lets_normal_lines_through(pair):
    _, _, (one, _) = pair
    assert one.post_chat("x" * 200)["type"] == "chat.accepted"
    assert one.post_chat("x" * 100_000)["type"] == "chat.refused"


def test_a_flood_is_refused_and_passes(pair):
    _, _, (one, other) = pair
    for number in range(60):
        one.send({"type": "chat.post", "nonce": f"f{number}", "text": f"flood {number}"})
    answers = until("60 answers", lambda: len(a := one.stateless()) >= 60 and a, 20)
    refused = [a for a in answers if a["type"] == "chat.refused"]
    accepted = [a for a in answers if a["type"] == "chat.accepted"]
    assert refused and accepted, (
        f"{len(accepted)} accepted and {len(refused)} refused of 60 at once: expected some of each"
    )
    assert all(a["reason"] for a in refused), refused
    assert other.post_chat("the other may still speak")["type"] == "chat.accepted"
    until("exactly the accepted lines", lambda: len(other.array("messages")) == len(accepted) + 1)
    until("the flooder may speak again", lambda: one.post_chat("sorry")["type"] == "chat.accepted", 60, every=1)


def test_history_survives_kill_9(serve, yjs):
    server = serve()
    api = Api(server)
    alice = api.register()
    room = alice.make_pair_room()["id"]
    chat = yjs().open_room(server, room, "chat", alice.token).synced()
    ids = [chat.post_chat(f"line {number}")["id"] for number in range(4)]
    duplicate = chat.post_chat("line 3 again", nonce="kept")
    server.restart()
    fresh = yjs().open_room(server, room, "chat", alice.token).synced()
    assert [m["id"] for m in fresh.array("messages")] == [*ids, duplicate["id"]]
    repeated = fresh.post_chat("line 3 again", nonce="kept")
    assert repeated["type"] == "chat.accepted" and repeated["id"] == duplicate["id"], (
        f"the nonce was forgotten over a restart: {repeated}"
    )
    assert fresh.post_chat("after")["type"] == "chat.accepted"
    chat.synced(30)
    until("the old client has all of it", lambda: chat.array("messages") == fresh.array("messages"))


def test_nobody_but_the_server_writes_chat(server, yjs, pair):
    room, (alice, _), (one, other) = pair
    forger = yjs().open_room(server, room, "chat", alice.token).synced()
    forger.call(
        "push",
        root="messages",
        value={
            "id": "x",
            "author": {"id": "someone", "handle": "root"},
            "text": "forged",
            "at": "2020-01-01T00:00:00Z",
        },
    )
    denials = until("the forger is told", lambda: forger.status()["denials"])
    assert denials[0] == "reset:read_only", denials
    assert one.post_chat("true")["type"] == "chat.accepted"
    until("only the true line", lambda: [m["text"] for m in other.array("messages")] == ["true"])
