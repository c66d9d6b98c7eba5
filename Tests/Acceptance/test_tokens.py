"""Tokens that are forged, stale, used twice, or belong to somebody who may do less than before."""

from __future__ import annotations

import time

import pytest

from harness import forge, wire
from harness.api import PASSWORD, Api, assert_problem
from harness.server import coduel
from harness.waiting import until


@pytest.fixture(scope="module")
def ann(server):
    return Api(server).register()


def is_refused(api: Api, token: str) -> None:
    answer = api.call("GET", "/v1/me", token=token)
    assert_problem(answer, 401)
    assert "invalid_token" in answer.headers["www-authenticate"], answer.headers


def test_unsigned_and_symmetric_tokens(server, ann):
    header, claims = forge.parts(ann.token)
    keys = ann.api.call("GET", "/.well-known/jwks.json", expect=200).json()["keys"]
    public = next(key for key in keys if key["kid"] == header["kid"])
    head, body, signature = ann.token.split(".")
    for algorithm in ("none", "None", "NONE", "HS256", "ES256", "RS256"):
        changed = forge.b64(str(header | {"alg": algorithm}).replace("'", '"').encode())
        for end in ("", signature):
            is_refused(ann.api, f"{changed}.{body}.{end}")
    for secret in (public["x"].encode(), forge.unb64(public["x"]), str(public).encode()):
        is_refused(ann.api, forge.hmac_signed(header | {"alg": "HS256"}, claims, secret))


def test_tokens_signed_by_our_key_with_wrong_claims(server, ann):
    header, claims = forge.parts(ann.token)
    seed = forge.seed_of(server, header["kid"])
    ann.api.call("GET", "/v1/me", token=forge.signed(header, claims, seed), expect=200)
    now = int(time.time())
    wrong = [
        {"aud": "sync"}, {"aud": "other"}, {"iss": "https://evil.example"}, {"exp": now - 1}, {"exp": "never"},
        {"iat": now + 3600, "exp": now + 7200}, {"sub": "somebody"}, {"sid": "no-such"}, {"aud": ["api"]},
    ]  # fmt: skip
    for change in wrong:
        is_refused(ann.api, forge.signed(header, claims | change, seed))
    for name in ("aud", "iss", "exp", "sub", "sid"):
        is_refused(ann.api, forge.signed(header, {k: v for k, v in claims.items() if k != name}, seed))
    for change in ({"kid": "other"}, {"kid": ""}, {"kid": "../../dev/null"}, {"typ": "JWT"}, {"typ": "sync+jwt"}):
        is_refused(ann.api, forge.signed(header | change, claims, seed))
    for extra in ({"jwk": {"kty": "OKP"}}, {"jku": "https://evil.example/keys"}, {"crit": ["exp"]}):
        is_refused(ann.api, forge.signed(header | extra, claims, seed))
    is_refused(ann.api, forge.signed(header, claims, bytes(32)))
    # Roles in a token are worth nothing: the account's count.
    grown = forge.signed(header, claims | {"roles": ["admin"]}, seed)
    assert ann.api.call("GET", "/v1/me", token=grown, expect=200).json()["roles"] == ["user"]


def test_truncated_and_mangled_tokens(ann):
    head, body, signature = ann.token.split(".")
    for text in (
        ann.token[:-1], head, f"{head}.{body}", f"{head}.{body}.", f".{body}.{signature}", f"{head}..{signature}",
        ann.token + "A", ann.token + ".x", "x", "a.b.c", "cdp_x", "cdk_x", "A" * 4_000,
    ):  # fmt: skip
        is_refused(ann.api, text)
    assert_problem(ann.api.call("GET", "/v1/me", token="A" * 5_000), 401)


def test_a_replayed_refresh_token_ends_its_family(server):
    api = Api(server)
    victim = api.register()
    first = victim.refresh_token

    def refresh(token: str, agent: str = "mine"):
        return api.call("POST", "/v1/sessions/refresh", json={"refresh_token": token}, headers={"User-Agent": agent})

    second = refresh(first)
    assert second.status_code == 200
    # An answer lost on the way: the same client may ask again.
    assert refresh(first).status_code == 200
    # Somebody else, within the same grace.
    assert_problem(refresh(first, agent="thief"), 401)
    assert_problem(refresh(second.json()["refresh_token"]), 401)
    is_refused(api, victim.token)
    is_refused(api, second.json()["access_token"])


def test_a_ticket_opens_one_socket(server):
    api = Api(server)
    owner = api.register()
    room = owner.make_pair_room()["id"]
    made = owner.post("/v1/ws-tickets", expect=201).json()
    assert made["expires_in"] == 30

    def open_with(ticket: str):
        return wire.RawSocket(server, f"/sync/{room}/main?ticket={ticket}")

    with open_with(made["ticket"]) as socket:
        socket.wait_synced()
        with open_with(made["ticket"]) as again:
            assert again.wait_closed() == 4401
    assert wire.access(server, room, "main", made["ticket"]) == "401", "a ticket is no token"
    orphan = owner.post("/v1/ws-tickets", expect=201).json()["ticket"]
    owner.call("DELETE", "/v1/sessions/current", expect=204)
    with open_with(orphan) as socket:
        assert socket.wait_closed() == 4401


