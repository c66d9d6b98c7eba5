"""Access that changes under open sockets, bans, roles, and what an administrator sees and closes."""

from __future__ import annotations

from harness import wire
from harness.api import PASSWORD, Api, EventStream, assert_problem
from harness.waiting import until
from harness.wire import SYNC, access


def test_a_removed_member_is_closed_and_an_added_one_may_write(server):
    api = Api(server)
    owner, member, other = api.register(), api.register(), api.register()
    room = owner.make_pair_room(visibility="public")["id"]
    owner.invite(room, member)
    with (
        wire.room_socket(server, room, "main", member.token) as writer,
        wire.room_socket(server, room, "main", other.token) as reader,
    ):
        writer.wait_synced()
        reader.wait_synced()
        owner.invite(room, other)
        reader.wait_for("the server's step 1", lambda m: m[0] == SYNC and m[1][0] == wire.STEP1)
        reader.send(wire.update(wire.text_update(7001, "added member")))
        writer.wait_for("the text", lambda m: m[0] == SYNC and b"added member" in m[1][1])
        assert_problem(other.call("DELETE", f"/v1/rooms/{room}/participants/{member.id}"), 403)
        owner.call("DELETE", f"/v1/rooms/{room}/participants/{member.id}", expect=204)
        # The room is public: they may read on, and what they write is refused.
        writer.wait_denied("reset:read_only")
        writer.send(wire.update(wire.text_update(7002, "removed member")))
        writer.wait_denied("reset:read_only")
        assert b"removed member" not in b"".join(m[1][1] for m in reader.drain(0.4) if m[0] == SYNC)
        owner.call("PATCH", f"/v1/rooms/{room}", json={"visibility": "private"}, expect=200)
        assert writer.wait_closed(5) == 4404
    assert access(server, room, "main", member.token) == "404"
    assert_problem(owner.call("DELETE", f"/v1/rooms/{room}/participants/{owner.id}"), 409)
    other.call("DELETE", f"/v1/rooms/{room}/participants/{other.id}", expect=204)
    assert access(server, room, "main", other.token) == "404"


def test_an_archived_room_is_read_only_until_it_is_opened(server):
    api = Api(server)
    owner, member = api.register(), api.register()
    room = owner.make_pair_room()["id"]
    owner.invite(room, member)
    assert_problem(member.call("PATCH", f"/v1/rooms/{room}", json={"archived": True}), 403)
    with wire.room_socket(server, room, "main", member.token) as socket:
        socket.wait_synced()
        view = owner.call("PATCH", f"/v1/rooms/{room}", json={"archived": True}, expect=200).json()
        assert view["archived_at"], view
        socket.wait_denied("reset:read_only")
    assert access(server, room, "main", owner.token) == "read"
    assert_problem(owner.post(f"/v1/rooms/{room}/submissions", {"language": "python"}), 403, 409)
    owner.call("PATCH", f"/v1/rooms/{room}", json={"archived": False}, expect=200)
    assert access(server, room, "main", member.token) == "write"


def test_a_ban_ends_sessions_and_sockets(server):
    api = Api(server)
    admin, moderator, victim = api.with_role("admin"), api.with_role("moderator"), api.register()
    room = victim.make_pair_room()["id"]
    path = f"/v1/admin/users/{victim.id}/bans"
    assert_problem(victim.post(path, {"reason": "me"}), 403)
    assert_problem(moderator.post(path, {"reason": ""}), 422)
    assert_problem(moderator.post(f"/v1/admin/users/{admin.id}/bans", {"reason": "coup"}), 403)
    assert_problem(moderator.post("/v1/admin/users/no-such/bans", {"reason": "x"}), 404)
    stream = EventStream(victim)
    with wire.room_socket(server, room, "main", victim.token) as socket:
        socket.wait_synced()
        ban = moderator.post(path, {"reason": "cheating", "seconds": 2}, expect=201).json()
        assert ban["user_id"] == victim.id and ban["banned_by"] == moderator.id and ban["expires_at"], ban
        assert socket.wait_closed(5) == 4401
    until("the event stream ends", lambda: not stream.is_alive(), 5)
    assert_problem(victim.call("GET", "/v1/me"), 401)
    refused = api.call("POST", "/v1/sessions", json={"login": victim.handle, "password": PASSWORD})
    assert "cheating" in assert_problem(refused, 403)["detail"]
    assert_problem(api.call("POST", "/v1/sessions/refresh", json={"refresh_token": victim.refresh_token}), 401)
    until(
        "the ban expires",
        lambda: api.call("POST", "/v1/sessions", json={"login": victim.handle, "password": PASSWORD}).status_code == 201,
        10,
        every=0.5,
    )
    moderator.post(path, {"reason": "for good"}, expect=201)
    assert_problem(api.call("POST", "/v1/sessions", json={"login": victim.handle, "password": PASSWORD}), 403)
    assert [b["reason"] for b in admin.get(path).json()["items"]] == ["for good", "cheating"]
    admin.call("DELETE", path, expect=204)
    assert_problem(admin.call("DELETE", path), 404)
    again = api.log_in(victim.handle)
    assert access(server, room, "main", again.token) == "write"


