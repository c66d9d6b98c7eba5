"""HTTP as a whole: errors, limits of size and rate, pages, idempotency, headers, events."""

from __future__ import annotations

import re
import socket

import pytest

from harness.api import (
    PASSWORD,
    Api,
    EventStream,
    accepted_python,
    assert_problem,
    bundled_problems,
    unique,
)
from harness.server import ROOT, coduel
from harness.waiting import until


def test_unknown_routes_are_404_before_authentication(api):
    for method, path in (
        ("GET", "/v1/nothing"),
        ("POST", "/v1/nothing/here"),
        ("GET", "/nothing.html"),
        ("GET", "/v1"),
    ):
        assert_problem(api.call(method, path if path != "/v1" else "/api/v1"), 404)
    wrong_method = api.call("DELETE", "/v1/problems")
    assert_problem(wrong_method, 405, 404)
    if wrong_method.status_code == 405:
        assert "GET" in wrong_method.headers["allow"]


def test_list_of_problems_in_pages(api):
    ids, cursor, pages = [], None, 0
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = api.call("GET", "/v1/problems", params=query, expect=200).json()
        assert len(page["items"]) <= 2, page
        ids += [item["id"] for item in page["items"]]
        cursor, pages = page["next_cursor"], pages + 1
        if cursor is None or pages > 200:
            break
    assert sorted(ids) == bundled_problems(), f"pages hold {sorted(ids)}, fixtures/problems {bundled_problems()}"
    assert pages == (len(ids) + 1) // 2, f"{pages} pages for {len(ids)} problems"
    for limit in ("0", "101", "-1", "many", "99999999999999999999"):
        assert_problem(api.call("GET", "/v1/problems", params={"limit": limit}), 400, 422)
    assert_problem(api.call("GET", "/v1/problems", params={"cursor": "no-such-cursor"}), 400, 422)
    assert api.call("GET", "/v1/problems", params={"limit": 100}, expect=200).json()["next_cursor"] is None


def package_type(problem_id: str) -> str:
    lines = (ROOT / "fixtures/problems" / problem_id / "problem.yaml").read_text().splitlines()
    return next((line for line in lines if line.startswith("type:")), "type: pass-fail")


def test_one_problem_shows_statement_limits_and_samples_but_no_secret(api):
    for problem_id in bundled_problems():
        answer = api.call("GET", f"/v1/problems/{problem_id}", expect=200)
        problem = answer.json()
        assert problem["id"] == problem_id and problem["title"], problem
        assert re.search(r"<(p|h1|h2)\b", answer.text), f"{problem_id}: no HTML statement"
        assert "<script" not in answer.text
        shown = [sample["input"] or sample.get("interaction") for sample in problem["samples"]]
        assert all(shown) and (shown or "submit-answer" in package_type(problem_id)), problem["samples"]
        assert "secret" not in answer.text, f"{problem_id}: the answer speaks of secret data"
    assert_problem(api.call("GET", "/v1/problems/nosuchproblem"), 404)
    found = api.call("GET", "/v1/problems", params={"q": bundled_problems()[0]}, expect=200).json()["items"]
    assert bundled_problems()[0] in [item["id"] for item in found], found


def test_bodies_that_are_wrong(api):
    alice = api.register()
    headers = {"Content-Type": "application/json"}
    for broken in (
        b"{",
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe{}",
        b'{"handle":1}',
        b"[" * 20_000,
        b'{"a":' * 20_000,
    ):
        assert_problem(api.call("POST", "/v1/users", content=broken, headers=headers), 400, 413, 422)
    assert_problem(
        api.call(
            "POST", "/v1/users", content=b"handle=x", headers={"Content-Type": "application/x-www-form-urlencoded"}
        ),
        415,
    )
    assert_problem(alice.call("POST", "/v1/rooms", json={"kind": "castle", "visibility": "private"}), 422)
    assert_problem(
        alice.call("POST", "/v1/rooms", json={"kind": "pair", "visibility": "private", "language": "cobol"}), 422
    )
    assert_problem(
        alice.call("POST", "/v1/rooms", json={"kind": "pair", "visibility": "private", "problem_id": "nosuchproblem"}),
        404,
        422,
    )
    assert_problem(
        alice.call(
            "POST", "/v1/matchmaking/tickets", json={"mode": "duel", "languages": [], "topics": [], "rated": True}
        ),
        422,
    )
    practice = f"/v1/problems/{bundled_problems()[0]}/submissions"
    assert_problem(alice.call("POST", practice, json={"language": "python"}), 422, 400)
    assert_problem(alice.call("POST", practice, json={"language": "python", "source": "x" * 5_000_000}), 413, 422)


