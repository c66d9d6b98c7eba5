"""Who may read and write which document, by role, before and after the end."""

from __future__ import annotations

import contextlib

import pytest

from harness import wire
from harness.api import Api, accepted_python, assert_problem, bundled_problems
from harness.waiting import until
from harness.wire import access


def matrix(
    server, room: str, people: dict[str, str | None], expected: dict[str, dict[str, str | tuple[str, ...]]]
) -> None:
    """Asks for every document as every person and compares all of it at once."""
    wrong = []
    for document, row in expected.items():
        for person, wanted in row.items():
            allowed = (wanted,) if isinstance(wanted, str) else wanted
            found = access(server, room, document, people[person])
            if found not in allowed:
                wrong.append(f"{person} on {document}: {found}, expected {' or '.join(allowed)}")
    assert not wrong, "\n".join(wrong)


def test_private_pair_room(server):
    api = Api(server)
    owner, member, stranger, guest = api.register(), api.register(), api.register(), api.guest()
    room = owner.make_pair_room(visibility="private")["id"]
    people = {
        "owner": owner.token,
        "member": member.token,
        "stranger": stranger.token,
        "guest": guest.token,
        "nobody": None,
    }
    # Who is not let in may not even know of a private room.
    hidden = ("404", "403")
    before = {"owner": "write", "member": hidden, "stranger": hidden, "guest": hidden, "nobody": "401"}
    matrix(
        server, room, people, {"main": before, "state": before | {"owner": "read"}, "chat": before | {"owner": "read"}}
    )
    assert_problem(stranger.call("GET", f"/v1/rooms/{room}"), 404)

    owner.invite(room, member)
    row = before | {"member": "write"}
    read = before | {"owner": "read", "member": "read"}
    matrix(
        server,
        room,
        people,
        {
            "main": row,
            "state": read,
            "chat": read,
            "player-" + owner.id: {"owner": "404"},
            "chat-watchers": {"owner": "404"},
            "nosuch": {"owner": "404", "member": "404"},
        },
    )
    assert member.get(f"/v1/rooms/{room}").json()["id"] == room


def test_public_and_unlisted_pair_rooms(server):
    api = Api(server)
    owner, stranger = api.register(), api.register()
    people = {"owner": owner.token, "stranger": stranger.token, "nobody": None}
    public = owner.make_pair_room(visibility="public")["id"]
    row = {"owner": "write", "stranger": "read", "nobody": "401"}
    matrix(server, public, people, {"main": row, "state": row | {"owner": "read"}, "chat": row | {"owner": "read"}})


def test_rooms_and_documents_that_do_not_exist(server):
    alice = Api(server).register()
    room = alice.make_pair_room()["id"]
    assert access(server, "nosuchroom", "main", alice.token) == "404"
    assert access(server, room, "nosuchdocument", alice.token) == "404"
    assert_problem(alice.call("GET", "/v1/rooms/nosuchroom"), 404)


def test_a_sync_token_opens_one_room_and_nothing_else(server):
    api = Api(server)
    alice, bob = api.register(), api.register()
    first, second = alice.make_pair_room()["id"], alice.make_pair_room()["id"]
    token = alice.sync_token(first)
    assert access(server, first, "main", token) == "write"
    assert access(server, first, "main", token) == "write", "a sync token is reusable: the provider keeps its URL"
    assert access(server, second, "main", token) in ("401", "403")
    for path in ("/v1/me", f"/v1/rooms/{first}"):
        assert_problem(api.call("GET", path, token=token), 401)
    with wire.RawSocket(server, f"/sync/{first}/main", header_token=alice.token) as socket:
        socket.wait_synced()
    assert access(server, first, "main", bob.token) in ("403", "404")
    alice.call("DELETE", "/v1/sessions/current", expect=204)
    assert access(server, first, "main", token) == "401", "a sync token is bound to its session"


def test_an_open_socket_ends_with_its_session(server):
    alice = Api(server).register()
    room = alice.make_pair_room()["id"]
    with wire.room_socket(server, room, "main", alice.token) as socket:
        socket.wait_synced()
        alice.call("DELETE", "/v1/sessions/current", expect=204)
        assert socket.wait_closed(5) == 4401, f"closed with {socket.close_code}, expected 4401"


def test_a_refusal_is_said_in_band_and_then_at_the_upgrade(server):
    alice = Api(server).register()
    room = alice.make_pair_room()["id"]
    for path, token, code in (
        (f"/sync/{room}/main", "not-a-token", 4401),
        (f"/sync/{room}/main", None, 4401),
        ("/sync/nosuchroom/main", alice.token, 4404),
    ):
        statuses = []
        for _ in range(6):
            try:
                with wire.RawSocket(server, path, token) as socket:
                    statuses.append(socket.wait_closed(5))
                    assert any(message[0] == wire.AUTH for message in socket.seen), (
                        f"no auth message before {code}: {socket.seen}"
                    )
            except wire.Refused as refusal:
                statuses.append(refusal.status)
        assert set(statuses) <= {code, code - 4000, 429}, f"{path}: {statuses}"
        assert statuses[-1] < 1000, f"{path}: repeats go on to be upgraded: {statuses}"
        if code in statuses:
            assert statuses.index(code) == 0, f"{path}: {statuses}"


