"""Webhooks: what is told, how it is signed, tried again and logged, and whom the server will not call."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.api import Api, assert_problem, bundled_problems, unique
from harness.server import coduel
from harness.waiting import hold, until
from harness.wire import room_socket

ALL = ["room.opened", "room.changed", "room.closed", "submission.finished"]


class Receiver:
    """An HTTP server that keeps what it is sent. `answers` are statuses for the next requests; then 204."""

    def __init__(self, tls: tuple[str, str] | None = None):
        self.requests: list[dict] = []
        self.answers: list[int] = []
        self.pause = 0.0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.answers.pop(0) if receiver.answers else 204
                receiver.requests.append(
                    {"path": self.path, "headers": dict(self.headers), "body": body, "status": status, "at": time.time()}
                )
                time.sleep(receiver.pause)
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", f"{receiver.url}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.scheme = "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.scheme = "https"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.server.server_address[1]}"

    def events(self, kind: str | None = None) -> list[dict]:
        bodies = [json.loads(request["body"]) for request in self.requests]
        return [body for body in bodies if kind in (None, body["type"])]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(scope="module")
def calling():
    """A server that may call private addresses, for all tests of the file."""
    from harness.server import Server

    server = Server("--webhooks-allow-private").start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def admin(calling):
    return Api(calling).with_role("admin")


def hook(account, url: str, events=ALL, **more) -> dict:
    return account.post("/v1/webhooks", {"url": url, "events": events} | more, expect=201).json()


def deliveries(account, hook_id: str) -> list[dict]:
    return account.call("GET", f"/v1/webhooks/{hook_id}/deliveries", expect=200).json()["items"]


def test_a_room_is_told_of_and_signed(admin, yjs, receiver):
    made = hook(admin, receiver.url + "/hook?x=1", secret="a secret of my own")
    alice = admin.api.register()
    room = alice.make_pair_room()["id"]
    code = yjs().open_room(admin.api.server, room, "main", alice.sync_token(room)).synced()

    def of_room(kind):
        return [event for event in receiver.events(kind) if event["data"]["room_id"] == room]

    until("room.opened", lambda: of_room("room.opened"))
    code.replace("print('a secret text')\n")
    changed = until("room.changed", lambda: of_room("room.changed"), 15)
    assert changed[0]["data"]["documents"][0]["name"] == "main"
    code.close()
    until("room.closed", lambda: of_room("room.closed"), 15)
    assert [len(of_room(kind)) for kind in ALL[:3]] == [1, 1, 1]
    for request in receiver.requests:
        headers = request["headers"]
        assert request["path"] == "/hook?x=1" and headers["Content-Type"] == "application/json"
        assert json.loads(request["body"])["type"] == headers["Coduel-Event"] and headers["Coduel-Delivery"]
        assert abs(int(headers["Coduel-Timestamp"]) - request["at"]) < 10
        signed = headers["Coduel-Timestamp"].encode() + b"." + request["body"]
        expected = hmac.new(b"a secret of my own", signed, hashlib.sha256).hexdigest()
        assert headers["Coduel-Signature"] == f"v1={expected}"
        assert b"secret text" not in request["body"]
    log = until("the log", lambda: (d := deliveries(admin, made["id"])) and all(x["status"] == "delivered" for x in d) and d)
    assert {entry["last_status"] for entry in log} == {204} and {entry["attempts"] for entry in log} == {1}
    assert "secret" not in admin.get(f"/v1/webhooks/{made['id']}").json()
    assert admin.call("DELETE", f"/v1/webhooks/{made['id']}").status_code == 204


def test_many_changes_are_told_once(admin, yjs, receiver):
    made = hook(admin, receiver.url, ["room.changed"])
    alice = admin.api.register()
    room = alice.make_pair_room()["id"]
    code = yjs().open_room(admin.api.server, room, "main", alice.sync_token(room)).synced()
    for number in range(30):
        code.insert(f"{number}\n", 0)
        time.sleep(0.02)
    until("room.changed", lambda: receiver.events("room.changed"), 15)
    hold("no further event", lambda: len(receiver.events("room.changed")) == 1, 3)
    sequence = alice.get(f"/v1/rooms/{room}/documents/main").json()["sequence"]
    assert receiver.events("room.changed")[0]["data"]["documents"] == [{"name": "main", "sequence": sequence}]
    admin.call("DELETE", f"/v1/webhooks/{made['id']}")


def test_a_verdict_is_told(admin, receiver):
    made = hook(admin, receiver.url, ["submission.finished"])
    alice = admin.api.register()
    problem = bundled_problems()[0]
    submitted = alice.post(
        f"/v1/problems/{problem}/submissions", {"language": "python", "source": "print('no')\n"}, expect=202
    ).json()
    verdict = alice.verdict(submitted["id"])["verdict"]
    event = until("submission.finished", lambda: receiver.events("submission.finished"))[0]
    assert event["data"] == {
        "id": submitted["id"],
        "user_id": alice.id,
        "room_id": None,
        "problem_id": problem,
        "language": "python",
        "verdict": verdict,
    }
    admin.call("DELETE", f"/v1/webhooks/{made['id']}")


def test_what_fails_is_tried_again_and_can_be_sent_again(admin, receiver):
    receiver.answers = [500, 302, 404]
    made = hook(admin, receiver.url, ["room.opened"])
    alice = admin.api.register()
    room = alice.make_pair_room()["id"]
    with room_socket(admin.api.server, room, "main", alice.token) as socket:
        socket.wait_synced()
        until("the fourth attempt", lambda: len(receiver.requests) == 4, 40)
    assert [request["status"] for request in receiver.requests] == [500, 302, 404, 204]
    assert len({request["body"] for request in receiver.requests}) == 1
    assert len({request["headers"]["Coduel-Delivery"] for request in receiver.requests}) == 1
    pauses = [b["at"] - a["at"] for a, b in zip(receiver.requests, receiver.requests[1:])]
    # Two seconds doubled, each with up to half of it less, and the dispatcher's tick.
    for pause, longest in zip(pauses, (2, 4, 8)):
        assert longest / 2 - 0.1 <= pause <= longest + 2, pauses
    log = until("delivered", lambda: (d := deliveries(admin, made["id"])) and d[0]["status"] == "delivered" and d)
    assert log[0]["attempts"] == 4 and log[0]["body"].encode() == receiver.requests[0]["body"]
    again = admin.post(f"/v1/webhooks/{made['id']}/deliveries/{log[0]['id']}/redeliver", expect=202).json()
    assert again["id"] != log[0]["id"] and again["event_id"] == log[0]["event_id"]
    until("the delivery sent again", lambda: len(receiver.requests) == 5)
    assert receiver.requests[4]["body"] == receiver.requests[0]["body"]
    assert len(deliveries(admin, made["id"])) == 2
    assert_problem(admin.post(f"/v1/webhooks/{made['id']}/deliveries/none/redeliver"), 404)
    admin.call("DELETE", f"/v1/webhooks/{made['id']}")


def test_deliveries_survive_a_crash(serve, receiver):
    server = serve("--webhooks-allow-private")
    admin = Api(server).with_role("admin")
    receiver.answers = [503] * 2
    made = hook(admin, receiver.url, ["room.opened"])
    alice = admin.api.register()
    room = alice.make_pair_room()["id"]
    with room_socket(server, room, "main", alice.token) as socket:
        socket.wait_synced()
        until("an attempt", lambda: receiver.requests)
    server.restart()
    until("it is delivered", lambda: deliveries(admin, made["id"])[0]["status"] == "delivered", 40)
    assert len({request["body"] for request in receiver.requests}) == 1


def test_service_accounts_are_told_of_their_own_documents_alone(admin, receiver):
    server = admin.api.server

    def service():
        done = coduel("service-accounts", "create", "--name", unique("hook"), "--data", server.data)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["key"]

    mine, other = service(), service()
    made = admin.api.call(
        "POST", "/v1/webhooks", token=mine, json={"url": receiver.url, "events": ALL[:3]}, expect=201
    ).json()
    assert made["secret"]

    def mint(key):
        wish = {"document": "d", "access": "write", "user": {"id": "u"}}
        return admin.api.call("POST", "/v1/sync-tokens", token=key, json=wish, expect=201).json()

    alice = admin.api.register()
    room = alice.make_pair_room()["id"]
    tokens = [mint(mine), mint(other)]
    with room_socket(server, room, "main", alice.token) as one:
        one.wait_synced()
        with room_socket(server, tokens[1]["room_id"], "main", tokens[1]["sync_token"]) as two:
            two.wait_synced()
            with room_socket(server, tokens[0]["room_id"], "main", tokens[0]["sync_token"]) as three:
                three.wait_synced()
                until("room.opened of its own document", lambda: receiver.events("room.opened"))
    hold("nothing of others", lambda: {e["data"]["room_id"] for e in receiver.events()} == {tokens[0]["room_id"]}, 1)
    for key in (other, admin.token, alice.token):
        answer = admin.api.call("GET", f"/v1/webhooks/{made['id']}", token=key)
        assert answer.status_code in (403, 404), answer.text
    assert_problem(admin.api.call("GET", "/v1/webhooks", token=alice.token), 403)


def test_a_slow_receiver_holds_up_nobody_else(admin, receiver):
    slow = Receiver()
    slow.pause = 4
    try:
        hooks = [hook(admin, slow.url, ["room.opened"]), hook(admin, receiver.url, ["room.opened"])]
        alice = admin.api.register()
        for _ in range(3):
            room = alice.make_pair_room()["id"]
            with room_socket(admin.api.server, room, "main", alice.token) as socket:
                socket.wait_synced()
        until("the quick one has all", lambda: len(receiver.requests) >= 3, 3)
        assert len(slow.requests) <= 1
        for made in hooks:
            admin.call("DELETE", f"/v1/webhooks/{made['id']}")
    finally:
        slow.close()


def test_odd_urls_are_refused(admin):
    for url in (
        "example.org",
        "ftp://example.org/",
        "https://user@example.org/",
        "https://example.org/#part",
        "https://example.org:0/",
        "https://exa mple.org/",
        "https://example.org/\r\nHost: x",
        "",
    ):
        assert_problem(admin.post("/v1/webhooks", {"url": url, "events": ALL}), 422)
    assert_problem(admin.post("/v1/webhooks", {"url": "https://example.org/", "events": []}), 422)
    assert_problem(admin.post("/v1/webhooks", {"url": "https://example.org/", "events": ["room.painted"]}), 422)
    assert_problem(admin.post("/v1/webhooks", {"url": "https://example.org/", "events": ALL, "secret": "short"}), 422)


def test_private_addresses_and_plain_http_are_not_called(serve, receiver, tmp_path):
    server = serve()
    admin = Api(server).with_role("admin")
    assert_problem(admin.post("/v1/webhooks", {"url": receiver.url, "events": ALL}), 422)
    port = receiver.server.server_address[1]
    hosts = [f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", "169.254.169.254", "10.0.0.1", "0.0.0.0", "0x7f.1"]
    made = [hook(admin, f"https://{host}/", ["room.opened"]) for host in hosts]
    alice = admin.api.register()
    room = alice.make_pair_room()["id"]
    with room_socket(server, room, "main", alice.token) as socket:
        socket.wait_synced()
        for each in made:
            log = until("an attempt", lambda: (d := deliveries(admin, each["id"])) and d[0]["attempts"] and d)
            assert log[0]["last_error"] in (
                "the host has an address that is not public",
                "the host has no address",
            ), (each["url"], log[0])
    assert not receiver.requests


def test_tls_is_checked(serve, tmp_path):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    tmp_path.chmod(0o755)
    for parent in list(tmp_path.parents)[:3]:
        if parent.name.startswith("pytest"):
            parent.chmod(0o755)
    certificate.chmod(0o644)
    secure = Receiver((str(certificate), str(key)))
    try:
        for flags, trusted in (([], False), (["--webhooks-ca", str(certificate)], True)):
            server = serve("--webhooks-allow-private", *flags)
            admin = Api(server).with_role("admin")
            made = hook(admin, secure.url, ["room.opened"])
            alice = admin.api.register()
            room = alice.make_pair_room()["id"]
            with room_socket(server, room, "main", alice.token) as socket:
                socket.wait_synced()
                log = until("an attempt", lambda: (d := deliveries(admin, made["id"])) and d[0]["attempts"] and d)
            if trusted:
                assert log[0]["status"] == "delivered", log[0]
            else:
                assert log[0]["last_error"].startswith("TLS:") and not secure.requests, log[0]
        # A certificate of another name is none.
        other = hook(admin, secure.url.replace("localhost", "127.0.0.1"), ["room.opened"])
        with room_socket(server, alice.make_pair_room()["id"], "main", alice.token) as socket:
            socket.wait_synced()
            log = until("an attempt", lambda: (d := deliveries(admin, other["id"])) and d[0]["attempts"] and d)
        assert log[0]["last_error"].startswith("TLS:"), log[0]
    finally:
        secure.close()