def test_a_ban_closes_open_sockets_within_a_second(server):
    api = Api(server)
    moderator, eve = api.with_role("moderator"), api.register()
    room = eve.make_pair_room()["id"]
    token = eve.post("/v1/me/tokens", {"name": "script", "scopes": ["sync", "read"]}, expect=201).json()["token"]
    with (
        wire.room_socket(server, room, "main", eve.token) as socket,
        wire.room_socket(server, room, "main", token) as by_script,
    ):
        socket.wait_synced()
        by_script.wait_synced()
        moderator.post(f"/v1/admin/users/{eve.id}/bans", {"reason": "cheating"}, expect=201)
        began = time.monotonic()
        assert socket.wait_closed(1) == 4401
        assert by_script.wait_closed(1) == 4401
        assert time.monotonic() - began < 1
    is_refused(api, eve.token)
    is_refused(api, token)
    assert_problem(api.call("POST", "/v1/sessions", json={"login": eve.handle, "password": PASSWORD}), 403)
    assert_problem(api.call("POST", "/v1/sessions/refresh", json={"refresh_token": eve.refresh_token}), 401)


def test_a_role_that_is_gone_is_gone_for_tokens_too(server):
    api = Api(server)
    admin, former = api.with_role("admin"), api.with_role("moderator")
    scopes = ["read", "write", "admin"]
    token = former.post("/v1/me/tokens", {"name": "watch", "scopes": scopes}, expect=201).json()["token"]
    api.call("GET", "/v1/admin/rooms", token=token, expect=200)
    admin.call("PUT", f"/v1/admin/users/{former.id}/role", json={"role": "user"}, expect=200)
    is_refused(api, former.token)
    assert_problem(api.call("GET", "/v1/admin/rooms", token=token), 403)


def test_a_personal_token_reaches_as_far_as_its_scopes(server):
    api = Api(server)
    owner = api.register()
    room = owner.make_pair_room()["id"]
    reader = owner.post("/v1/me/tokens", {"name": "r", "scopes": ["read"]}, expect=201).json()
    assert api.call("GET", f"/v1/rooms/{room}", token=reader["token"], expect=200).json()["id"] == room
    assert_problem(api.call("POST", "/v1/rooms", token=reader["token"], json={"kind": "pair"}), 403)
    assert wire.access(server, room, "main", reader["token"]) == "403"
    syncer = owner.post("/v1/me/tokens", {"name": "s", "scopes": ["sync"]}, expect=201).json()
    with wire.room_socket(server, room, "main", syncer["token"]) as socket:
        socket.wait_synced()
        owner.call("DELETE", f"/v1/me/tokens/{syncer['id']}", expect=204)
        assert socket.wait_closed(2) == 4401
    is_refused(api, syncer["token"])


def test_keys_rotate_under_a_running_server(serve):
    server = serve()
    api = Api(server)
    ann = api.register()
    before = {key["kid"] for key in api.call("GET", "/.well-known/jwks.json").json()["keys"]}
    done = coduel("keys", "rotate", "--data", server.data)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"signs":true') == 1

    def published():
        return {key["kid"] for key in api.call("GET", "/.well-known/jwks.json").json()["keys"]} - before or None

    new = until("the new key is published", published, 45)
    assert len(new) == 1
    ann.get("/v1/me")
    assert forge.parts(ann.token)[0]["kid"] in before
    # A key that was stolen: tokens of it are worth nothing, the session goes on.
    done = coduel("keys", "rotate", "--at-once", "--data", server.data)
    assert done.returncode == 0, done.stderr
    answer = until(
        "tokens of the old key are refused",
        lambda: (found := api.call("GET", "/v1/me", token=ann.token)).status_code == 401 and found,
        45,
    )
    assert_problem(answer, 401)
    pair = api.call("POST", "/v1/sessions/refresh", json={"refresh_token": ann.refresh_token}, expect=200).json()
    api.call("GET", "/v1/me", token=pair["access_token"], expect=200)


def test_no_secret_is_ever_logged(serve):
    server = serve("--log-level", "trace")
    api = Api(server)
    ann = api.register()
    room = ann.make_pair_room()["id"]
    sync = ann.sync_token(room)
    script = ann.post("/v1/me/tokens", {"name": "s", "scopes": ["sync"]}, expect=201).json()["token"]
    ticket = ann.post("/v1/ws-tickets", expect=201).json()["ticket"]
    pair = api.call("POST", "/v1/sessions/refresh", json={"refresh_token": ann.refresh_token}, expect=200).json()
    for token in (ann.token, sync, script):
        with wire.room_socket(server, room, "main", token) as socket:
            socket.wait_synced()
    with wire.RawSocket(server, f"/sync/{room}/main?ticket={ticket}") as socket:
        socket.wait_synced()
    api.call("GET", f"/v1/me?token={ann.token}")
    api.call("GET", f"/v1/nowhere/{ann.token}")
    api.call("POST", "/v1/sessions", json={"login": ann.handle, "password": "wrong but secret"})
    log = server.log()
    assert "answered" in log, "the log is that of a server that tells what it does"
    secrets = {
        "access token": ann.token, "refresh token": ann.refresh_token, "sync token": sync, "personal token": script,
        "ticket": ticket, "new refresh token": pair["refresh_token"], "password": PASSWORD,
        "wrong password": "wrong but secret", "e-mail": f"{ann.handle}@example.org",
    }  # fmt: skip
    found = [name for name, secret in secrets.items() if secret in log]
    assert not found, f"the log holds: {', '.join(found)}"
