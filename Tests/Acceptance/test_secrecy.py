"""Nobody sees before they may what a player types, deletes, points at, names, compiles or submits.

One battery of probes is run by a watcher, by the opponent and by the opponent's second account, while the battle runs and
again after its end: what is found then shows that the probes look in the right places.
"""

from __future__ import annotations

import base64
import contextlib

import pytest
from websockets.exceptions import ConnectionClosed

from harness import wire
from harness.api import Api, EventStream, carries
from harness.battle import Duel
from harness.waiting import until
from harness.wire import AUTH, STATELESS, STEP1, SYNC, MultiplexedSocket, RawSocket, Refused

TYPED, DELETED, CURSOR, FILE, COMPILED = (
    "typedsecret", "deletedsecret", "cursorsecret", "secretfile.py", "compilesecret",
)
SECRETS = (TYPED, DELETED, CURSOR, FILE, COMPILED)
# A document that is not shown any more holds its tombstones, not the text.
SHOWN_AFTER_THE_END = (TYPED, FILE, COMPILED)


class Prober:
    """Somebody who tries every way to read of a room, and all bytes that came of it."""

    def __init__(self, server, account, room: str, player: str, submission: str):
        self.server, self.account, self.room, self.submission = server, account, room, submission
        self.player, self.document = player, f"player-{player}"
        self.bytes: list[tuple[str, bytes]] = []

    def keep(self, way: str, data: bytes) -> None:
        self.bytes.append((way, data))

    def found(self, secrets=SECRETS) -> set[tuple[str, str]]:
        """Which secret came by which way."""
        hits = set()
        for way, data in self.bytes:
            for secret in secrets:
                if secret.encode() in data or secret in decoded(data):
                    hits.add((secret, way))
        return hits

    def probe_all(self) -> None:
        self.probe_sockets()
        self.probe_multiplexed()
        self.probe_http()

    def probe_sockets(self) -> None:
        names = [self.document, "state", "chat", "chat-watchers", "main", f"{self.document}%2F", "player-"]
        for name in names:
            for token in (self.account.token, self.account.sync_token(self.room)):
                with contextlib.suppress(Refused, ConnectionClosed), RawSocket(
                    self.server, f"/sync/{self.room}/{name}", token
                ) as socket:
                    self.talk(f"socket {name}", socket, lambda frame, s=socket: s.send(frame))

    def probe_multiplexed(self) -> None:
        for name in (f"{self.room}/{self.document}", f"{self.room}/state", f"{self.room}/{self.document}/"):
            with contextlib.suppress(Refused, ConnectionClosed), MultiplexedSocket(self.server) as socket:
                # Before the token, with it, and for one document while another is open.
                socket.send_to(name, wire.step1())
                socket.authenticate(f"{self.room}/state", self.account.token)
                socket.authenticate(name, self.account.token)
                self.talk(f"multiplexed {name}", socket, lambda frame, s=socket, n=name: s.send_to(n, frame))

    def talk(self, way: str, socket: RawSocket, send) -> None:
        """Everything a client may say to be told something."""
        with contextlib.suppress(ConnectionClosed):
            self.say_all(send)
        with contextlib.suppress(ConnectionClosed):
            socket.drain(0.4)
        for message in socket.seen:
            self.keep(way, repr(message).encode() + raw(message))

    def say_all(self, send) -> None:
        for vector in (b"\0", b"\1\1\1"):
            send(wire.step1(vector))
        send(bytes([wire.QUERY_AWARENESS]))
        send(wire.awareness([(4_000_000, 1, {"user": {"name": "probe"}})]))
        for message in (
            {"type": "submit", "nonce": "p1", "language": "python"},
            {"type": "submit", "nonce": "p2", "language": "python", "file": FILE},
            {"type": "chat.post", "nonce": "p3", "text": "probe"},
            {"type": "chat.edit", "nonce": "p4", "id": "x", "text": "probe", "document": self.document},
            {"type": "chat.delete", "nonce": "p5", "id": "x", "document": self.document},
        ):
            send(wire.stateless(message))
        # Guesses and gaps: an answer that depends on the text would tell it.
        send(wire.update(wire.text_update(1, TYPED, root="files")))
        send(wire.update(wire.text_update(4_000_001, "x", origin=(1, 0))))
        send(wire.update(wire.text_update(4_000_001, "x", clock=500)))
        # A lie about the server's own writes ends the socket, so it comes last.
        send(wire.step1(bytes([1, 1]) + wire.var_uint(1 << 20)))

    def probe_http(self) -> None:
        room, document = self.room, self.document
        calls = [
            ("GET", f"/v1/rooms/{room}", {}),
            ("GET", f"/v1/rooms/{room}/replay", {"params": {"limit": 100}}),
            ("GET", f"/v1/rooms/{room}/replay", {"params": {"limit": 100, "document": document}}),
            ("GET", f"/v1/rooms/{room}/chat", {}),
            ("GET", f"/v1/rooms/{room}/chat", {"params": {"document": document}}),
            ("GET", f"/v1/rooms/{room}/chat", {"params": {"document": "chat"}}),
            ("GET", f"/v1/submissions/{self.submission}", {}),
            ("GET", "/v1/admin/rooms", {}),
            ("GET", "/v1/admin/sockets", {}),
            ("GET", f"/v1/admin/rooms/{room}/sockets", {}),
            ("GET", f"/v1/rooms/{room}/documents/{document}", {}),
            ("GET", f"/v1/rooms/{room}/documents/{document}/text", {}),
            ("GET", f"/v1/rooms/{room}/documents/{document}/update", {}),
            ("GET", f"/v1/rooms/{room}/documents/{document}/versions", {}),
            ("GET", f"/v1/rooms/{room}/documents/{document}/authors", {}),
            ("GET", "/metrics", {}),
        ]
        for file in ("main.py", FILE, None):
            named = {"file": file} if file else {}
            calls.append(("POST", f"/v1/rooms/{room}/submissions", {"json": {"language": "python", "document": document} | named}))
            body = {"room_id": room, "document": document, "language": "python", "stdin": ""} | named
            calls.append(("POST", "/v1/runs", {"json": body}))
        # Whether a document covers a state vector would tell how much was typed.
        vector = base64.b64encode(b"\1\1\1").decode()
        calls.append(
            ("POST", f"/v1/rooms/{room}/submissions",
             {"json": {"language": "python", "document": document, "state_vector": vector}}))
        for method, path, more in calls:
            answer = self.account.call(method, path, **more)
            self.keep(f"{method} {path} {more.get('params', more.get('json', ''))}", answer.content)
            if path == "/v1/runs" and answer.status_code == 202:
                run = until(
                    "the run ends",
                    lambda a=answer: (r := self.account.get(f"/v1/runs/{a.json()['id']}")).json()["status"] == "finished" and r,
                    30,
                    every=0.2,
                )
                self.keep("a run of the file", run.content)


