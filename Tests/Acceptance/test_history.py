"""The history of a room: replay in three forms, documents as they were, restoring, named versions, authors."""

from __future__ import annotations

import base64
import json

import pytest
from pycrdt import Doc

from harness.api import Api, assert_problem
from harness.battle import Duel
from harness.waiting import until
from harness.wire import document_json, read_var_uint

MAIN = "main.py"
STREAM = "application/vnd.coduel.replay"


def document(account, room, name="main", accept="application/json", expect=200, tail="", **query):
    return account.get(
        f"/v1/rooms/{room}/documents/{name}{tail}", params=query, headers={"Accept": accept}, expect=expect
    )


def records_of(stream: bytes) -> list[dict]:
    """The binary form, read as `protocol/sync.md` describes it."""
    assert stream[:8] == b"CODUELR1", stream[:16]
    at, records = 8, []
    while True:
        length, at = read_var_uint(stream, at)
        if length == 0:
            assert at == len(stream), "something follows the end"
            return records
        end, fields, parts = at + length, [], []
        for _ in range(3):
            value, at = read_var_uint(stream, at)
            fields.append(value)
        for _ in range(3):
            size, at = read_var_uint(stream, at)
            parts.append(stream[at : at + size])
            at += size
        assert at == end, "a record is longer than its fields"
        records.append(
            {
                "sequence": fields[0],
                "kind": fields[1],
                "at_ms": fields[2],
                "document": parts[0].decode(),
                "author": parts[1].decode(),
                "payload": parts[2],
            }
        )


def text_of(records: list[dict], name="main") -> str | None:
    doc = Doc()
    for record in records:
        if record["kind"] == 0 and record["document"] == name:
            doc.apply_update(record["payload"])
    return document_json(doc.get_update())


@pytest.fixture
def pair(server, yjs):
    """A room of two with some history: alice writes, bob changes it, alice adds."""
    api = Api(server)
    alice, bob = api.register(), api.register()
    room = alice.make_pair_room()["id"]
    alice.invite(room, bob)
    hers = yjs().open_room(server, room, "main", alice.sync_token(room)).synced()
    his = yjs().open_room(server, room, "main", bob.sync_token(room)).synced()
    hers.replace("print('alice')\n")
    his.wait_text("is alice's", lambda text: "alice" in text)
    first = until("the log has alice's line", lambda: settled(alice, room, "print('alice')\n"))
    his.insert("# bob\n")
    hers.wait_text("has bob's line", lambda text: "bob" in text)
    second = until("the log has both lines", lambda: settled(alice, room, hers.text()))
    return alice, bob, room, hers, his, first, second


def settled(account, room, text):
    answer = document(account, room).json()
    return answer if answer["content"]["files"][MAIN] == text else None


