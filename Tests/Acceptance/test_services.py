"""Service accounts: keys and scopes, sync tokens for users of another product, documents edited by HTTP."""

from __future__ import annotations

import json

import pytest
from pycrdt import Doc, Map, Text
from websockets.exceptions import ConnectionClosed

from harness.api import Api, assert_problem, unique
from harness.server import coduel
from harness.waiting import until
from harness.wire import access, room_socket, text_update

UPDATE = "application/octet-stream"
TEXT = {"root": "notes"}


class Service:
    """A service account with a key."""

    def __init__(self, api: Api, made: dict):
        self.api, self.id, self.name, self.key, self.key_id = api, made["id"], made["name"], made["key"], made["key_id"]

    def call(self, method: str, path: str, expect=None, **more):
        return self.api.call(method, path, token=self.key, expect=expect, **more)

    def post(self, path: str, body=None, expect=None, **more):
        return self.call("POST", path, expect=expect, json={} if body is None else body, **more)

    def mint(self, document="doc", user="u1", name=None, access="write", expect=201, **more):
        wish = {"document": document, "access": access, "user": {"id": user, "name": name or user}} | more
        return self.post("/v1/sync-tokens", wish, expect=expect).json()


def service(server, *flags: str) -> Service:
    done = coduel("service-accounts", "create", "--name", unique("svc"), "--data", server.data, *flags)
    assert done.returncode == 0, done.stderr
    return Service(Api(server), json.loads(done.stdout))


def test_users_of_another_product_write_together(server, yjs, pycrdt):
    product = service(server)
    one, two = product.mint(user="u1", name="Uma"), product.mint(user="u2", name="Ugo")
    assert one["room_id"] == two["room_id"] and one["document"] == "main"
    assert one["sync_path"] == f"/sync/{one['room_id']}/main" and 0 < one["expires_in"] <= 12 * 3600
    hers = yjs().open_room(server, one["room_id"], "main", one["sync_token"]).synced()
    his = pycrdt().open_room(server, two["room_id"], "main", two["sync_token"]).synced()
    hers.insert("hello ", 0, TEXT)
    his.wait_text("has hers", lambda text: text == "hello ", target=TEXT)
    his.insert("world", 6, TEXT)
    hers.wait_text("has both", lambda text: text == "hello world", target=TEXT)
    # What they say they are called is what the token says.
    hers.call("set_awareness", state={"user": {"id": "forged", "name": "forged"}})
    other = yjs().open_room(server, one["room_id"], "main", product.mint(user="u3")["sync_token"]).synced()
    seen = until(
        "the awareness of u1", lambda: [e["state"] for e in other.call("awareness") if (e["state"] or {}).get("user", {}).get("name") == "Uma"]
    )
    assert seen[0]["user"]["id"] == "u1", seen
    # And so is who wrote what.
    found = product.call("GET", f"/v1/rooms/{one['room_id']}/documents/main/authors", params={"path": "/notes"}, expect=200).json()
    assert [(part["length"], part["author"]) for part in found["ranges"]] == [(6, "u1"), (5, "u2")], found


def test_tokens_give_what_they_say_and_nothing_else(server):
    product, other = service(server), service(server)
    minted = product.mint(document="shared", access="write")
    room = minted["room_id"]
    assert access(server, room, "main", minted["sync_token"]) == "write"
    assert access(server, room, "main", product.mint(document="shared", access="read")["sync_token"]) == "read"
    assert other.mint(document="shared")["room_id"] != room, "accounts have documents of their own"
    for token in (other.mint(document="shared")["sync_token"], product.mint(document="another")["sync_token"]):
        assert access(server, room, "main", token) == "403"
    assert access(server, room, "state", minted["sync_token"]) == "404"
    person = Api(server).register()
    assert access(server, room, "main", person.token) == "404"
    assert person.call("GET", f"/v1/rooms/{room}").status_code == 404
    assert person.call("GET", f"/v1/rooms/{room}/documents/main").status_code == 404
    assert other.call("GET", f"/v1/rooms/{room}/documents/main").status_code == 404
    # A sync token is no key.
    assert_problem(Api(server).call("GET", f"/v1/rooms/{room}/documents/main", token=minted["sync_token"]), 401)


