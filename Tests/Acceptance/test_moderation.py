"""Chat in full: edit, delete, mutes, slow mode, mentions, blocks, pages of old lines; on stock clients and by HTTP."""

from __future__ import annotations

import itertools

import pytest

from harness import wire
from harness.api import Api, EventStream, assert_problem, carries
from harness.waiting import hold, until

_nonces = itertools.count(1)


class Talker:
    """A person with the chat open on the stock provider."""

    def __init__(self, account, document):
        self.account, self.id, self.handle, self.document = account, account.id, account.handle, document

    def ask(self, kind: str, **fields) -> dict:
        nonce = f"q{next(_nonces)}"
        self.document.send({"type": kind, "nonce": nonce, **fields})
        return until(f"an answer to {kind}", lambda: self.document.stateless(nonce=nonce))[0]

    def post(self, text: str) -> dict:
        return self.ask("chat.post", text=text)

    def lines(self) -> list[dict]:
        return self.document.array("messages")


@pytest.fixture
def room_of_two(server, yjs):
    api = Api(server)
    owner, guest = api.register(), api.register()
    room = owner.make_pair_room()["id"]
    owner.invite(room, guest)
    people = [Talker(a, yjs().open_room(server, room, "chat", a.token).synced()) for a in (owner, guest)]
    return room, *people


def test_edit_and_delete(room_of_two):
    room, owner, guest = room_of_two
    line = guest.post("helo")["id"]
    assert guest.ask("chat.edit", id=line, text="hello")["type"] == "chat.accepted"
    until("the owner sees the edit", lambda: [m["text"] for m in owner.lines()] == ["hello"])
    assert owner.lines()[0]["edited_at"]
    mine = owner.post("mine")["id"]
    for kind, more in (("chat.edit", {"text": "stolen"}), ("chat.delete", {})):
        assert guest.ask(kind, id=mine, **more)["reason"] == "not_allowed"
    assert owner.ask("chat.delete", id=line, reason="off topic")["type"] == "chat.accepted"
    gone = until("the line is empty", lambda: (m := guest.lines()[0])["text"] == "" and m)
    assert gone["deleted"] is True and gone["deleted_by"]["id"] == owner.id and gone["reason"] == "off topic", gone
    # By HTTP it is the same line, and its text is gone there too.
    page = guest.account.get(f"/v1/rooms/{room}/chat").json()
    assert [(m["id"], m["deleted"], m["text"]) for m in page["items"]] == [(mine, False, "mine"), (line, True, "")]
    guest.account.call("DELETE", f"/v1/rooms/{room}/chat/{mine}", expect=403)
    owner.account.call("DELETE", f"/v1/rooms/{room}/chat/{mine}", expect=202)
    until("both are gone", lambda: [m["text"] for m in guest.lines()] == ["", ""])


def test_mute_and_slow_mode(server, room_of_two):
    room, owner, guest = room_of_two
    events = EventStream(guest.account)
    muted = owner.ask("chat.mute", user=guest.id, seconds=3600, reason="calm down")
    assert muted["type"] == "chat.moderated" and muted["id"] == guest.id, muted
    refusal = guest.post("but")
    assert refusal["reason"] == "muted" and refusal["detail"] == "calm down" and refusal["until"], refusal
    told = until("the guest is told", lambda: events.of_type("chat.muted"))[0]
    assert told["room_id"] == room and told["reason"] == "calm down", told
    assert guest.ask("chat.unmute", user=guest.id)["reason"] == "not_allowed"
    assert owner.ask("chat.unmute", user=guest.id)["type"] == "chat.moderated"
    assert guest.post("thanks")["type"] == "chat.accepted"
    assert owner.ask("chat.slow", seconds=600)["type"] == "chat.moderated"
    until("the rule is shown", lambda: guest.document.map("moderation").get("slow_mode_s") == 600)
    slow = guest.post("quick")
    assert slow["reason"] == "slow_mode" and 0 < slow["retry_after_ms"] <= 600_000, slow
    assert owner.post("the owner may")["type"] == "chat.accepted"


def test_a_mute_survives_kill_9(serve, yjs):
    server = serve()
    api = Api(server)
    owner, guest = api.register(), api.register()
    room = owner.make_pair_room()["id"]
    owner.invite(room, guest)
    chat = Talker(owner, yjs().open_room(server, room, "chat", owner.token).synced())
    assert chat.ask("chat.mute", user=guest.id, seconds=3600)["type"] == "chat.moderated"
    server.restart()
    other = Talker(guest, yjs().open_room(server, room, "chat", guest.token).synced())
    assert other.post("hello")["reason"] == "muted"


def test_the_same_line_is_refused_the_third_time(room_of_two):
    _, owner, guest = room_of_two
    answers = [guest.post(text) for text in ("Buy now", "buy now!", "BUY  NOW")]
    assert [a["type"] for a in answers] == ["chat.accepted", "chat.accepted", "chat.refused"], answers
    assert answers[2]["reason"] == "repeated"
    assert owner.post("buy now")["type"] == "chat.accepted", "another author's line is another line"


