"""The story: two strangers are matched, write, chat, submit and get a verdict while a third watches."""

from __future__ import annotations

import pytest

from harness import wire
from harness.api import (
    WRONG_PYTHON,
    Api,
    EventStream,
    assert_problem,
    carries,
    now_ms,
    slow_python,
)
from harness.battle import Duel, finished_events
from harness.waiting import until

DELAY_MS = 3000
# Times are whole milliseconds on both sides.
ROUNDING_MS = 2


def first_frame_with(document, marker: str, after: float = 0) -> int | None:
    """When the marker first came over the wire to this document's socket, after the given time."""
    return next((at for at, frame in document.frames() if at >= after and marker.encode() in frame), None)


@pytest.mark.timeout(300)
def test_rated_duel_from_tickets_to_ratings(serve, yjs):
    server = serve()
    api = Api(server)
    alice_account, bob_account, carol = api.register(), api.register(), api.guest()
    streams = [EventStream(alice_account), EventStream(bob_account)]
    before = alice_account.rating(), bob_account.rating()

    tickets = [account.enter_queue(languages=["python"]) for account in (alice_account, bob_account)]
    rooms = [account.matched_room(ticket, 10) for account, ticket in zip((alice_account, bob_account), tickets)]
    assert rooms[0] == rooms[1], f"expected one room for both, got {rooms}"
    room = rooms[0]
    for stream, account in zip(streams, (alice_account, bob_account)):
        until(
            f"event match.found with the room for {account.handle}",
            lambda s=stream: any(room in str(data) for data in s.of_type("match.found")),
        )

    def open_all(account, *names, peer=None, **options):
        peer = peer or yjs()
        return [peer.open_room(server, room, name, account.token, **options) for name in names]

    alice_doc, bob_doc = f"player-{alice_account.id}", f"player-{bob_account.id}"
    alice, alice_state, alice_chat = open_all(alice_account, alice_doc, "state", "chat")
    bob, bob_state, bob_chat = open_all(bob_account, bob_doc, "state", "chat")
    carol_peer = yjs()
    carol_state, carol_chat = open_all(carol, "state", "chat-watchers", peer=carol_peer)
    carol_views = open_all(carol, alice_doc, bob_doc, peer=carol_peer, keepFrames=True)
    for document in (alice, alice_state, alice_chat, bob, bob_state, bob_chat, carol_state, carol_chat):
        document.synced()

    room_map = until("the battle runs", lambda: (r := alice_state.map("room")).get("phase") == "running" and r, 25)
    assert room_map["kind"] == "battle" or room_map["kind"] == "duel", room_map
    assert room_map["problem_id"] and room_map["started_at"] and room_map["deadline"], room_map
    assert not room_map.get("winner"), room_map
    until("one spectator is counted", lambda: carol_state.map("room")["spectators"] == 1)
    players = carol_state.map("players")
    assert set(players) == {alice_account.id, bob_account.id}, players
    assert players[bob_account.id]["handle"] == bob_account.handle and players[bob_account.id]["connected"], players

    # They type. Nobody else may see it, by any way of reading.
    alice.replace(f"# alicesecret\n{WRONG_PYTHON}")
    bob.replace("# bobsecret\n")
    alice.call("set_awareness", state={"user": {"name": "someone else"}, "cursor": "alicecursor"})
    assert wire.access(server, room, alice_doc, bob_account.token) == "403", "the opponent may not open the editor"
    assert wire.access(server, room, bob_doc, alice_account.token) == "403", "the opponent may not open the editor"
    assert wire.access(server, room, "chat", carol.token) == "403", "a watcher may not read the players' chat"
    assert wire.access(server, room, "chat-watchers", alice_account.token) == "403", (
        "a player may not read the watchers' chat"
    )
    for reader in (bob_account, carol):
        replay = reader.call("GET", f"/v1/rooms/{room}/replay")
        assert not carries(replay, "alicesecret"), f"the replay shows {reader.handle} the editor before the end"
        run = reader.post(
            "/v1/runs", {"room_id": room, "document": alice_doc, "file": "main.py", "language": "python", "stdin": ""}
        )
        assert_problem(run, 403, 404)

    # They chat.
    assert alice_chat.post_chat("good luck")["type"] == "chat.accepted"
    until("bob reads the chat", lambda: [m["text"] for m in bob_chat.array("messages")] == ["good luck"])
    message = bob_chat.array("messages")[0]
    assert message["author"] == {"id": alice_account.id, "handle": alice_account.handle}, message
    assert carol_chat.post_chat("who wins?")["type"] == "chat.accepted"
    until("the watchers' chat has it", lambda: [m["text"] for m in carol_chat.array("messages")] == ["who wins?"])
    assert len(bob_chat.array("messages")) == 1, "a watcher's line went into the players' chat"

    # Alice is wrong.
    wrong = alice_account.submit(room, document=alice_doc, state_vector=alice.state()["vector"])
    assert wrong["snapshot"]["document"] == alice_doc and len(wrong["snapshot"]["sha256"]) == 64, wrong
    found = alice_account.verdict(wrong["id"])
    assert found["verdict"] == "WA", f"verdict {found['verdict']}, expected WA: {found}"
    assert_problem(bob_account.call("GET", f"/v1/submissions/{wrong['id']}"), 403, 404)
    until(
        "everyone sees WA in state",
        lambda: all(
            [e["verdict"] for e in finished_events(state, wrong["id"])] == ["WA"]
            for state in (alice_state, bob_state, carol_state)
        ),
    )
    assert carol_state.map("room")["phase"] == "running", "a wrong submission ends nothing"
    until(
        "the event submission.finished",
        lambda: any(wrong["id"] in str(d) for d in streams[0].of_type("submission.finished")),
    )

    # Bob is right, and submits on his document's own socket, behind his own last edit.
    bob.replace("# bobsecret\n" + slow_python(room_map["problem_id"], 0))
    asked_at = now_ms()
    bob.send({"type": "submit", "nonce": "b1", "language": "python"})
    answer = until("submit.accepted", lambda: bob.stateless(nonce="b1"))[0]
    assert answer["type"] == "submit.accepted", answer
    found = bob_account.verdict(answer["id"])
    assert found["verdict"] == "AC", f"verdict {found['verdict']}, expected AC: {found}"
    assert found["tests"] and all(test["verdict"] == "AC" for test in found["tests"]), found["tests"]
    for name, state in (("alice", alice_state), ("bob", bob_state), ("carol", carol_state)):
        ended = until(f"{name} sees the end", lambda s=state: (r := s.map("room")).get("phase") == "finished" and r, 30)
        assert ended["winner"] == bob_account.id, (
            f"winner in the state of {name}: {ended['winner']}, expected {bob_account.id}"
        )
    until(
        "bob's rating rose and alice's fell",
        lambda: alice_account.rating() < before[0] and bob_account.rating() > before[1],
    )

    # Nothing had leaked, and now everyone may read.
    for view in carol_views:
        for marker in ("alicesecret", "bobsecret", "alicecursor"):
            seen_at = first_frame_with(view, marker)
            assert seen_at is None or seen_at >= asked_at, f"a watcher of {view.name} got {marker} before the end"
    for reader, name, marker in (
        (alice_account, bob_doc, "bobsecret"),
        (bob_account, alice_doc, "alicesecret"),
        (carol, alice_doc, "alicesecret"),
        (carol, bob_doc, "bobsecret"),
    ):
        (view,) = open_all(reader, name)
        view.synced().wait_text(f"contains {marker} after the end", lambda text, m=marker: m in text)
    (late_chat,) = open_all(carol, "chat")
    assert [m["text"] for m in late_chat.synced().array("messages")] == ["good luck"]
    (watchers_chat,) = open_all(alice_account, "chat-watchers")
    assert [m["text"] for m in watchers_chat.synced().array("messages")] == ["who wins?"]
    for reader in (carol, bob_account):
        replay = reader.get(f"/v1/rooms/{room}/replay", params={"limit": 100})
        assert carries(replay, "alicesecret"), "the replay shows the editors after the end"