def test_a_reader_cannot_write(server):
    product = service(server)
    room = product.mint(document="r")["room_id"]
    with room_socket(server, room, "main", product.mint(document="r", access="read")["sync_token"]) as socket:
        socket.wait_synced()
        socket.send(bytes([0, 2]) + bytes([len(text_update(77_001, "x", "notes"))]) + text_update(77_001, "x", "notes"))
        until("the write is refused", lambda: socket.drain(0.2) or any(m[0] == 2 for m in socket.seen))
    assert product.call("GET", f"/v1/rooms/{room}/documents/main", expect=200).json()["content"] == {}


def test_keys_are_held_to_their_scopes(server):
    reader = service(server, "--scope", "documents:read")
    assert_problem(reader.post("/v1/sync-tokens", {"document": "d", "access": "read", "user": {"id": "u"}}), 403)
    full = service(server)
    room = full.mint()["room_id"]
    assert_problem(full.post("/v1/rooms", {"kind": "pair"}), 403)
    assert_problem(full.call("GET", "/v1/me"), 403)
    assert_problem(full.call("GET", "/v1/service-accounts"), 403)
    assert_problem(Api(server).call("GET", f"/v1/rooms/{room}", token="cdk_0123456789abcdef_nonsense"), 401)
    person = Api(server).register()
    assert_problem(person.post("/v1/sync-tokens", {"document": "d", "access": "read", "user": {"id": "u"}}), 403)
    for body in (
        {"document": "", "access": "read", "user": {"id": "u"}},
        {"document": "d", "access": "all", "user": {"id": "u"}},
        {"document": "d", "access": "read", "user": {"id": ""}},
        {"document": "d", "access": "read", "user": {"id": "u"}, "ttl_s": 0},
        {"document": "d", "access": "read", "user": {"id": "u"}, "ttl_s": 50_000},
        {"document": "x" * 300, "access": "read", "user": {"id": "u"}},
    ):
        assert_problem(full.post("/v1/sync-tokens", body), 422)


def test_accounts_are_held_to_their_quotas(server):
    small = service(server, "--max-documents", "2", "--tokens-per-minute", "6")
    small.mint(document="a")
    small.mint(document="b")
    assert_problem(
        small.post("/v1/sync-tokens", {"document": "c", "access": "read", "user": {"id": "u"}}), 409
    )
    small.mint(document="a")

    def refused():
        answer = small.post("/v1/sync-tokens", {"document": "a", "access": "read", "user": {"id": "u"}})
        return answer if answer.status_code == 429 else None

    assert int(until("the quota is used up", refused).headers["retry-after"]) >= 1


