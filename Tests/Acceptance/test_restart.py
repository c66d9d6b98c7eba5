"""kill -9 in the middle of work, and everything is there again."""

from __future__ import annotations

import pytest

from harness.api import Api, bundled_problems, slow_python
from harness.battle import Duel, finished_events
from harness.peers import FILE
from harness.waiting import scaled, until


@pytest.mark.timeout(300)
def test_clients_reconnect_by_themselves_and_converge(serve, yjs):
    server = serve()
    api = Api(server)
    alice, bob = api.register(), api.register()
    room = alice.make_pair_room(problem_id=bundled_problems()[0])
    alice.invite(room["id"], bob)
    people = [(alice, yjs()), (bob, yjs())]
    codes = [
        peer.open_room(server, room["id"], "main", account.sync_token(room["id"])).synced() for account, peer in people
    ]
    chats = [peer.open_room(server, room["id"], "chat", account.token).synced() for account, peer in people]
    state = people[0][1].open_room(server, room["id"], "state", alice.token).synced()
    before = state.map("room")
    for number in range(3):
        assert chats[number % 2].post_chat(f"line {number}")["type"] == "chat.accepted"
    until("both read the chat", lambda: all(len(chat.array("messages")) == 3 for chat in chats))

    alphabets = ("abcdefghij", "ABCDEFGHIJ")
    length = scaled(400, floor=200)
    for code, alphabet in zip(codes, alphabets):
        code.call("type", target=FILE, text=(alphabet * length)[:length], every_ms=8)
    for share in (0.3, 0.6):
        until(
            "they are in the middle of typing",
            lambda: all(code.call("typing")["done"] > share * length for code in codes),
            60,
        )
        server.restart()

    until("both typed to the end", lambda: all(code.call("typing")["done"] == length for code in codes), 60)
    until(
        "both are connected again", lambda: all(document.status()["synced"] for document in (*codes, *chats, state)), 30
    )
    text = until(
        "both have the same text", lambda: (t := codes[0].text()) == codes[1].text() and len(t) == 2 * length and t, 30
    )
    for code, alphabet in zip(codes, alphabets):
        own = "".join(character for character in text if character in alphabet)
        assert own == (alphabet * length)[:length], "a character was lost, doubled or moved"
        assert not code.status()["denials"], code.status()

    assert [m["text"] for m in chats[1].array("messages")] == ["line 0", "line 1", "line 2"]
    fresh = yjs()
    history = fresh.open_room(server, room["id"], "chat", bob.token).synced().array("messages")
    assert [m["text"] for m in history] == ["line 0", "line 1", "line 2"], history
    assert fresh.open_room(server, room["id"], "main", bob.token).synced().text() == text
    after = fresh.open_room(server, room["id"], "state", bob.token).synced().map("room")
    for key in ("kind", "problem_id"):
        assert after.get(key) == before.get(key), f"state.room.{key} was {before.get(key)}, is {after.get(key)}"
    assert chats[0].post_chat("after the restart")["type"] == "chat.accepted"


@pytest.mark.timeout(300)
def test_battle_goes_on_and_a_submission_ends_with_one_verdict(serve, yjs):
    server = serve()
    duel = Duel(Api(server), yjs).run()
    before = duel.alice.state.map("room")
    duel.alice.code.replace(slow_python(duel.problem_id, 0.5))
    submission = duel.alice.submit()["id"]
    until(
        "it is being judged",
        lambda: duel.alice.account.submission(submission)["status"] in ("compiling", "running"),
        20,
    )
    server.restart()

    found = duel.alice.account.verdict(submission, 90)
    assert found["verdict"] == "AC", f"verdict after the restart: {found['verdict']}, expected AC: {found}"
    room = duel.wait_phase("finished", timeout=60)
    assert room["winner"] == duel.alice.id, room
    for key in ("problem_id", "started_at", "deadline"):
        assert room[key] == before[key], f"state.room.{key} was {before[key]}, is {room[key]}"
    verdicts = [event["verdict"] for event in finished_events(duel.bob.state, submission)]
    assert verdicts == ["AC"], f"verdicts of one submission in events: {verdicts}, expected one AC"

    # Judged once more or not: the row does not change again.
    server.restart()
    again = duel.alice.account.submission(submission)
    assert again == found, f"the finished submission changed over a restart:\n{found}\n{again}"
    until("the rating moved", lambda: duel.alice.account.rating() > 1500)
    rating = duel.alice.account.rating()
    server.restart()
    assert duel.alice.account.rating() == rating, "a restart rated the battle a second time"


@pytest.mark.timeout(120)
def test_sigterm_says_goodbye_and_exits_with_zero(serve, yjs):
    server = serve()
    alice = Api(server).register()
    room = alice.make_pair_room()
    code = yjs().open_room(server, room["id"], "main", room["sync_token"], once=True).synced()
    code.insert("kept")
    assert server.stop() == 0, f"exit code {server.process.returncode}, expected 0"
    closes = until("the socket is closed", lambda: code.status()["closes"])
    assert closes[0]["code"] in (1001, 1012), f"close code {closes[0]['code']}, expected 1001"
    server.start()
    again = yjs().open_room(server, room["id"], "main", room["sync_token"]).synced()
    assert again.text() == "kept"