@pytest.mark.timeout(300)
def test_watcher_of_a_casual_duel_sees_everything_late_and_nothing_early(serve, yjs):
    server = serve("--casual-spectator-delay-s", "3")
    duel = Duel(Api(server), yjs, rated=False).run()
    alice = duel.alice.code
    carol = duel.api.guest()
    view = yjs().open_room(server, duel.room, duel.alice.document_name, carol.token, keepFrames=True).synced()
    view.call("watch", target={"file": "main.py"})

    def act(operation) -> float:
        """When the edit was about to be made: the server cannot have committed it before."""
        at = now_ms()
        operation()
        return at

    typed_at = act(lambda: alice.insert("markertyped keepthis"))
    view.wait_text("shows what was typed", lambda text: "markertyped" in text, 10)
    seen_at = first_frame_with(view, "markertyped")
    assert seen_at >= typed_at + DELAY_MS - ROUNDING_MS, (
        f"text after {seen_at - typed_at:.0f} ms, expected {DELAY_MS} or more"
    )
    assert seen_at <= typed_at + DELAY_MS + 2500, (
        f"text only after {seen_at - typed_at:.0f} ms, expected about {DELAY_MS}"
    )

    # The log over HTTP is as late as the socket.
    replayed_at = act(lambda: alice.insert("\nmarkerreplayed"))
    path = f"/v1/rooms/{duel.room}/replay"
    until(
        "the replay shows it",
        lambda: carries(carol.get(path, params={"limit": 100}), "markerreplayed"),
        10,
        every=0.1,
    )
    assert now_ms() >= replayed_at + DELAY_MS - ROUNDING_MS, "the replay shows a watcher text before its time"

    deleted_at = act(lambda: alice.delete(0, len("markertyped")))
    named_at = act(lambda: alice.call("create_file", name="markerfile.py", text="pass"))
    pointed_at = act(lambda: alice.call("set_awareness", state={"cursor": "markercursor"}))
    # Someone who comes now gets the document as it was, before the deletion.
    late_view = yjs().open_room(server, duel.room, duel.alice.document_name, carol.token, keepFrames=True)
    late_view.call("watch", target={"file": "main.py"})
    late_view.synced()
    if now_ms() < deleted_at + DELAY_MS - 200:
        assert "markertyped" in late_view.text(), "a late watcher's first state was cut from the live document"

    for who, watcher in (("watcher", view), ("late watcher", late_view)):
        watcher.wait_text("shows the deletion", lambda text: "markertyped" not in text and "keepthis" in text, 10)
        deletion = next(entry["at"] for entry in watcher.call("history") if entry["deleted"] > 0)
        assert deletion >= deleted_at + DELAY_MS - ROUNDING_MS, f"{who}: deletion after {deletion - deleted_at:.0f} ms"
        for what, marker, at in (("file name", "markerfile.py", named_at), ("cursor", "markercursor", pointed_at)):
            seen = until(f"{who} gets the {what}", lambda w=watcher, m=marker: first_frame_with(w, m), 10)
            assert seen >= at + DELAY_MS - ROUNDING_MS, (
                f"{who}: {what} after {seen - at:.0f} ms, expected {DELAY_MS} or more"
            )

    # Progress is live, and the delay ends with the battle.
    state = yjs().open_room(server, duel.room, "state", carol.token).synced()
    assert state.map("room")["phase"] == "running"
    before = duel.alice.account.get("/v1/me").json()["ratings"]
    alice.insert("\nmarkerlast", 0)
    duel.win(duel.bob)
    ended_at = now_ms()
    view.wait_text("shows the last edit when the battle is over", lambda text: "markerlast" in text, 5)
    assert first_frame_with(view, "markerlast") < ended_at + DELAY_MS, "the delay outlived the battle"
    assert duel.alice.account.get("/v1/me").json()["ratings"] == before, "a casual duel moved a rating"