def test_mentions_and_blocks(server, room_of_two):
    room, owner, guest = room_of_two
    events = EventStream(owner.account)
    line = guest.post(f"@{owner.handle.upper()} and @nobodyhere look")["id"]
    event = until("the mention arrives", lambda: events.of_type("mention"))[0]
    assert event["message_id"] == line and event["room_id"] == room and event["author"]["id"] == guest.id, event
    until("it stands in the line", lambda: owner.lines()[-1]["mentions"] == [{"id": owner.id, "handle": owner.handle}])

    owner.account.call("PUT", f"/v1/me/blocks/{guest.id}", expect=204)
    assert [b["id"] for b in owner.account.get("/v1/me/blocks").json()["items"]] == [guest.id]
    until("other tabs are told", lambda: events.of_type("blocks.changed"))
    assert guest.post(f"@{owner.handle} again")["type"] == "chat.accepted"
    # An invitation by the blocked person is not heard of, and its code opens nothing.
    theirs = guest.account.make_pair_room()["id"]
    code = guest.account.post(f"/v1/rooms/{theirs}/invites", {"user": owner.id}, expect=201).json()["code"]
    assert_problem(owner.account.post(f"/v1/invites/{code}/accept"), 410)
    hold("neither mention nor invitation arrives",
         lambda: len(events.of_type("mention")) == 1 and not events.of_type("room.invited"), 0.7)
    # The document is shared: lines are marked for the caller where the server answers one person alone.
    page = owner.account.get(f"/v1/rooms/{room}/chat").json()["items"]
    assert all(m["blocked"] == (m["author"]["id"] == guest.id) for m in page), page
    assert not any(m["blocked"] for m in guest.account.get(f"/v1/rooms/{room}/chat").json()["items"])

    owner.account.call("DELETE", f"/v1/me/blocks/{guest.id}", expect=204)
    code = guest.account.post(f"/v1/rooms/{theirs}/invites", {"user": owner.id}, expect=201).json()["code"]
    invited = until("the invitation arrives", lambda: events.of_type("room.invited"))[0]
    assert invited["code"] == code and invited["from"]["id"] == guest.id, invited
    owner.account.post(f"/v1/invites/{code}/accept", expect=200)
    assert_problem(owner.account.call("PUT", f"/v1/me/blocks/{owner.id}"), 404)
    assert_problem(owner.account.call("PUT", "/v1/me/blocks/no-such-account"), 404)


@pytest.mark.timeout(300)
def test_old_lines_are_read_page_by_page(serve):
    """More lines than a document keeps, by several people, for the flood rule is by author."""
    server = serve("--sync-limits", "chat_lines=20")
    api = Api(server)
    owner = api.register()
    room = owner.make_pair_room()["id"]
    people = [owner] + [api.register() for _ in range(13)]
    for guest in people[1:]:
        owner.invite(room, guest)
    sockets = [wire.room_socket(server, room, "state", person.token) for person in people]
    ids = []
    for turn in range(5):
        for index, socket in enumerate(sockets):
            socket.send(wire.stateless({"type": "chat.post", "nonce": f"n{turn}", "text": f"line {turn} {index}"}))
            answer = socket.wait_for("an answer", lambda m: m[1] if m[0] == wire.STATELESS else None)
            assert answer["type"] == "chat.accepted", answer
            ids.append(answer["id"])

    def kept() -> list[str]:
        with wire.room_socket(server, room, "chat", owner.token) as chat:
            return chat_lines(chat.wait_synced())

    until("old lines have left the document", lambda: len(kept()) < 22)
    assert kept() == ids[-len(kept()) :] and len(kept()) >= 20
    for restarts in (False, True):
        if restarts:
            server.restart()
        got, cursor = [], None
        while True:
            query = {"limit": 9} | ({"cursor": cursor} if cursor else {})
            page = owner.get(f"/v1/rooms/{room}/chat", params=query).json()
            got += [m["id"] for m in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert got == ids[::-1], f"{len(got)} lines by HTTP of {len(ids)}"
    # An old line can still be deleted, by its author or the owner, and by nobody else.
    oldest, author, other = ids[1], people[1], people[2]
    assert_problem(other.call("DELETE", f"/v1/rooms/{room}/chat/{oldest}"), 403)
    author.call("DELETE", f"/v1/rooms/{room}/chat/{oldest}", expect=202)
    last = owner.get(f"/v1/rooms/{room}/chat", params={"cursor": ids[2]}).json()["items"]
    assert [(m["id"], m["text"], m["deleted"]) for m in last] == [(oldest, "", True), (ids[0], "line 0 0", False)], last
    for socket in sockets:
        socket.__exit__()


def chat_lines(update: bytes) -> list[str]:
    from pycrdt import Array, Doc

    doc = Doc()
    messages = doc.get("messages", type=Array)
    doc.apply_update(update)
    return [line["id"] for line in messages.to_py()]


def test_strangers_read_no_chat_by_http(server):
    api = Api(server)
    owner, stranger = api.register(), api.register()
    room = owner.make_pair_room()["id"]
    with wire.room_socket(server, room, "chat", owner.token) as socket:
        socket.send(wire.stateless({"type": "chat.post", "nonce": "1", "text": "chatsecret"}))
        line = socket.wait_for("an answer", lambda m: m[1] if m[0] == wire.STATELESS else None)["id"]
    for method, path in (("GET", "/chat"), ("DELETE", f"/chat/{line}"), ("GET", "/chat?document=main")):
        answer = stranger.call(method, f"/v1/rooms/{room}{path}")
        assert_problem(answer, 404)
        assert not carries(answer, "chatsecret")
    assert_problem(owner.call("GET", f"/v1/rooms/{room}/chat?document=main"), 403)
    assert_problem(owner.call("GET", f"/v1/rooms/{room}/chat?cursor=none"), 422)