def test_a_role_taken_away_closes_what_it_opened(server):
    api = Api(server)
    admin, helper, owner = api.with_role("admin"), api.register(), api.register()
    room = owner.make_pair_room()["id"]
    assert access(server, room, "main", helper.token) == "404"
    path = f"/v1/admin/users/{helper.id}/role"
    assert_problem(helper.call("PUT", path, json={"role": "admin"}), 403)
    assert admin.call("PUT", path, json={"role": "moderator"}, expect=200).json()["roles"] == ["moderator", "user"]
    # The refusal of a moment ago is forgotten.
    with wire.room_socket(server, room, "main", helper.token) as socket:
        socket.wait_synced()
        admin.call("PUT", path, json={"role": "user"}, expect=200)
        assert socket.wait_closed(5) == 4401
    assert access(server, room, "main", api.log_in(helper.handle).token) == "404"


def test_an_administrator_lists_and_closes(server):
    api = Api(server)
    moderator, owner = api.with_role("moderator"), api.register()
    room = owner.make_pair_room()["id"]
    for path in ("/v1/admin/rooms", "/v1/admin/sockets", f"/v1/admin/rooms/{room}/sockets"):
        assert_problem(owner.call("GET", path), 403)
    with wire.room_socket(server, room, "main", owner.token) as socket:
        socket.wait_synced()

        def pages(path):
            items, cursor = [], None
            while True:
                page = moderator.get(path, params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
                items += page["items"]
                cursor = page["next_cursor"]
                if cursor is None:
                    return items

        (mine,) = [s for s in pages("/v1/admin/sockets") if any(u["id"] == owner.id for u in s["users"])]
        assert mine["documents"] == [f"{room}/main"] and mine["messages"] >= 1, mine
        (loaded,) = [r for r in pages("/v1/admin/rooms") if r["id"] == room]
        assert loaded["sockets"] == 1 and loaded["kind"] == "pair", loaded
        (inside,) = moderator.get(f"/v1/admin/rooms/{room}/sockets").json()["items"]
        assert inside == {
            "user_id": owner.id, "handle": owner.handle, "document": "main", "access": "write", "quarantine": None,
        }
        moderator.call("DELETE", f"/v1/admin/sockets/{mine['id']}", expect=204)
        assert socket.wait_closed(5) == 4403
        assert any(m[0] == wire.AUTH for m in socket.seen), "said in band first"
    # Kept out for a minute: refused in band once, then at the upgrade.
    assert [access(server, room, "main", owner.token) for _ in range(3)] == ["403"] * 3
    assert_problem(moderator.call("DELETE", f"/v1/admin/sockets/{mine['id']}"), 404)
    other = api.register()
    theirs = other.make_pair_room()["id"]
    with wire.MultiplexedSocket(server) as socket:
        socket.authenticate(f"{theirs}/main", other.token)
        socket.wait_for("authenticated", lambda m: m[1] == wire.AUTH and m[2][0] == 2)
        closed = moderator.call("DELETE", f"/v1/admin/users/{other.id}/sockets", expect=200).json()
        assert closed == {"closed": 1}
        assert socket.wait_closed(5) == 4403
