"""Accounts, sessions, roles and tokens."""

from __future__ import annotations

import base64
import json
import time

import pytest

from harness.api import PASSWORD, Api, assert_problem, unique
from harness.server import coduel


def body(handle: str, **change) -> dict:
    return {"handle": handle, "email": f"{handle}@example.org", "password": PASSWORD} | change


def claims(token: str) -> tuple[dict, dict]:
    header, payload, _ = token.split(".")
    return tuple(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in (header, payload))


def test_register_log_in_and_look_at_oneself(api):
    alice = api.register()
    me = alice.get("/v1/me").json()
    assert me["handle"] == alice.handle and "user" in me["roles"], me
    assert isinstance(me["ratings"], dict), me
    assert "password" not in json.dumps(me) and "$argon2" not in json.dumps(me)
    again = api.log_in(f"{alice.handle}@example.org", user_id=alice.id)
    assert again.token != alice.token


@pytest.mark.parametrize(
    "change, field",
    [
        ({"handle": "a"}, "handle"),
        ({"handle": "no spaces"}, "handle"),
        ({"handle": "x" * 200}, "handle"),
        ({"handle": "<b>bad</b>"}, "handle"),
        ({"email": "nobody"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 100_000}, "password"),
    ],
)
def test_unusable_registrations_name_the_field(api, change, field):
    answer = api.call("POST", "/v1/users", json=body(unique()) | change)
    problem = assert_problem(answer, 422, 400, 413)
    if answer.status_code == 422:
        assert field in json.dumps(problem["errors"]), f"errors do not name {field}: {problem}"


def test_handles_and_addresses_are_taken_once(api):
    handle = unique()
    api.call("POST", "/v1/users", json=body(handle), expect=201)
    assert_problem(api.call("POST", "/v1/users", json=body(handle, email=f"other{handle}@example.org")), 409)
    assert_problem(api.call("POST", "/v1/users", json=body(handle.upper(), email=f"third{handle}@example.org")), 409)
    assert_problem(api.call("POST", "/v1/users", json=body(unique(), email=f"{handle}@example.org")), 409)


def test_wrong_password_and_unknown_login_look_the_same(api):
    alice = api.register()
    wrong = assert_problem(
        api.call("POST", "/v1/sessions", json={"login": alice.handle, "password": "wrong password"}), 401
    )
    unknown = assert_problem(
        api.call("POST", "/v1/sessions", json={"login": unique("nobody"), "password": "wrong password"}), 401
    )
    assert (wrong["type"], wrong["title"], wrong.get("detail")) == (
        unknown["type"],
        unknown["title"],
        unknown.get("detail"),
    )


def test_guests_play_unrated(api):
    guest = api.guest("visitor")
    me = guest.get("/v1/me").json()
    assert me["roles"] == ["guest"], me
    assert guest.handle
    body_of = {"mode": "duel", "languages": ["python"], "topics": [], "rated": True}
    assert_problem(guest.post("/v1/matchmaking/tickets", body_of), 403, 422)
    ticket = guest.enter_queue(rated=False)
    cancelled = guest.call("DELETE", f"/v1/matchmaking/tickets/{ticket}")
    assert cancelled.status_code in (200, 204), cancelled.text
    assert guest.get(f"/v1/matchmaking/tickets/{ticket}").json()["status"] == "cancelled"


def test_access_token_is_a_short_lived_jwt_of_a_published_key(api):
    alice = api.register()
    header, payload = claims(alice.token)
    assert header["alg"] in ("EdDSA", "ES256") and header["kid"], header
    keys = api.call("GET", "/.well-known/jwks.json", expect=200).json()["keys"]
    assert header["kid"] in [key["kid"] for key in keys], f"kid {header['kid']} is not in the JWKS"
    assert all("d" not in key and "k" not in key for key in keys), "the JWKS holds a private key"
    assert payload["sub"] == alice.id
    assert 0 < payload["exp"] - time.time() <= 601, (
        f"lives {payload['exp'] - time.time():.0f} s, expected 10 min at most"
    )


