"""The process's log: JSON with the field names of the Elastic Common Schema, and nothing in it that nobody should read."""

from __future__ import annotations

import base64
import json
import os
import pty
import re
import subprocess

import httpx

from harness.api import PASSWORD, Api, bundled_problems
from harness.server import BINARY, ROOT, environment
from harness.waiting import until
from harness.wire import room_socket, stateless, text_update, update

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def lines(server) -> list[dict]:
    """Every line of the log but the one on standard output."""
    found = []
    for line in server.log().splitlines():
        if not line.startswith("coduel listening on "):
            found.append(json.loads(line))
    return found


def access(server, route: str) -> list[dict]:
    return [l for l in lines(server) if l.get("event.dataset") == "coduel.access" and l.get("http.route") == route]


def test_a_whole_run_leaves_no_secret_in_the_log(serve):
    server = serve("--log-level", "trace", "--log-format", "json")
    api = Api(server)
    alice, bob = api.register(), api.register()
    secrets = {"password": PASSWORD, "mail": f"{alice.handle}@example.org", "wrong password": "hunter2-is-not-it"}
    api.call("POST", "/v1/sessions", json={"login": alice.handle, "password": secrets["wrong password"]}, expect=401)
    api.call("POST", "/v1/sessions", json={"login": f"{alice.handle}@example.org", "password": "x" * 8})
    renewed = api.call("POST", "/v1/sessions/refresh", json={"refresh_token": bob.refresh_token}, expect=200).json()
    room = alice.make_pair_room(problem_id=bundled_problems()[0])["id"]
    code = alice.post(f"/v1/rooms/{room}/invites", expect=(200, 201)).json()["code"]
    bob.token = renewed["access_token"]
    bob.post(f"/v1/invites/{code}/accept", expect=(200, 201, 204))
    sync_token = alice.sync_token(room)
    secrets |= {
        "access token": alice.token, "refresh token": alice.refresh_token, "new access token": renewed["access_token"],
        "new refresh token": renewed["refresh_token"], "invite": code, "sync token": sync_token,
        "text of a document": "marker_of_the_document", "chat": "marker-of-the-chat", "source": "marker_of_the_source",
        "input": "marker-of-the-input", "bad token": "marker.of.a-bad-token", "query": "marker-of-a-query",
        "unknown path": "marker-of-a-path", "broken json": "marker-of-broken-json",
    }
    with room_socket(server, room, "main", sync_token) as socket:
        socket.wait_synced()
        socket.send(update(text_update(9_001, f"# {secrets['text of a document']}\n")))
        socket.send(stateless({"type": "chat.post", "nonce": "n1", "text": secrets["chat"]}))
        socket.send(b"\x00\x02\xff" + secrets["text of a document"].encode())
        socket.drain(0.5)
    httpx.get(f"{server.http}/sync/{room}/main?token={alice.token}", trust_env=False)
    api.call("GET", "/v1/me", token=secrets["bad token"], expect=401)
    api.call("GET", f"/v1/problems?q={secrets['query']}", expect=200)
    api.call("GET", f"/v1/{secrets['unknown path']}", expect=404)
    api.call("POST", "/v1/sessions", content=secrets["broken json"], headers={"Content-Type": "application/json"})
    problem = bundled_problems()[0]
    source = f"raise SystemExit('{secrets['source']}')\n"
    made = alice.post(f"/v1/problems/{problem}/submissions", {"language": "python", "source": source}, expect=202)
    alice.verdict(made.json()["id"])
    run = alice.post("/v1/runs", {"language": "python", "source": source, "stdin": secrets["input"]}, expect=202).json()
    until("the run is finished", lambda: alice.get(f"/v1/runs/{run['id']}").json()["status"] == "finished", 30)
    assert server.stop() == 0

    log = server.log()
    assert len(lines(server)) > 20
    for what, secret in secrets.items():
        assert secret not in log, f"the log holds the {what}"
        assert base64.b64encode(secret.encode()).decode().rstrip("=") not in log, f"the log holds the {what} in base64"
    assert not re.search(r"eyJ[A-Za-z0-9_-]{10,}\.", log), "the log holds something like a JWT"
    assert alice.id not in "".join(json.dumps(line) for line in access(server, "/api/v1/me"))