def test_replay_in_three_forms(pair):
    alice, bob, room, hers, _, _, _ = pair
    pages, cursor = [], None
    while True:
        page = alice.get(
            f"/v1/rooms/{room}/replay", params={"limit": 2} | ({"cursor": cursor} if cursor else {})
        ).json()
        pages += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    lines = alice.get(f"/v1/rooms/{room}/replay", headers={"Accept": "application/x-ndjson"})
    assert lines.headers["content-type"].startswith("application/x-ndjson")
    parsed = [json.loads(line) for line in lines.text.splitlines()]
    assert parsed[-1] == {"end": True}
    binary = alice.get(f"/v1/rooms/{room}/replay", headers={"Accept": STREAM})
    assert binary.headers["content-type"] == STREAM
    records = records_of(binary.content)
    known = len(pages)
    assert [record["sequence"] for record in parsed[:known]] == [record["sequence"] for record in pages]
    for one, other, third in zip(pages, parsed, records):
        assert one == other
        assert (one["sequence"], one["at_ms"]) == (third["sequence"], third["at_ms"])
        assert one.get("document", "") == third["document"] and one.get("author", "") == third["author"]
        if "update" in one:
            assert base64.b64decode(one["update"]) == third["payload"]
    assert {record["author"] for record in records if record["document"] == "main"} == {"", alice.id, bob.id}
    assert text_of(records) == hers.text()
    assert_problem(alice.call("GET", f"/v1/rooms/{room}/replay", headers={"Accept": "image/png"}), 406)
    after = records[len(records) // 2]["sequence"]
    rest = records_of(
        alice.get(f"/v1/rooms/{room}/replay", params={"cursor": after}, headers={"Accept": STREAM}).content
    )
    assert [record["sequence"] for record in rest][: known - len(records) // 2 - 1] == [
        record["sequence"] for record in records if record["sequence"] > after
    ][: known - len(records) // 2 - 1]


def test_a_long_log_is_streamed(server, yjs):
    api = Api(server)
    alice = api.register()
    room = alice.make_pair_room()["id"]
    code = yjs().open_room(server, room, "main", alice.sync_token(room)).synced()
    code.peer.finish(code.begin("random_edits", target={"file": MAIN}, count=1500, seed=7), 120)
    text = code.text()
    until("the log has all of it", lambda: settled(alice, room, text), 30)
    records = records_of(alice.get(f"/v1/rooms/{room}/replay", headers={"Accept": STREAM}).content)
    assert len(records) > 1000
    assert text_of(records) == text


def test_a_document_as_it_was(pair):
    alice, _, room, hers, _, first, second = pair
    now = document(alice, room)
    assert now.json()["content"]["files"][MAIN] == hers.text()
    then = document(alice, room, sequence=first["sequence"]).json()
    assert then["content"]["files"][MAIN] == "print('alice')\n"
    assert document(alice, room, accept="text/plain", sequence=first["sequence"]).text == "print('alice')\n"
    assert document(alice, room, accept="text/plain", path=f"/files/{MAIN}").text == hers.text()
    at_path = document(alice, room, path=f"/files/{MAIN}").json()
    assert at_path["content"] == hers.text()
    # By time: just before bob's change, and at it.
    answer = alice.get(f"/v1/rooms/{room}/replay", params={"limit": 100}).json()["items"]
    change = next(record for record in answer if record["sequence"] == second["sequence"])
    found = document(alice, room, at=change["at"]).json()
    assert found["sequence"] >= second["sequence"] and found["content"]["files"][MAIN] == hers.text()
    assert document(alice, room, at="2020-01-01T00:00:00Z").json()["content"] == {}
    # As update bytes, in both versions, into a client.
    for accept, apply in (
        ("application/octet-stream", "v1"),
        ("application/vnd.coduel.update.v1", "v1"),
        ("application/vnd.coduel.update.v2", "v2"),
    ):
        answer = document(alice, room, accept=accept, sequence=first["sequence"])
        assert int(answer.headers["x-document-sequence"]) == first["sequence"]
        if apply == "v1":
            assert document_json(answer.content) == "print('alice')\n"
        else:
            assert answer.content[:1] == b"\x00" and answer.content != b""
    assert_problem(document(alice, room, sequence=1 << 40, expect=404), 404)
    assert_problem(document(alice, room, at="yesterday", expect=422), 422)
    assert_problem(document(alice, room, sequence=1, at="2020-01-01T00:00:00Z", expect=422), 422)
    assert_problem(document(alice, room, path="files", expect=422), 422)
    assert_problem(document(alice, room, path="/files/none", expect=404), 404)
    assert_problem(document(alice, room, name="none", expect=404), 404)
    stranger = alice.api.register()
    assert_problem(document(stranger, room, expect=404), 404)


def test_restoring_is_a_new_edit(pair):
    alice, bob, room, hers, his, first, second = pair
    base = f"/v1/rooms/{room}/documents/main/restorations"
    before = hers.text()
    restored = bob.post(base, {"sequence": first["sequence"]}, expect=200).json()
    assert restored["changed"] and restored["sequence"] > second["sequence"]
    for editor in (hers, his):
        editor.wait_text("is what it was", lambda text: text == "print('alice')\n")
    # And on: editors go on writing, and the restoration can itself be taken back.
    hers.insert("# again\n")
    his.wait_text("goes on", lambda text: "# again" in text)
    bob.post(base, {"sequence": second["sequence"]}, expect=200)
    hers.wait_text("is the later state", lambda text: text == before)
    again = bob.post(base, {"sequence": second["sequence"]}, expect=200).json()
    assert not again["changed"], "nothing is left to restore"
    assert_problem(bob.post(base, {}), 422)
    stranger = alice.api.register()
    assert_problem(stranger.post(base, {"sequence": 1}), 404)


def test_what_was_restored_survives_a_crash(serve, yjs):
    server = serve()
    alice = Api(server).register()
    room = alice.make_pair_room()["id"]
    base = f"/v1/rooms/{room}/documents/main"
    edit = {"edits": [{"op": "replace", "path": f"/files/{MAIN}", "text": "one\n"}]}
    one = alice.post(base + "/edits", edit, expect=200).json()
    edit["edits"][0]["text"] = "two\n"
    alice.post(base + "/edits", edit, expect=200)
    alice.post(base + "/restorations", {"sequence": one["sequence"]}, expect=200)
    server.restart()
    assert document(alice, room, accept="text/plain").text == "one\n"
    code = yjs().open_room(server, room, "main", alice.sync_token(room)).synced()
    assert code.text() == "one\n"
    # The same client id goes on where it was before the crash.
    edit["edits"][0]["text"] = "three\n"
    alice.post(base + "/edits", edit, expect=200)
    code.wait_text("is three", lambda text: text == "three\n")


def test_named_versions(pair):
    alice, bob, room, hers, _, first, _ = pair
    base = f"/v1/rooms/{room}/documents/main/versions"
    draft = alice.post(base, {"name": "draft", "sequence": first["sequence"]}, expect=201).json()
    current = bob.post(base, {"name": "with bob"}, expect=201).json()
    assert draft["created_by"] == alice.id and current["sequence"] > draft["sequence"]
    assert [item["name"] for item in alice.get(base).json()["items"]] == ["with bob", "draft"]
    page = alice.get(base, params={"limit": 1}).json()
    rest = alice.get(base, params={"limit": 1, "cursor": page["next_cursor"]}).json()
    assert [item["name"] for item in page["items"] + rest["items"]] == ["with bob", "draft"]
    assert alice.get(f"{base}/{draft['id']}").json() == draft
    assert document(bob, room, accept="text/plain", version=draft["id"]).text == "print('alice')\n"
    bob.post(f"/v1/rooms/{room}/documents/main/restorations", {"version": draft["id"]}, expect=200)
    hers.wait_text("is the draft", lambda text: text == "print('alice')\n")
    assert bob.call("DELETE", f"{base}/{draft['id']}").status_code == 204
    assert_problem(alice.call("GET", f"{base}/{draft['id']}"), 404)
    assert_problem(document(bob, room, version=draft["id"], expect=404), 404)
    assert_problem(alice.post(base, {"name": ""}), 422)
    assert_problem(alice.post(base, {"name": "x", "sequence": 1 << 40}), 422)


def test_who_wrote_what(pair):
    alice, bob, room, hers, _, first, _ = pair
    found = document(alice, room, tail="/authors", path=f"/files/{MAIN}").json()
    text = hers.text()
    written = {
        account.id: "".join(
            text[part["offset"] : part["offset"] + part["length"]]
            for part in found["ranges"]
            if part["author"] == account.id
        )
        for account in (alice, bob)
    }
    assert written == {alice.id: "print('alice')\n", bob.id: "# bob\n"}, found
    assert {part["handle"] for part in found["ranges"]} == {alice.handle, bob.handle}
    earlier = document(alice, room, tail="/authors", path=f"/files/{MAIN}", sequence=first["sequence"]).json()
    assert {part["author"] for part in earlier["ranges"]} == {alice.id}
    # What is written by HTTP belongs to whoever wrote it.
    bob.post(
        f"/v1/rooms/{room}/documents/main/edits",
        {"edits": [{"op": "insert", "path": f"/files/{MAIN}", "at": 0, "text": "# by http\n"}]},
        expect=200,
    )
    found = document(alice, room, tail="/authors", path=f"/files/{MAIN}").json()
    assert found["ranges"][0]["author"] == bob.id and found["ranges"][0]["length"] == len("# by http\n")
    assert_problem(document(alice, room, tail="/authors", path="/files/none", expect=404), 404)


def test_watchers_and_opponents_get_no_history_before_their_time(server, yjs):
    """Every way to the past gives a watcher what their socket would, and an opponent nothing before the end."""
    api = Api(server)
    duel = Duel(api, yjs).run()
    secret = "secret_marker_42"
    duel.alice.code.replace(f"# {secret}\n")
    watcher, name = api.register(), duel.alice.document_name
    sequence = duel.alice.account.get(f"/v1/rooms/{duel.room}/documents/{name}").json()["sequence"]
    for other, statuses in ((watcher, (200, 403)), (duel.bob.account, (403,))):
        for query in ({}, {"sequence": sequence}, {"at": "2100-01-01T00:00:00Z"}):
            for accept in ("application/json", "text/plain", "application/octet-stream"):
                answer = document(other, duel.room, name, accept, expect=None, **query)
                assert answer.status_code in (*statuses, 404, 422), answer.text
                assert secret.encode() not in answer.content
        for accept in ("application/json", "application/x-ndjson", STREAM):
            answer = other.get(
                f"/v1/rooms/{duel.room}/replay", params={"limit": 100}, headers={"Accept": accept}
            )
            assert secret.encode() not in answer.content
            for item in answer.json()["items"] if accept == "application/json" else []:
                assert secret.encode() not in base64.b64decode(item.get("update", ""))
        for tail, body in (
            ("/versions", {"name": "x"}),
            ("/restorations", {"sequence": sequence}),
            ("/edits", {"edits": [{"op": "remove", "path": f"/files/{MAIN}"}]}),
        ):
            answer = other.post(f"/v1/rooms/{duel.room}/documents/{name}{tail}", body)
            assert answer.status_code in (403, 404), answer.text
        assert other.call("GET", f"/v1/rooms/{duel.room}/documents/{name}/versions").status_code == 403
        authors = document(other, duel.room, name, tail="/authors", path=f"/files/{MAIN}", expect=None)
        assert authors.status_code in (403, 404)
    assert duel.alice.code.text() == f"# {secret}\n"


def test_watchers_read_the_past_as_late_as_their_socket(serve, yjs):
    server = serve("--casual-spectator-delay-s", "4")
    api = Api(server)
    duel = Duel(api, yjs, rated=False).run()
    watcher, name = api.register(), duel.alice.document_name
    duel.alice.code.replace("early\n")
    written = duel.alice.account.get(f"/v1/rooms/{duel.room}/documents/{name}").json()

    def seen(accept="application/json", **query):
        return document(watcher, duel.room, name, accept, expect=None, **query)

    for query in ({}, {"sequence": written["sequence"]}, {"at": "2100-01-01T00:00:00Z"}):
        answer = seen(**query)
        assert answer.status_code == 200 and "early" not in answer.text, answer.text
    until("the watcher reads it too", lambda: "early" in seen().text, 10)
    duel.alice.code.replace("late\n")
    assert "late" not in seen().text and "early" in seen().text
    replay = watcher.get(f"/v1/rooms/{duel.room}/replay", headers={"Accept": STREAM})
    assert text_of(records_of(replay.content), name) == "early\n"
    # Deletions are as late as text: the state holds neither.
    assert document_json(seen("application/octet-stream").content) == "early\n"
    assert watcher.call("GET", f"/v1/rooms/{duel.room}/documents/{name}/versions").status_code == 403