def raw(message) -> bytes:
    """The bytes inside a decoded message."""
    parts = []
    for part in message:
        if isinstance(part, bytes):
            parts.append(part)
        elif isinstance(part, tuple):
            parts += [p for p in part if isinstance(p, bytes)]
    return b" ".join(parts)


def decoded(data: bytes) -> str:
    """What the strings of an answer are the base64 of."""

    class Answer:
        content, text = data, data.decode(errors="replace")

    return " ".join(secret for secret in SECRETS if carries(Answer, secret))


@pytest.fixture
def hidden_duel(serve, yjs):
    """A rated duel, whose players are hidden until the end; alice has done all that is secret."""
    server = serve()
    duel = Duel(Api(server), yjs).run()
    alice = duel.alice
    code = alice.code
    code.replace(f"# {TYPED}\n# {DELETED}\n")
    code.delete(len(f"# {TYPED}\n"), len(f"# {DELETED}\n"))
    code.call("create_file", name=FILE, text=f"# {TYPED}")
    code.call("set_awareness", state={"user": {"name": CURSOR}, "cursor": CURSOR})
    # A submission that does not compile: its output quotes the line.
    code.replace(f'# {TYPED}\n{COMPILED} = = "{COMPILED}"\n')
    submission = alice.submit()
    found = alice.account.verdict(submission["id"])
    assert found["verdict"] in ("CE", "RTE"), found
    return duel, submission["id"]


@pytest.mark.timeout(300)
def test_no_way_shows_a_player_before_the_end(hidden_duel, yjs):
    duel, submission = hidden_duel
    server, api = duel.server, duel.api
    second = api.register()
    people = {"opponent": duel.bob.account, "second account": second, "watcher": api.guest()}
    streams = {who: EventStream(account) for who, account in people.items()}
    # Stock clients stay open all the while.
    views = {
        who: yjs().open_room(server, duel.room, duel.alice.document_name, account.token, keepFrames=True)
        for who, account in people.items()
    }
    for _ in range(2):
        for who, account in people.items():
            prober = Prober(server, account, duel.room, duel.alice.id, submission)
            prober.probe_all()
            assert not prober.found(), f"the {who} got {sorted(prober.found())}"
    for who, view in views.items():
        leaked = [secret for _, frame in view.frames() for secret in SECRETS if secret.encode() in frame]
        assert not leaked, f"the {who}'s provider got {leaked}"
        assert not any(secret in str(streams[who].seen) for secret in SECRETS), f"an event tells the {who} a secret"
    # What is public of a submission is public: that there is one, and its verdict.
    assert duel.wait_phase("running")

    duel.win(duel.bob)
    for who, account in people.items():
        prober = Prober(server, account, duel.room, duel.alice.id, submission)
        prober.probe_all()
        seen = {secret for secret, _ in prober.found(SHOWN_AFTER_THE_END)}
        assert seen == set(SHOWN_AFTER_THE_END), f"after the end the {who} finds only {seen}: the probes are blind"
        ways = {way.split()[0] for _, way in prober.found()}
        assert {"socket", "multiplexed", "GET"} <= ways, f"after the end the {who} finds things only by {ways}"


