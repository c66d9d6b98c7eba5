"""`/sync`: one socket carries all the documents of a room, in Hocuspocus's framing."""

from __future__ import annotations

from harness import wire
from harness.api import Api
from harness.wire import AUTH, STATELESS, SYNC, SYNC_STATUS, MultiplexedSocket

AUTHENTICATED, DENIED = 2, 1


def authenticated(socket: MultiplexedSocket, name: str) -> str:
    """Waits for the answer to the token: the scope, or the reason of a refusal."""
    kind, text = socket.wait_for(
        f"an answer to the token for {name}", lambda m: m[2] if m[0] == name and m[1] == AUTH else None
    )
    return text if kind == AUTHENTICATED else f"denied: {text}"


def test_documents_of_a_room_share_a_socket(server):
    api = Api(server)
    alice, bob = api.register(), api.register()
    room = alice.make_pair_room()
    alice.invite(room["id"], bob)
    main, chat = f"{room['id']}/main", f"{room['id']}/chat"
    with MultiplexedSocket(server) as one, MultiplexedSocket(server) as other:
        for socket, token in ((one, room["sync_token"]), (other, bob.token)):
            for name, scope in ((main, "read-write"), (chat, "readonly")):
                socket.authenticate(name, token)
                assert authenticated(socket, name) == scope
                socket.send_to(name, wire.step1())
                socket.wait_for(
                    f"step 2 of {name}", lambda m, n=name: m[0] == n and m[1] == SYNC and m[2][0] == wire.STEP2
                )
        one.send_to(main, wire.update(wire.text_update(9001, "multiplexed")))
        status = one.wait_for("sync status", lambda m: (m[2],) if m[0] == main and m[1] == SYNC_STATUS else None)
        assert status == (1,), f"sync status {status[0]}, expected 1 for an update that was saved"
        other.wait_for("the update", lambda m: m[0] == main and m[1] == SYNC and b"multiplexed" in m[2][1])

        one.send_to(chat, wire.stateless({"type": "chat.post", "nonce": "m1", "text": "hello"}))
        other.wait_for("the line", lambda m: m[0] == chat and m[1] == SYNC and b"hello" in m[2][1])
        answer = one.wait_for("chat.accepted", lambda m: m[2] if m[1] == STATELESS else None)
        assert answer["type"] == "chat.accepted" and answer["nonce"] == "m1", answer

        # A refused update is told as status 0, and only that document's channel is in quarantine.
        one.send_to(chat, wire.update(wire.text_update(9002, "forged", root="messages")))
        status = one.wait_for("status 0", lambda m: (m[2],) if m[0] == chat and m[1] == SYNC_STATUS else None)
        assert status == (0,), f"sync status {status[0]}, expected 0 for a refused update"


def test_wrong_tokens_are_refused_in_band(server):
    api = Api(server)
    alice, stranger = api.register(), api.register()
    name = f"{alice.make_pair_room()['id']}/main"
    for token in ("not-a-token", stranger.token):
        with MultiplexedSocket(server) as socket:
            socket.authenticate(name, token)
            assert authenticated(socket, name).startswith("denied: ")
    with MultiplexedSocket(server) as socket:
        socket.send_to(name, wire.step1())
        socket.send_to(name, wire.update(wire.text_update(9003, "unauthenticated")))
        try:
            leaked = [m for m in socket.drain(0.5) if m[1] == SYNC]
        except wire.ConnectionClosed:
            leaked = []
        assert not leaked, f"answered before the token: {leaked}"
    with wire.room_socket(server, name.split("/")[0], "main", alice.token) as reader:
        assert b"unauthenticated" not in reader.wait_synced()