def test_lines_follow_the_schema(serve):
    server = serve()
    api = Api(server)
    alice = api.register()
    api.call("GET", "/v1/me", token=alice.token, expect=200, headers={"traceparent": PARENT})
    answer = api.call("GET", "/v1/rooms/nothing", token=alice.token, expect=404, headers={"traceparent": PARENT})
    assert answer.json()["trace_id"] == TRACE
    until("the calls are in the log", lambda: access(server, "/api/v1/rooms/{id}"))
    for line in lines(server):
        for key in ("@timestamp", "log.level", "message", "ecs.version", "service.name", "log.logger"):
            assert key in line, f"{key} is missing: {line}"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["@timestamp"])
        assert all(isinstance(value, (str, int)) for value in line.values()), line
    seen = access(server, "/api/v1/me")[-1]
    assert seen["trace.id"] == TRACE
    assert seen["http.request.method"] == "GET" and seen["http.response.status_code"] == 200
    assert seen["event.duration"] > 0 and seen["client.ip"] == api.address
    assert re.fullmatch(r"[0-9a-f]{16}", seen["user.hash"])
    failed = access(server, "/api/v1/rooms/{id}")[-1]
    assert failed["http.request.id"] == answer.headers["x-request-id"]


def test_level_format_and_access_lines_are_settings(serve):
    quiet = serve("--access-log", "false", "--log-level", "info")
    Api(quiet).call("GET", "/v1/problems", expect=200)
    assert not access(quiet, "/api/v1/problems")
    text = serve("--log-format", "text")
    Api(text).call("GET", "/v1/problems", expect=200)
    until("a line of text", lambda: "http.route=/api/v1/problems" in text.log())
    assert not any(line.startswith("{") for line in text.log().splitlines())
    severe = serve(env={"CODUEL_LOG_LEVEL": "error"})
    Api(severe).call("GET", "/v1/problems", expect=200)
    assert lines(severe) == []


def test_bad_settings_are_refused(tmp_path):
    for flags in (["--log-format", "xml"], ["--log-level", "loud"], ["--trace-percent", "101"],
                  ["--trace-collector", "ftp://x"], ["--trace-collector", "http://user:geheim@x"]):
        done = subprocess.run(
            [str(BINARY), "serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "d"), *flags],
            capture_output=True, text=True, timeout=20, env=environment(), cwd=ROOT,
        )
        assert done.returncode != 0 and flags[0].lstrip("-") in done.stderr, done.stderr
        assert "geheim" not in done.stderr + done.stdout


def test_a_terminal_gets_text(tmp_path):
    """Without a setting: whoever starts it by hand reads lines, whoever collects them gets JSON."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [str(BINARY), "serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "d")],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs, env=environment(), cwd=ROOT,
    )
    os.close(theirs)
    try:
        assert process.stdout.readline().startswith(b"coduel listening on ")
        seen = os.read(ours, 4096).decode()
        assert " info coduel" in seen and not seen.startswith("{"), seen
    finally:
        process.terminate()
        process.wait(15)
        process.stdout.close()
        os.close(ours)


def test_a_log_that_nobody_reads_stops_nothing(tmp_path):
    """A full pipe holds no request up."""
    process = subprocess.Popen(
        [str(BINARY), "serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "d"), "--log-format", "json"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), cwd=ROOT,
    )
    try:
        url = process.stdout.readline().decode().split()[-1]
        with httpx.Client(trust_env=False, timeout=10) as client:
            # Four times what a pipe holds.
            for number in range(700):
                answer = client.get(f"{url}/api/v1/nothing-{number}", headers={"traceparent": PARENT})
                assert answer.status_code in (404, 429)
            assert "coduel_log_lines_dropped_total 0" in client.get(url + "/metrics").text
    finally:
        process.kill()
        process.wait(15)
        process.stdout.close()
        process.stderr.close()