@pytest.mark.timeout(300)
def test_earlier_accepted_submission_wins_though_judged_slower(serve, yjs):
    server = serve("--judge-workers", "2")
    duel = Duel(Api(server), yjs).run()
    slow, fast = duel.alice, duel.bob
    slow.code.replace(slow_python(duel.problem_id, 0.4))
    fast.code.replace(duel.solution())
    first, second = slow.submit(), fast.submit()

    quick = fast.account.verdict(second["id"])
    assert quick["verdict"] == "AC", quick
    pending = slow.account.submission(first["id"])
    assert pending["status"] != "finished", "the earlier submission was judged first: the test shows nothing"
    room = duel.wait_phase("deciding", "finished", timeout=10)
    assert room["phase"] == "deciding" and not room.get("winner"), (
        f"decided before the earlier submission was judged: {room}"
    )

    found = slow.account.verdict(first["id"])
    assert found["verdict"] == "AC", f"the slow solution got {found['verdict']}: {found}"
    room = duel.wait_phase("finished")
    assert room["winner"] == slow.id, f"winner {room['winner']}, expected the earlier submitter {slow.id}"


@pytest.mark.timeout(180)
def test_a_battle_that_nobody_wins_is_a_draw_on_time(serve, yjs):
    server = serve("--battle-duration-s", "8")
    duel = Duel(Api(server), yjs).run()
    duel.alice.code.replace(WRONG_PYTHON)
    assert duel.alice.account.verdict(duel.alice.submit()["id"])["verdict"] == "WA"
    room = duel.wait_phase("finished", timeout=40)
    assert not room.get("winner"), f"winner {room['winner']} of a battle that nobody solved"
    duel.bob.code.replace(duel.solution())
    late = duel.bob.account.post(
        f"/v1/rooms/{duel.room}/submissions", {"language": "python", "document": duel.bob.document_name}
    )
    assert_problem(late, 403, 409)
    assert duel.wait_phase("finished")["winner"] == room.get("winner"), "a submission after the end changed the result"