def test_a_huge_body_is_cut_off(server, api):
    size = 1 << 30
    with socket.create_connection((server.host, server.port), 10) as raw:
        raw.sendall(
            f"POST /api/v1/users HTTP/1.1\r\nHost: {server.host}:{server.port}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n".encode()
        )
        raw.sendall(b"[" * 65536)
        raw.settimeout(10)
        answer = raw.recv(4096)
    assert b" 413 " in answer.split(b"\r\n", 1)[0], f"expected 413 at once, got {answer[:100]!r}"
    server.assert_alive()


def test_headers_that_protect_browsers(api):
    page = api.call("GET", "/", expect=200)
    policy = page.headers["content-security-policy"]
    assert "default-src" in policy and "unsafe-inline" not in policy and "unsafe-eval" not in policy, policy
    assert page.headers["x-content-type-options"] == "nosniff"
    tokens = api.call("POST", "/v1/sessions/guest", json={}, expect=201)
    assert "no-store" in tokens.headers["cache-control"], tokens.headers


def test_foreign_hosts_and_origins_are_refused(api):
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        answer = api.call("POST", "/v1/sessions/guest", json={}, headers=headers)
        assert answer.status_code in (400, 403, 421), f"{headers} answered {answer.status_code}"
    own = {"Origin": api.server.http}
    api.call("POST", "/v1/sessions/guest", json={}, headers=own, expect=201)


def test_openapi_and_metrics(api):
    text = api.call("GET", "/api/openapi.yaml", expect=200).text
    assert text.lstrip().startswith("openapi:") and "/matchmaking/tickets" in text
    metrics = api.call("GET", "/metrics", expect=200)
    assert metrics.headers["content-type"].startswith("text/plain")
    assert re.search(r"^# TYPE \w+ (counter|gauge|histogram)$", metrics.text, re.M), metrics.text[:500]


def test_an_idempotency_key_makes_one_room(api):
    alice, bob = api.register(), api.register()
    request = {"kind": "pair", "visibility": "private", "language": "python"}
    key = {"Idempotency-Key": unique("key")}
    first = alice.call("POST", "/v1/rooms", json=request, headers=key, expect=201).json()
    again = alice.call("POST", "/v1/rooms", json=request, headers=key, expect=(200, 201)).json()
    assert again["id"] == first["id"], "the same key made a second room"
    other = alice.call("POST", "/v1/rooms", json=request | {"language": "cpp"}, headers=key)
    assert_problem(other, 409, 422)
    foreign = bob.call("POST", "/v1/rooms", json=request, headers=key, expect=201).json()
    assert foreign["id"] != first["id"], "the key of one person gave another the room"


def test_practice_runs_and_their_limits(api):
    alice = api.register()
    problem = bundled_problems()[0]
    answer = alice.post(
        f"/v1/problems/{problem}/submissions", {"language": "python", "source": accepted_python(problem)}, expect=202
    )
    found = alice.verdict(answer.json()["id"])
    assert found["verdict"] == "AC" and found["score"] is not None, found
    assert all(re.match(r"(sample|secret)/", test["name"]) for test in found["tests"]), found["tests"]
    run = alice.post(
        "/v1/runs", {"language": "python", "source": "print(input()[::-1])", "stdin": "abc\n"}, expect=202
    ).json()
    result = until("the run is done", lambda: (r := alice.get(f"/v1/runs/{run['id']}").json()).get("verdict") and r, 20)
    assert result["verdict"] == "AC" and result["stdout"] == "cba\n" and result["exit_code"] == 0, result
    assert_problem(api.register().call("GET", f"/v1/runs/{run['id']}"), 403, 404)
    broken = alice.post("/v1/runs", {"language": "c", "source": "int main( {", "stdin": ""}, expect=202).json()
    result = until(
        "the run is done", lambda: (r := alice.get(f"/v1/runs/{broken['id']}").json()).get("verdict") and r, 20
    )
    assert result["verdict"] == "CE", result


def test_submissions_have_a_rate(serve):
    api = Api(serve())
    alice = api.register()
    problem = bundled_problems()[0]
    for number in range(12):
        answer = alice.post(f"/v1/problems/{problem}/submissions", {"language": "python", "source": f"print({number})"})
        if answer.status_code != 202:
            break
    assert_too_many(answer)
    assert number >= 10, f"refused after {number} submissions, expected 10 a minute"