@pytest.mark.timeout(300)
def test_forged_clients_and_replayed_clocks_change_nothing(server, yjs):
    """In a pair room an honest client never differs from the room, whatever the other member sends."""
    api = Api(server)
    alice, bob = api.register(), api.register()
    room = alice.make_pair_room()["id"]
    alice.invite(room, bob)
    editor = yjs().open_room(server, room, "main", alice.token).synced()
    editor.insert("honest text", 0)
    client = editor.client_id
    own = until("the text is in the room", lambda: whole(server, room, bob))

    def text_is_honest(where: str) -> None:
        assert editor.text() == "honest text", f"{where}: the honest editor has {editor.text()!r}"
        assert wire.document_json(whole(server, room, bob)) == "honest text", where

    attempts = {
        "a foreign client id": wire.text_update(client, "forged", clock=500_000 % 11 + 11),
        "the next clock of the other": wire.text_update(client, "forged", clock=11),
        "a reserved client id": wire.text_update(1, "forged", clock=7),
        "client id 0": wire.text_update(0, "forged"),
    }
    for what, update in attempts.items():
        with wire.room_socket(server, room, "main", bob.token) as socket:
            socket.wait_synced()
            socket.send(wire.update(update))
            socket.wait_denied("reset:foreign_client", "reset:gap", "reset:malformed")
        text_is_honest(what)
    # Known clocks again: the same bytes, and other content for them.
    with wire.room_socket(server, room, "main", bob.token) as socket:
        socket.wait_synced()
        socket.send(wire.update(own))
        socket.send(wire.update(wire.text_update(client, "replaced!!!", clock=0)))
        socket.send(wire.step2(wire.text_update(client, "replaced!!!", clock=0)))
        socket.drain(0.4)
    text_is_honest("replayed clocks")
    # A client id of one's own, used twice with different content.
    with wire.room_socket(server, room, "main", bob.token) as socket:
        socket.wait_synced()
        socket.send(wire.update(wire.text_update(5_000_001, "one", root="scratch")))
        socket.wait_for("its echo", lambda m: m[0] == SYNC and b"one" in m[1][1])
        socket.send(wire.update(wire.text_update(5_000_001, "two", root="scratch")))
        socket.send(wire.update(wire.text_update(5_000_001, "twothree", root="scratch")))
        socket.drain(0.4)
    state = whole(server, room, bob)
    assert b"one" in state and b"two" not in state, "known clocks took other content"
    text_is_honest("own clocks twice")


@pytest.mark.timeout(300)
def test_a_second_tab_writes_no_read_only_document(hidden_duel):
    duel, _ = hidden_duel
    server, room = duel.server, duel.room
    carol = duel.api.guest()
    targets = [
        (duel.alice.account, "state"), (duel.alice.account, "chat"), (duel.bob.account, "state"),
        (carol, "state"), (carol, "chat-watchers"), (carol, duel.alice.document_name),
    ]
    for account, name in targets:
        before = fresh(server, room, name, account)
        # One tab keeps reading while the other writes; then both framings.
        with wire.room_socket(server, room, name, account.token) as reading:
            reading.wait_synced()
            with wire.room_socket(server, room, name, account.token) as writing:
                writing.wait_synced()
                assert not any(m[0] == SYNC and m[1][0] == STEP1 for m in writing.seen), f"{name}: asked for edits"
                writing.send(wire.update(wire.text_update(6_000_000, "forgedstate", root="room")))
                writing.wait_denied("reset:read_only")
            full = f"{room}/{name}"
            with MultiplexedSocket(server) as many:
                many.authenticate(full, account.token)
                many.wait_for("the scope", lambda m: m[1] == AUTH and m[2] == (2, "readonly"))
                many.send_to(full, wire.step2(wire.text_update(6_000_001, "forgedstate", root="room")))
                many.wait_for("status 0", lambda m: m[1] == wire.SYNC_STATUS and m[2] == 0)
                many.send_to(full, wire.stateless({"type": "submit", "nonce": "s", "language": "python"}))
                refused = many.wait_for("a refusal", lambda m: m[2] if m[1] == STATELESS else None)
                assert refused["type"] == "submit.refused", refused
            told = [m for m in reading.drain(0.3) if m[0] == SYNC and b"forgedstate" in m[1][1]]
            assert not told, f"{name}: the other tab was sent a forged write"
        after = fresh(server, room, name, account)
        assert b"forgedstate" not in after, f"{name} was written by {account.handle}"
        assert len(after) >= len(before) or name == "state"


def whole(server, room: str, account) -> bytes:
    """The state of `main` as a newcomer gets it; empty while the honest text is not there."""
    with wire.room_socket(server, room, "main", account.token) as socket:
        state = socket.wait_synced()
    return state if b"honest text" in state else b""


def fresh(server, room: str, name: str, account) -> bytes:
    with wire.room_socket(server, room, name, account.token) as socket:
        return socket.wait_synced()