@pytest.mark.parametrize("forge", ["none", "cut", "payload", "empty", "garbage"])
def test_forged_tokens_are_refused(api, forge):
    alice = api.register()
    header, payload, signature = alice.token.split(".")

    def part(value: dict) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    token = {
        "none": f"{part({'alg': 'none', 'typ': 'JWT'})}.{payload}.",
        "cut": f"{header}.{payload}.{signature[:-4]}",
        "payload": f"{header}.{part(claims(alice.token)[1] | {'sub': 'someone-else'})}.{signature}",
        "empty": "..",
        "garbage": "x" * 20_000,
    }[forge]
    answer = api.call("GET", "/v1/me", headers={"Authorization": f"Bearer {token}"})
    if answer.status_code != 431:
        assert_problem(answer, 401)


def test_an_ended_session_is_refused_at_once(api):
    alice = api.register()
    other = api.log_in(alice.handle)
    alice.call("DELETE", "/v1/sessions/current", expect=204)
    assert_problem(alice.call("GET", "/v1/me"), 401)
    assert_problem(api.call("POST", "/v1/sessions/refresh", json={"refresh_token": alice.refresh_token}), 401)
    assert other.get("/v1/me").status_code == 200, "ending one session ended another"


def test_refresh_rotates_and_a_second_use_ends_the_family(api):
    alice = api.register()

    def refresh(token: str):
        return api.call("POST", "/v1/sessions/refresh", json={"refresh_token": token})

    first = alice.refresh_token
    second = refresh(first)
    assert second.status_code == 200, second.text
    assert second.json()["refresh_token"] != first
    third = refresh(second.json()["refresh_token"])
    assert third.status_code == 200, third.text
    access = third.json()["access_token"]
    assert api.call("GET", "/v1/me", token=access).status_code == 200

    # A thief comes with the first one after the grace of at most 10 s: the whole family ends.
    time.sleep(10.5)
    assert_problem(refresh(first), 401)
    assert_problem(api.call("GET", "/v1/me", token=access), 401)
    assert_problem(refresh(third.json()["refresh_token"]), 401)
    assert_problem(refresh("no-such-token"), 401)


def test_accounts_and_sessions_survive_kill_9(serve):
    server = serve()
    api = Api(server)
    alice = api.register()
    server.restart()
    assert alice.get("/v1/me").json()["id"] == alice.id, "an access token is good after a restart"
    answer = api.call("POST", "/v1/sessions/refresh", json={"refresh_token": alice.refresh_token}, expect=200)
    assert answer.json()["access_token"] != alice.token
    api.log_in(alice.handle, user_id=alice.id)


def test_roles_made_on_the_command_line(server, api):
    admin = api.with_role("admin")
    assert "admin" in admin.get("/v1/me").json()["roles"]
    author = api.with_role("author")
    assert "author" in author.get("/v1/me").json()["roles"]
    done = coduel(
        "users",
        "create",
        "--handle",
        admin.handle,
        "--role",
        "user",
        "--password-stdin",
        "--data",
        server.data,
        stdin=PASSWORD,
    )
    assert done.returncode != 0 and admin.handle in done.stderr + done.stdout, (
        f"a taken handle: {done.returncode} {done.stderr}"
    )
    done = coduel(
        "users",
        "create",
        "--handle",
        unique(),
        "--role",
        "emperor",
        "--password-stdin",
        "--data",
        server.data,
        stdin=PASSWORD,
    )
    assert done.returncode != 0 and "emperor" in done.stderr + done.stdout
    done = coduel(
        "users", "create", "--handle", unique(), "--role", "user", "--password", PASSWORD, "--data", server.data
    )
    assert done.returncode != 0, "a secret has no flag"


def test_no_token_is_needed_where_the_contract_says_so(api):
    for path in ("/v1/problems", "/healthz", "/readyz", "/metrics", "/.well-known/jwks.json", "/api/openapi.yaml", "/"):
        answer = api.call("GET", path)
        assert answer.status_code == 200, f"GET {path} without a token answered {answer.status_code}"
    for method, path in (
        ("GET", "/v1/me"),
        ("POST", "/v1/rooms"),
        ("GET", "/v1/rooms/x"),
        ("POST", "/v1/matchmaking/tickets"),
        ("POST", "/v1/runs"),
        ("GET", "/v1/submissions/x"),
        ("GET", "/v1/me/events"),
        ("POST", "/v1/problems"),
        ("DELETE", "/v1/sessions/current"),
    ):
        answer = api.call(method, path, **({"json": {}} if method == "POST" else {}))
        assert_problem(answer, 401)
        assert answer.headers.get("www-authenticate", "").startswith("Bearer"), f"{method} {path}: {answer.headers}"