def assert_too_many(answer) -> None:
    problem = assert_problem(answer, 429)
    wait = int(answer.headers["retry-after"])
    assert 0 < wait <= 3600, f"Retry-After {wait}"
    assert re.search(r"r=0\b", answer.headers["ratelimit"]), f"RateLimit: {answer.headers['ratelimit']}"
    assert re.search(r"q=\d+;w=\d+", answer.headers["ratelimit-policy"].replace(" ", "")), answer.headers[
        "ratelimit-policy"
    ]
    assert problem["title"]


@pytest.mark.timeout(180)
def test_registrations_have_a_rate(serve):
    api = Api(serve())
    for number in range(62):
        handle = unique()
        answer = api.call(
            "POST", "/v1/users", json={"handle": handle, "email": f"{handle}@example.org", "password": PASSWORD}
        )
        if answer.status_code != 201:
            break
    assert_too_many(answer)
    assert number == 60, f"{number} registrations went through, expected 60 in 10 min"
    # The address of a proxy nobody named is not believed.
    handle = unique()
    spoofed = api.call(
        "POST",
        "/v1/users",
        headers={"X-Forwarded-For": "203.0.113.9"},
        json={"handle": handle, "email": f"{handle}@example.org", "password": PASSWORD},
    )
    assert_too_many(spoofed)


def test_log_in_failures_bring_a_growing_pause(serve):
    api = Api(serve())
    alice = api.register()
    for _ in range(40):
        answer = api.call("POST", "/v1/sessions", json={"login": alice.handle, "password": "wrong password"})
        if answer.status_code != 401:
            break
    problem = assert_problem(answer, 429)
    assert int(answer.headers["retry-after"]) > 0, problem


def test_events_are_pushed_and_resumable(serve):
    api = Api(serve())
    alice, bob = api.register(), api.register()
    stream = EventStream(alice)
    tickets = [account.enter_queue(rated=False) for account in (alice, bob)]
    room = alice.matched_room(tickets[0])
    until("match.found with the room", lambda: any(room in str(data) for data in stream.of_type("match.found")))
    last_id = stream.seen[-1][0]
    assert last_id, f"events carry no id: {stream.seen}"
    stream.stopped.set()
    problem = bundled_problems()[0]
    answer = alice.post(f"/v1/problems/{problem}/submissions", {"language": "python", "source": "print()"}, expect=202)
    alice.verdict(answer.json()["id"])
    resumed = EventStream(alice, last_event_id=last_id)
    until(
        "submission.finished after resuming",
        lambda: any(answer.json()["id"] in str(d) for d in resumed.of_type("submission.finished")),
    )
    assert not resumed.of_type("match.found"), "the resumed stream repeats what was seen"
    assert_problem(bob.call("GET", f"/v1/matchmaking/tickets/{tickets[0]}"), 403, 404)


def test_settings_are_checked(tmp_path):
    config = tmp_path / "coduel.yaml"
    config.write_text("no_such_setting: 1\n")
    done = coduel("serve", "--listen", "127.0.0.1:0", "--data", tmp_path / "data", "--config", config, timeout=20)
    assert done.returncode != 0 and "no_such_setting" in done.stderr + done.stdout, f"{done.returncode} {done.stderr}"
    done = coduel("serve", "--listen", "0.0.0.0:0", "--data", tmp_path / "data", timeout=20)
    assert done.returncode != 0 and "--insecure" in done.stderr + done.stdout, (
        f"a bare listener beyond loopback: {done.returncode} {done.stderr}"
    )
    done = coduel(
        "serve", "--listen", "0.0.0.0:0", "--insecure", "--open-rooms", "--data", tmp_path / "data", timeout=20
    )
    assert done.returncode != 0 and "--i-know" in done.stderr + done.stdout, (
        f"open rooms beyond loopback: {done.returncode} {done.stderr}"
    )


def test_help_shows_examples():
    for command in (
        (),
        ("serve",),
        ("users", "create"),
        ("problems", "import"),
        ("problems", "verify"),
        ("sandbox", "run"),
        ("doctor",),
    ):
        done = coduel(*command, "--help")
        assert done.returncode == 0, f"coduel {' '.join(command)} --help ended with {done.returncode}"
        assert re.search(r"^\s+coduel ", done.stdout, re.M), f"no example in the help of {command or 'coduel'}"