def test_administrators_make_accounts_and_revoke_keys(server, yjs):
    api = Api(server)
    admin = api.with_role("admin")
    made = admin.post("/v1/service-accounts", {"name": unique("adm"), "scopes": ["sync-tokens", "documents:read"]}, expect=201).json()
    key = made["keys"][0]
    product = Service(api, {"id": made["id"], "name": made["name"], "key": key["key"], "key_id": key["id"]})
    token = product.mint()
    with room_socket(server, token["room_id"], "main", token["sync_token"]) as socket:
        socket.wait_synced()
        assert admin.call("DELETE", f"/v1/service-accounts/{made['id']}/keys/{key['id']}").status_code == 204
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket.socket.recv(timeout=5)
        assert closed.value.rcvd.code == 4401, closed.value
    assert access(server, token["room_id"], "main", token["sync_token"]) == "401"
    assert_problem(product.post("/v1/sync-tokens", {"document": "d", "access": "read", "user": {"id": "u"}}), 401)
    second = admin.post(f"/v1/service-accounts/{made['id']}/keys", {"scopes": ["sync-tokens"]}, expect=201).json()
    product.key = second["key"]
    assert product.mint()["room_id"] == token["room_id"]
    shown = admin.get(f"/v1/service-accounts/{made['id']}").json()
    assert [bool(k["revoked_at"]) for k in shown["keys"]] == [True, False] and "key" not in shown["keys"][0]
    assert made["id"] in [item["id"] for item in admin.get("/v1/service-accounts", params={"limit": 100}).json()["items"]]
    changed = admin.post(f"/v1/service-accounts/{made['id']}/quotas", {"documents": 1}, expect=200).json()
    assert changed["quotas"]["documents"] == 1
    for body in ({"name": "", "scopes": ["webhooks"]}, {"name": "x", "scopes": []}, {"name": "x", "scopes": ["all"]}):
        assert_problem(admin.post("/v1/service-accounts", body), 422)
    assert_problem(admin.post("/v1/service-accounts", {"name": made["name"], "scopes": ["webhooks"]}), 409)
    assert_problem(api.register().post("/v1/service-accounts", {"name": "x", "scopes": ["webhooks"]}), 403)


def test_documents_are_written_by_http(server, yjs):
    product = service(server)
    minted = product.mint(document="written")
    base = f"/v1/rooms/{minted['room_id']}/documents/main"
    editor = yjs().open_room(server, minted["room_id"], "main", minted["sync_token"]).synced()
    editor.insert("abc", 0, TEXT)
    until("it is saved", lambda: product.call("GET", base).json()["content"].get("notes") == "abc")
    # As edits.
    done = product.post(
        base + "/edits",
        {
            "edits": [
                {"op": "insert", "path": "/notes", "at": 3, "text": "def"},
                {"op": "delete", "path": "/notes", "at": 0, "length": 1},
                {"op": "set", "path": "/meta/title", "value": {"en": ["Notes", 1, True, None]}},
            ]
        },
        expect=200,
    ).json()
    assert done["changed"]
    editor.wait_text("is edited", lambda text: text == "bcdef", target=TEXT)
    content = product.call("GET", base, expect=200).json()["content"]
    assert content == {"notes": "bcdef", "meta": {"title": {"en": ["Notes", 1, True, None]}}}, content
    # As an update of a client of its own.
    doc = Doc()
    doc.apply_update(product.call("GET", base, headers={"Accept": UPDATE}, expect=200).content)
    before = doc.get_state()
    doc.get("notes", type=Text).insert(0, ">> ")
    update = doc.get_update(before)
    answer = product.call("POST", base + "/updates", content=update, headers={"Content-Type": UPDATE}, expect=200)
    assert answer.json()["sequence"] > done["sequence"]
    editor.wait_text("has the update", lambda text: text == ">> bcdef", target=TEXT)
    # Told again, it changes nothing.
    product.call("POST", base + "/updates", content=update, headers={"Content-Type": UPDATE}, expect=200)
    assert editor.text(TEXT) == ">> bcdef"
    found = product.call("GET", base + "/authors", params={"path": "/notes"}, expect=200).json()
    assert product.id in {part["author"] for part in found["ranges"]} and "u1" in {p["author"] for p in found["ranges"]}


