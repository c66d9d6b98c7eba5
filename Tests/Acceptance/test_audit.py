"""What those who run the server can do, and that all of it is written down."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from harness import wire
from harness.api import PASSWORD, Api, assert_problem, bundled_problems, unique


@pytest.fixture(scope="module")
def admin(server):
    return Api(server).with_role("admin")


def entries(admin, **query) -> list[dict]:
    return admin.get("/v1/admin/audit", params=query).json()["items"]


def test_every_action_is_written_down(server, admin):
    api = Api(server)
    moderator, eve = api.with_role("moderator"), api.register()
    moderator.post(f"/v1/admin/users/{eve.id}/bans", {"reason": "cheating", "seconds": 60}, expect=201)
    moderator.call("DELETE", f"/v1/admin/users/{eve.id}/bans", expect=204)
    assert_problem(moderator.post("/v1/admin/users/no-such/bans", {"reason": "x"}), 404)
    admin.call("PUT", f"/v1/admin/users/{eve.id}/role", json={"role": "author"}, expect=200)
    lifted, banned = entries(admin, subject=eve.id, actor=moderator.id)
    assert banned["action"] == "POST /api/v1/admin/users/{id}/bans" and banned["status"] == 201, banned
    assert banned["actor"] == {"id": moderator.id, "handle": moderator.handle}
    assert '"cheating"' in banned["detail"] and banned["address"] == api.address and banned["request_id"]
    assert lifted["action"].startswith("DELETE") and lifted["status"] == 204
    assert [e["status"] for e in entries(admin, subject="no-such")] == [404]
    assert entries(admin, subject=eve.id, action="PUT /api/v1/admin")[0]["actor"]["id"] == admin.id
    made = entries(admin, action="coduel users create", subject=moderator.id)
    assert made[0]["actor"]["handle"] == "command line" and made[0]["detail"] == "role moderator"
    # Who may not, leaves no entry and sees none.
    assert_problem(eve.post(f"/v1/admin/users/{moderator.id}/bans", {"reason": "x"}), 401, 403)
    assert entries(admin, subject=moderator.id, action="POST /api/v1/admin/users/{id}/bans") == []
    assert_problem(moderator.call("GET", "/v1/admin/audit"), 403)


def test_the_log_is_paged_and_filtered_by_time(server, admin):
    for number in range(5):
        admin.post("/v1/admin/announcements", {"text": f"word {number}", "seconds": 60}, expect=201)
    found, cursor = [], None
    while True:
        query = {"action": "POST /api/v1/admin/announcements", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = admin.get("/v1/admin/audit", params=query).json()
        found += [e["detail"] for e in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [d for n in range(4, -1, -1) for d in found if f"word {n}" in d] == found
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    assert entries(admin, **{"from": later}) == []
    assert len(entries(admin, until=later, limit=3)) == 3
    assert_problem(admin.call("GET", "/v1/admin/audit", params={"from": "yesterday"}), 422)


def test_the_log_only_grows(server, admin):
    admin.call("PUT", "/v1/admin/settings", json={}, expect=200)
    with sqlite3.connect(Path(server.data) / "coduel.db") as database:
        for statement in ("DELETE FROM audit_log", "UPDATE audit_log SET actor = 'nobody'", "DELETE FROM audit_ends"):
            with pytest.raises(sqlite3.IntegrityError, match="only grows"):
                database.execute(statement)


def test_what_a_moderator_does_in_rooms_of_others_is_written_down(server, admin):
    api = Api(server)
    moderator, owner, member = api.with_role("moderator"), api.register(), api.register()
    room = owner.make_pair_room(visibility="public")["id"]
    owner.invite(room, member)
    owner.call("DELETE", f"/v1/rooms/{room}/participants/{member.id}", expect=204)
    assert entries(admin, subject=f"{room} {member.id}") == []
    owner.invite(room, member)
    moderator.call("DELETE", f"/v1/rooms/{room}/participants/{member.id}", expect=204)
    assert [e["actor"]["id"] for e in entries(admin, subject=f"{room} {member.id}")] == [moderator.id]


def test_accounts_are_found(server, admin):
    api = Api(server)
    name = unique("find")
    one, two = api.register(name + "A"), api.register(name + "b")
    moderator = api.with_role("moderator")

    def search(**query):
        return [a["handle"] for a in moderator.get("/v1/admin/users", params=query).json()["items"]]

    assert search(q=name) == [one.handle, two.handle]
    assert search(q=name.upper()) == [one.handle, two.handle]
    assert search(q=f"{two.handle}@EXAMPLE") == [two.handle]
    assert search(q=one.id) == [one.handle]
    assert search(q="%") == [] and search(q="_") == [] and search(q="' OR 1=1 --") == []
    assert moderator.handle in search(role="moderator", limit=100) and one.handle not in search(role="moderator")
    moderator.post(f"/v1/admin/users/{two.id}/bans", {"reason": "x"}, expect=201)
    assert search(q=name, banned="true") == [two.handle]
    assert moderator.get(f"/v1/admin/users/{two.id}").json()["banned"] is True
    assert_problem(moderator.call("GET", "/v1/admin/users/no-such"), 404)
    page = moderator.get("/v1/admin/users", params={"q": name, "limit": 1}).json()
    assert search(q=name, cursor=page["next_cursor"]) == [two.handle]
    assert_problem(one.call("GET", "/v1/admin/users"), 403)


def test_the_door_is_closed_and_opened(serve):
    server = serve()
    api = Api(server)
    admin, ann = api.with_role("admin"), api.register()
    door = {"guests": False, "registrations": False, "verified_email": True}
    assert admin.call("PUT", "/v1/admin/settings", json=door, expect=200).json() == door
    assert_problem(api.call("POST", "/v1/sessions/guest", json={}), 403)
    handle = unique()
    body = {"handle": handle, "email": f"{handle}@example.org", "password": PASSWORD}
    assert_problem(api.call("POST", "/v1/users", json=body), 403)
    logged = api.call("POST", "/v1/sessions", json={"login": ann.handle, "password": PASSWORD})
    assert_problem(logged, 403)
    wrong = api.call("POST", "/v1/sessions", json={"login": ann.handle, "password": "not this one"})
    assert_problem(wrong, 401)
    # It holds over a restart, and who has no address is not kept out.
    server.restart()
    assert admin.get("/v1/admin/settings").json() == door
    api.log_in(admin.handle)
    opened = admin.call("PUT", "/v1/admin/settings", json={"guests": True, "verified_email": False}, expect=200)
    assert opened.json() == {"guests": True, "registrations": False, "verified_email": False}
    api.guest()
    api.log_in(ann.handle)


def test_announcements(server, admin):
    api = Api(server)
    made = admin.post("/v1/admin/announcements", {"text": "<b>Down</b> on Sunday", "kind": "warning"}, expect=201)
    shown = api.call("GET", "/v1/announcements", expect=200).json()["items"]
    assert made.json() in shown and shown[0]["text"] == "<b>Down</b> on Sunday", "text is text"
    admin.call("DELETE", f"/v1/admin/announcements/{made.json()['id']}", expect=204)
    assert made.json() not in api.call("GET", "/v1/announcements").json()["items"]
    brief = admin.post("/v1/admin/announcements", {"text": "soon over", "seconds": 1}, expect=201).json()
    time.sleep(1.1)
    assert brief not in api.call("GET", "/v1/announcements").json()["items"]
    for body in ({"text": ""}, {"text": "x" * 1001}, {"text": "x", "seconds": 0}, {"text": "x", "kind": "loud"}):
        assert_problem(admin.post("/v1/admin/announcements", body), 422)


def test_a_problem_is_retired(server, admin):
    api = Api(server)
    ann, author = api.register(), api.with_role("author")
    problem = bundled_problems()[0]
    room = ann.make_pair_room(problem_id=problem)["id"]
    assert_problem(author.post(f"/v1/problems/{problem}/retire", {"reason": "x"}), 403)
    assert_problem(admin.post(f"/v1/problems/{problem}/retire"), 422)
    retired = admin.post(f"/v1/problems/{problem}/retire", {"reason": "test data is wrong"}, expect=200).json()
    assert retired["status"] == "draft"
    assert_problem(ann.call("GET", f"/v1/problems/{problem}"), 404)
    assert problem not in [p["id"] for p in ann.get("/v1/problems", params={"limit": 100}).json()["items"]]
    author.get(f"/v1/problems/{problem}")
    with wire.room_socket(server, room, "main", ann.token) as socket:
        socket.wait_synced()
    assert "test data is wrong" in entries(admin, subject=problem)[0]["detail"]
    admin.post(f"/v1/problems/{problem}/publish", expect=200)
    ann.get(f"/v1/problems/{problem}")
    assert_problem(admin.post("/v1/problems/no-such/retire", {"reason": "x"}), 404)