@pytest.mark.timeout(180)
def test_battle_before_and_after_its_end(serve):
    server = serve()
    api = Api(server)
    alice, bob, watcher = api.register(), api.register(), api.guest()
    tickets = [account.enter_queue() for account in (alice, bob)]
    room = [account.matched_room(ticket) for account, ticket in zip((alice, bob), tickets)][0]
    own, other = f"player-{alice.id}", f"player-{bob.id}"
    people = {"alice": alice.token, "bob": bob.token, "watcher": watcher.token, "nobody": None}
    with contextlib.ExitStack() as open_sockets:
        for account, document in ((alice, own), (bob, other)):
            open_sockets.enter_context(wire.room_socket(server, room, document, account.token)).wait_synced()

        def phase():
            with wire.room_socket(server, room, "state", alice.token) as socket:
                return room_map(socket.wait_synced())

        problem = until("the battle runs", lambda: (r := phase())["phase"] == "running" and r, 25, every=0.3)[
            "problem_id"
        ]
        # A rated duel keeps watchers out of the text until the end: refused, or an empty shadow.
        watching = ("read", "403")
        matrix(
            server,
            room,
            people,
            {
                own: {"alice": "write", "bob": "403", "watcher": watching, "nobody": "401"},
                other: {"alice": "403", "bob": "write", "watcher": watching, "nobody": "401"},
                "state": {"alice": "read", "bob": "read", "watcher": "read", "nobody": "401"},
                "chat": {"alice": "read", "bob": "read", "watcher": "403"},
                "chat-watchers": {"alice": "403", "bob": "403", "watcher": "read"},
                "main": {"alice": "404", "watcher": "404"},
            },
        )

        code = accepted_python(problem)
        doc_socket = open_sockets.enter_context(wire.room_socket(server, room, other, bob.token))
        doc_socket.send(wire.update(replace_file(doc_socket.wait_synced(), code)))
        taken = until(
            "the submission is taken",
            lambda: (
                (
                    answer := bob.post(f"/v1/rooms/{room}/submissions", {"language": "python", "document": other})
                ).status_code
                == 202
                and answer.json()
            ),
        )
        assert bob.verdict(taken["id"])["verdict"] == "AC"
        until("the battle is finished", lambda: phase()["phase"] == "finished", 20, every=0.3)

    # Others read what they wrote; whether a player may still type into a finished battle is the room's to say.
    after = {
        own: {"alice": ("write", "read"), "bob": "read", "watcher": "read", "nobody": "401"},
        other: {"alice": "read", "bob": ("write", "read"), "watcher": "read"},
        "state": {"alice": "read", "watcher": "read"},
        "chat": {"alice": "read", "bob": "read", "watcher": "read"},
        "chat-watchers": {"alice": "read", "bob": "read", "watcher": "read"},
    }
    matrix(server, room, people, after)
    with wire.room_socket(server, room, other, watcher.token) as socket:
        assert wire.document_json(socket.wait_synced()) == code, "the watcher reads the winner's code after the end"


def test_submitting_needs_a_participant(server):
    api = Api(server)
    owner, stranger = api.register(), api.register()
    room = owner.make_pair_room(visibility="public", problem_id=bundled_problems()[0])["id"]
    assert_problem(stranger.post(f"/v1/rooms/{room}/submissions", {"language": "python"}), 403)
    # What everyone may read in the document, everyone may read in a submission of it; of a private room, nobody.
    hidden = owner.make_pair_room(visibility="private", problem_id=bundled_problems()[0])["id"]
    taken = owner.submit(hidden)
    assert_problem(stranger.call("GET", f"/v1/submissions/{taken['id']}"), 403, 404)


def room_map(update: bytes) -> dict:
    from pycrdt import Doc, Map

    doc = Doc()
    room = doc.get("room", type=Map)
    doc.apply_update(update)
    return {key: room[key] for key in room.keys()}


def replace_file(update: bytes, text: str, file: str = "main.py") -> bytes:
    """An update that puts `text` at the start of the (empty) file of the document that `update` describes."""
    from pycrdt import Doc, Map

    doc = Doc()
    files = doc.get("files", type=Map)
    doc.apply_update(update)
    before = doc.get_state()
    files[file].insert(0, text)
    return doc.get_update(before)