def test_writes_by_http_are_refused_as_on_sockets(server):
    product = service(server)
    room = product.mint(document="refusals")["room_id"]
    base = f"/v1/rooms/{room}/documents/main"

    def apply(update: bytes, kind=UPDATE):
        return product.call("POST", base + "/updates", content=update, headers={"Content-Type": kind})

    assert apply(text_update(50_001, "mine", "notes")).status_code == 200
    assert_problem(apply(b"\xff\xff\xff"), 422)
    assert_problem(apply(b""), 422)
    assert_problem(apply(text_update(50_001, "gap", "notes", clock=99)), 409)
    assert_problem(apply(text_update(7, "server's", "notes")), 409)
    assert_problem(apply(text_update(50_002, "x" * (1 << 20), "notes")), 413)
    assert_problem(apply(b"\0\0", kind="text/plain"), 415)
    for edit in (
        {"op": "insert", "path": "/notes", "at": 5, "text": "x"},
        {"op": "delete", "path": "/notes", "at": 3, "length": 2},
        {"op": "insert", "path": "/none/deeper", "at": 0, "text": "x"},
        {"op": "set", "path": "/notes/key", "value": 1},
        {"op": "remove", "path": "/notes"},
    ):
        assert_problem(product.post(base + "/edits", {"edits": [edit]}), 409)
    for edits in ([], [{"op": "fly", "path": "/notes"}], [{"op": "insert", "path": "notes", "at": 0, "text": "x"}], [7],
                  [{"op": "insert", "path": "/notes", "at": -1, "text": "x"}], [{"op": "set", "path": "/a/b"}]):
        assert_problem(product.post(base + "/edits", {"edits": edits}), 422)
    assert product.call("GET", base).json()["content"] == {"notes": "mine"}, "a refused edit changes nothing"


def test_many_edits_at_once_by_http_all_stand(server, yjs):
    """Edits of one account at the same time write under one client id, one after the other."""
    from concurrent.futures import ThreadPoolExecutor

    product = service(server)
    minted = product.mint(document="busy")
    base = f"/v1/rooms/{minted['room_id']}/documents/main"
    editor = yjs().open_room(server, minted["room_id"], "main", minted["sync_token"]).synced()
    editor.insert(".", 0, TEXT)
    until("it is saved", lambda: product.call("GET", base).json()["content"].get("notes") == ".")

    def write(number: int):
        edit = {"op": "insert", "path": "/notes", "at": 0, "text": f"<{number}>"}
        answer = product.post(base + "/edits", {"edits": [edit]})
        while answer.status_code == 503:
            answer = product.post(base + "/edits", {"edits": [edit]})
        assert answer.status_code == 200, answer.text

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(30)))
    text = editor.wait_text("has all", lambda text: text.count("<") == 30, target=TEXT)
    assert all(f"<{number}>" in text for number in range(30)), text
    vector = Doc()
    vector.apply_update(product.call("GET", base, headers={"Accept": UPDATE}).content)
    assert str(vector.get("notes", type=Text)) == text


def test_a_service_account_works_in_a_room_it_was_invited_to(server, yjs):
    product = service(server)
    alice = Api(server).register()
    room = alice.make_pair_room()["id"]
    base = f"/v1/rooms/{room}/documents/main"
    edit = {"edits": [{"op": "replace", "path": "/files/main.py", "text": "print(1)\n"}]}
    assert_problem(product.post(base + "/edits", edit), 404)
    code = alice.post(f"/v1/rooms/{room}/invites", expect=201).json()["code"]
    product.post(f"/v1/invites/{code}/accept", expect=200)
    product.post(base + "/edits", edit, expect=200)
    editor = yjs().open_room(server, room, "main", alice.sync_token(room)).synced()
    editor.wait_text("is the service's", lambda text: text == "print(1)\n")


def test_what_was_answered_is_there_after_a_crash(serve):
    server = serve()
    product = service(server)
    room = product.mint(document="kept")["room_id"]
    base = f"/v1/rooms/{room}/documents/main"
    for number in range(20):
        product.post(
            base + "/edits", {"edits": [{"op": "set", "path": f"/m/k{number}", "value": number}]}, expect=200
        )
    server.restart()
    assert product.call("GET", base, expect=200).json()["content"] == {"m": {f"k{n}": n for n in range(20)}}
    assert product.mint(document="kept")["room_id"] == room
    doc = Doc()
    doc.apply_update(product.call("GET", base, headers={"Accept": UPDATE}, expect=200).content)
    assert len(doc.get("m", type=Map)) == 20
