"""Log-in at a provider of OpenID Connect: right, wrong in every part, and down."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from harness.api import PASSWORD, Account, Api, assert_problem, unique
from harness.oidc import Key, Provider
from harness.waiting import until


@pytest.fixture
def provider():
    made = Provider()
    yield made
    made.close()


MANY_LOG_INS = ("--rate-limits", "logins=1000/60")


@pytest.fixture
def server(serve, provider):
    return serve(*provider.flags, *MANY_LOG_INS, env=provider.environment)


def begin(api: Api, token: str | None = None) -> dict:
    return api.call("POST", "/v1/oidc/corp/flows", token=token, json={}, expect=201).json()


def finish(api: Api, back: dict, flow: str, **change):
    body = {"code": back["code"], "state": back["state"], "flow": flow} | change
    return api.call("POST", "/v1/oidc/corp/callback", json=body)


def log_in(api: Api, provider: Provider, subject: str, **person) -> Account:
    begun = begin(api)
    back = provider.log_in(begun["authorization_url"], subject, **person)
    answer = finish(api, back, begun["flow"])
    assert answer.status_code == 201, answer.text
    return Account(api, "", None, answer.json())


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_somebody_logs_in(serve, algorithm):
    provider = Provider(algorithm)
    server = serve(*provider.flags, env=provider.environment)
    api = Api(server)
    assert api.call("GET", "/v1/oidc", expect=200).json()["items"] == [{"name": "corp"}]
    name = unique("ada")
    ada = log_in(api, provider, "sub-1", preferred_username=name, email=f"{name}@example.org")
    me = ada.get("/v1/me").json()
    assert me["handle"] == name and me["email"] == f"{name}@example.org" and me["email_verified"] is True
    # The same person again, whatever they are called by then.
    again = log_in(api, provider, "sub-1", preferred_username="other", email="other@example.org")
    assert again.id == ada.id
    # Another person of the same name and address is another person.
    other = log_in(api, provider, "sub-2", preferred_username=name, email=f"{name}@example.org")
    assert other.id != ada.id and other.handle != name and "email" not in other.get("/v1/me").json()
    provider.close()


def test_a_browser_comes_back_with_a_cookie(server, provider):
    api = Api(server)
    start = api.call("GET", "/v1/oidc/corp/start", expect=303)
    cookie = start.headers["set-cookie"]
    assert cookie.startswith("__Host-coduel_oidc=")
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie, cookie
    back = provider.log_in(start.headers["location"], "browser", name="Grace Hopper")
    assert back["redirect_uri"] == f"{server.http}/api/v1/oidc/corp/callback"
    query = {"code": back["code"], "state": back["state"]}
    flow = cookie.split(";")[0]
    done = api.call("GET", "/v1/oidc/corp/callback", params=query, headers={"Cookie": flow}, expect=303)
    assert done.headers["location"] == "/#/signed-in", done.headers
    cookies = done.headers.get_list("set-cookie")
    jar = dict(c.split(";")[0].split("=", 1) for c in cookies)
    assert jar["__Host-coduel_refresh"] and jar["__Host-coduel_oidc"] == ""
    fields = {"Cookie": f"__Host-coduel_refresh={jar['__Host-coduel_refresh']}"}
    fields["X-CSRF-Token"] = jar["__Host-coduel_csrf"]
    pair = api.call("POST", "/v1/sessions/refresh", json={}, headers=fields, expect=200).json()
    assert api.call("GET", "/v1/me", token=pair["access_token"], expect=200).json()["handle"] == "GraceHopper"
    # Once more, without the cookie, with an error of the provider: a page each time, never a session.
    for params, headers in ((query, {"Cookie": flow}), (query, {}), ({"error": "access_denied"}, {})):
        again = api.call("GET", "/v1/oidc/corp/callback", params=params, headers=headers, expect=303)
        assert again.headers["location"].startswith("/#/sign-in-failed/"), again.headers
        assert "__Host-coduel_refresh" not in str(again.headers.get_list("set-cookie"))


def test_what_does_not_fit_together_is_refused(server, provider):
    api = Api(server)

    def refused(change=None, **parts):
        begun = begin(api)
        back = provider.log_in(begun["authorization_url"], "victim")
        provider.change = change or (lambda header, claims: None)
        answer = finish(api, back, begun["flow"], **parts)
        provider.change = lambda header, claims: None
        problem = assert_problem(answer, 422)
        assert problem["code"] == "login_refused", problem

    # The state, the code, the flow (and with it the PKCE verifier) of somebody else.
    refused(state="x" * 43)
    refused(code="stolen")
    one, two = begin(api), begin(api)
    back = provider.log_in(one["authorization_url"], "victim")
    assert_problem(finish(api, back, two["flow"]), 422)
    other = provider.log_in(two["authorization_url"], "thief")
    assert_problem(finish(api, back | {"code": other["code"]}, one["flow"]), 422)
    assert_problem(finish(api, back, "not a flow"), 422)
    # What the ID token says.
    for name, value in (
        ("nonce", "other"), ("nonce", None), ("iss", "https://evil.example"), ("aud", "other"),
        ("aud", ["coduel-test", "other"]), ("azp", "other"), ("exp", 1), ("iat", 9_999_999_999), ("sub", ""),
    ):  # fmt: skip
        refused(lambda header, claims: claims.update({name: value}))
    for change in ({"alg": "none"}, {"alg": "HS256"}, {"kid": "other"}, {"alg": "ES256"}):
        refused(lambda header, claims: header.update(change))
    # A flow is good once.
    begun = begin(api)
    back = provider.log_in(begun["authorization_url"], "victim")
    assert finish(api, back, begun["flow"]).status_code == 201
    assert_problem(finish(api, back, begun["flow"]), 422)


def test_a_key_that_changed_meanwhile(server, provider):
    api = Api(server)
    log_in(api, provider, "a")
    begun = begin(api)
    back = provider.log_in(begun["authorization_url"], "a")
    provider.key = Key("ES256")
    answer = finish(api, back, begun["flow"])
    if answer.status_code != 201:
        # The keys were read a moment ago and are not read again within 10 s.
        assert_problem(answer, 422)
        until("the new key is taken up", lambda: _tries(api, provider), 20)


def _tries(api: Api, provider: Provider):
    begun = begin(api)
    back = provider.log_in(begun["authorization_url"], "a")
    return finish(api, back, begun["flow"]).status_code == 201


def test_a_provider_that_is_down(serve, provider):
    provider.down = True
    server = serve(*provider.flags, env=provider.environment)
    api = Api(server)
    ann = api.register()
    for _ in range(5):
        problem = assert_problem(api.call("POST", "/v1/oidc/corp/flows", json={}), 503)
        assert problem["code"] == "unavailable"
    asked = len(provider.requests)
    assert asked == 5
    # The circuit is open: nobody asks any more, and the password still opens the door.
    assert_problem(api.call("POST", "/v1/oidc/corp/flows", json={}), 503)
    assert len(provider.requests) == asked
    api.log_in(ann.handle, PASSWORD)
    assert "circuit" in server.log()
    text = httpx.get(server.http + "/metrics", trust_env=False).text
    for state, value in (("closed", 0), ("open", 1), ("half_open", 0)):
        assert f'coduel_circuit_state{{dependency="openid:corp",state="{state}"}} {value}' in text


def test_an_issuer_that_speaks_for_another(serve, provider):
    provider.issuer_told = "https://accounts.example"
    api = Api(serve(*provider.flags, env=provider.environment))
    assert_problem(api.call("POST", "/v1/oidc/corp/flows", json={}), 503)


def test_linking_and_unlinking(server, provider):
    api = Api(server)
    ann, bob = api.register(), api.register()
    begun = begin(api, ann.token)
    back = provider.log_in(begun["authorization_url"], "ann-there", name="Ann There", email=f"{bob.handle}@example.org")
    linked = finish(api, back, begun["flow"])
    assert linked.status_code == 200 and linked.json()["label"] == "Ann There", linked.text
    # The address of somebody else did not link, and did not log in as them.
    assert log_in(api, provider, "ann-there").id == ann.id
    begun = begin(api, bob.token)
    back = provider.log_in(begun["authorization_url"], "ann-there")
    assert assert_problem(finish(api, back, begun["flow"]), 409)["code"] == "identity_taken"
    listed = ann.get("/v1/me/identities").json()["items"]
    assert [i["provider"] for i in listed] == ["corp"]
    assert_problem(bob.call("DELETE", f"/v1/me/identities/{listed[0]['id']}"), 404)
    ann.call("DELETE", f"/v1/me/identities/{listed[0]['id']}", expect=204)
    stranger = log_in(api, provider, "ann-there")
    assert stranger.id != ann.id
    only = stranger.get("/v1/me/identities").json()["items"][0]
    problem = assert_problem(stranger.call("DELETE", f"/v1/me/identities/{only['id']}"), 409)
    assert problem["code"] == "last_identity"


def test_a_banned_person_stays_out(server, provider):
    api = Api(server)
    moderator, eve = api.with_role("moderator"), log_in(api, provider, "eve")
    moderator.post(f"/v1/admin/users/{eve.id}/bans", {"reason": "cheating"}, expect=201)
    begun = begin(api)
    back = provider.log_in(begun["authorization_url"], "eve")
    assert assert_problem(finish(api, back, begun["flow"]), 403)["code"] == "banned"


def test_another_implementation_of_a_provider(serve):
    """The mock of the PyPI project oidc-provider-mock, behind a layer that enforces PKCE, where both are at hand."""
    shared = os.environ.get("CODUEL_SHARED")
    path = Path(shared or "") / "conformance/oidc/oidc_provider.py"
    if shared is None or not path.exists() or importlib.util.find_spec("oidc_provider_mock") is None:
        pytest.skip("CODUEL_SHARED names no folder with the provider, or oidc-provider-mock is not installed")
    spec = importlib.util.spec_from_file_location("oidc_provider", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    running = module.serve()
    issuer = f"http://localhost:{running.server_port}"
    found = httpx.get(f"{issuer}/.well-known/openid-configuration", trust_env=False).json()
    server = serve("--oidc", f"corp={found['issuer']} any-client", "--oidc-allow-private",
                   env={"CODUEL_OIDC_CORP_SECRET": "any"})  # fmt: skip
    api = Api(server)
    begun = begin(api)
    answer = httpx.post(begun["authorization_url"], data={"sub": "somebody"}, trust_env=False)
    assert answer.status_code == 302, answer.text
    back = {k: v[0] for k, v in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    done = finish(api, back, begun["flow"])
    assert done.status_code == 201, done.text
    running.shutdown()
