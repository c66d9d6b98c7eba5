"""The listener: TLS, HTTP/2, compression, caching, and clients that mean no good."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from harness.api import Api, assert_problem, bundled_problems, package_entries, unique
from harness.server import Server, coduel
from harness.waiting import until


def raw(server, data: bytes, timeout: float = 5) -> bytes:
    """What the server answers to these bytes until it closes, or nothing comes for a while."""
    with socket.create_connection((server.host, server.port), timeout=timeout) as connection:
        connection.sendall(data)
        got = b""
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            while part := connection.recv(65536):
                got += part
        return got


def statuses(answer: bytes) -> list[int]:
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


# Caching and compression


def test_public_reads_are_compressed_and_asked_for_again(server):
    api = Api(server)
    fresh = api.call("GET", "/v1/problems", params={"limit": 100}, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in fresh.headers and len(fresh.content) > 1_024
    assert fresh.headers["cache-control"] == "public, max-age=0, must-revalidate"
    vary = {part.strip().lower() for part in fresh.headers["vary"].split(",")}
    assert vary == {"authorization", "accept-encoding"}
    small = api.call("GET", "/v1/problems", params={"limit": 100}, headers={"Accept-Encoding": "gzip"})
    assert small.headers["content-encoding"] == "gzip" and small.content == fresh.content
    assert int(small.headers["content-length"]) < len(fresh.content) / 2
    refused = api.call("GET", "/v1/problems", headers={"Accept-Encoding": "gzip;q=0, identity"})
    assert "content-encoding" not in refused.headers
    tag = fresh.headers["etag"]
    for asked in (tag, f'"other", {tag}', "*"):
        again = api.call("GET", "/v1/problems", params={"limit": 100}, headers={"If-None-Match": asked})
        assert again.status_code == 304 and again.content == b"" and again.headers["etag"] == tag
    other = api.call("GET", "/v1/problems", params={"limit": 100}, headers={"If-None-Match": '"x"'})
    assert other.status_code == 200
    # What is about a person is kept by nobody.
    me = api.register().get("/v1/me")
    assert me.headers["cache-control"] == "no-store" and "etag" not in me.headers


def test_a_kept_answer_is_never_stale(server):
    api = Api(server)
    admin, author = api.with_role("admin"), api.with_role("author")
    problem = bundled_problems()[1]

    def listed(token=None):
        page = api.call("GET", "/v1/problems", token=token, params={"limit": 100}).json()
        return [p["id"] for p in page["items"]]

    for _ in range(5):
        assert problem in listed()
        admin.post(f"/v1/problems/{problem}/retire", {"reason": "test"}, expect=200)
        assert problem not in listed(), "at once, for the next reader"
        assert problem in listed(author.token), "authors see drafts, from their own answer"
        assert problem not in listed()
        admin.post(f"/v1/problems/{problem}/publish", expect=200)
    # By another process, within a moment.
    folder = server.folder / "package"
    name = "fresh" + unique("").lower()
    for path, text in package_entries(name):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text)
    listed()
    done = coduel("problems", "import", folder / name, "--publish", "--data", server.data)
    assert done.returncode == 0, done.stderr
    until("the list shows a problem that another process added", lambda: name in listed(), 2)


def test_several_limits_are_all_told(server):
    ann = Api(server).register()
    room = ann.make_pair_room()["id"]
    answer = ann.get(f"/v1/rooms/{room}/replay")
    assert re.fullmatch(r'"reads";r=\d+;t=\d+, "history";r=\d+;t=\d+', answer.headers["ratelimit"]), answer.headers
    assert re.fullmatch(r'"reads";q=\d+;w=\d+, "history";q=\d+;w=\d+', answer.headers["ratelimit-policy"])


# Slow and malformed clients


def test_slow_clients_do_not_keep_others_out(server):
    """500 connections that send a byte now and then; others are served meanwhile, and the slow ones are closed."""
    api = Api(server)
    slow: list[socket.socket] = []
    stop = threading.Event()
    try:
        for number in range(500):
            connection = socket.create_connection((server.host, server.port), timeout=5)
            connection.sendall(b"GET /healthz HTTP/1.1\r\n" if number % 2 else b"")
            slow.append(connection)

        def dribble():
            while not stop.wait(1):
                for connection in slow:
                    with contextlib.suppress(OSError):
                        connection.sendall(b"X")

        threading.Thread(target=dribble, daemon=True).start()
        began, times = time.monotonic(), []
        while time.monotonic() - began < 5:
            start = time.monotonic()
            api.call("GET", "/v1/problems", expect=200)
            times.append(time.monotonic() - start)
            # Below the limit of reads.
            time.sleep(0.02)
        times.sort()
        assert times[len(times) // 2] < 0.25, f"median {times[len(times) // 2]:.3f} s of {len(times)} calls"

        def closed():
            count = 0
            for connection in slow:
                connection.setblocking(False)
                try:
                    count += connection.recv(1) == b""
                except BlockingIOError:
                    pass
                except OSError:
                    count += 1
            return count == len(slow)

        until("all slow connections are closed", closed, 20)
    finally:
        stop.set()
        for connection in slow:
            connection.close()


def test_a_slow_second_request_is_closed(server):
    with socket.create_connection((server.host, server.port), timeout=15) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        got = b""
        while b"}" not in got:
            got += connection.recv(65536)
        assert b" 200 " in got
        began = time.monotonic()
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ")
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 14:
                connection.sendall(b"a")
                connection.settimeout(1)
                with contextlib.suppress(TimeoutError):
                    if connection.recv(1) == b"":
                        break
        assert 8 < time.monotonic() - began < 14, f"closed after {time.monotonic() - began:.1f} s"


SMUGGLING = {
    "length and chunks": b"POST /api/v1/sessions/guest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "two lengths": b"POST /api/v1/sessions/guest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
    b"Content-Length: 44\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "odd chunked": b"POST /api/v1/sessions/guest HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n"
    b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "space before the colon": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length : 44\r\n\r\n"
    b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a folded field": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\r\n Content-Length: 44\r\n\r\n",
    "negative length": b"POST /api/v1/sessions/guest HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "a huge chunk": b"POST /api/v1/sessions/guest HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "a null in a field": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
    "a bare line feed": b"GET /healthz HTTP/1.1\nHost: localhost\nContent-Length: 3\n\nabc",
    "huge head": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
    "many fields": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 20_000 + b"\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.parametrize("name", SMUGGLING)
def test_requests_are_not_smuggled(server, name):
    answer = raw(server, SMUGGLING[name], timeout=3)
    found = statuses(answer)
    assert all(400 <= status < 500 or status == 200 for status in found), answer[:400]
    assert b"smuggled" not in answer
    # Whatever followed a malformed request was not taken for a second one: at most one 404 would tell.
    assert len(found) <= 2 and 404 not in found, answer[:400]
    server.assert_alive()


def test_paths_and_queries_of_all_kinds(server):
    api = Api(server)
    ann = api.register()
    for path in (
        "/../etc/passwd", "/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "/assets/../../etc/passwd", "/%00", "/%",
        "/%zz", "/\\..\\windows", "/api/v1/%2e%2e/admin/users", "/api//v1/me", "/api/v1/rooms/..%2fadmin", "//evil",
        "/api/v1/rooms/" + "a" * 3_000, "/%c0%ae%c0%ae/", "/%ff%fe", "/api/v1/problems/%0d%0aSet-Cookie:%20a=b",
    ):  # fmt: skip
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ann.token}\r\nConnection: close\r\n\r\n"
        answer = raw(server, request.encode())
        assert statuses(answer) and statuses(answer)[0] in (400, 404), (path, answer[:200])
        assert b"root:" not in answer and b"\r\nSet-Cookie: a" not in answer
    for query in ("limit=", "limit=-1", "limit=1e9", "limit=%00", "cursor='", "cursor=" + "a" * 600, "q=" + "a" * 300,
                  "difficulty=99999999999999999999", "q=%ff%fe", "limit=1&limit=2", "topic=%27%20OR%201=1--"):  # fmt: skip
        answer = api.call("GET", f"/v1/problems?{query}", token=ann.token)
        assert answer.status_code in (200, 400, 422), (query, answer.text)


def test_json_of_all_kinds(server):
    api = Api(server)

    def post(body: bytes):
        return api.call("POST", "/v1/sessions", content=body, headers={"Content-Type": "application/json"})

    for body in (
        b"[" * 100_000, b'{"a":' * 20_000, b"{", b'{"login":1e999,"password":"x"}', b'{"login":"a","password":"\xff"}',
        b'{"login":"\\ud800","password":"x"}', b'{"login":null,"password":null}', b"9" * 60_000, b'"text"', b"null",
        b'{"login":{"login":"a"},"password":[]}', b"\xef\xbb\xbf{}", b'{"login":"a","login":"b","password":"x"}',
        b'{"__proto__":{},"login":"a","password":"b"}', b"NaN", b"{'login':'a'}", b'{"login":"a\x00","password":"b"}',
    ):  # fmt: skip
        answer = post(body)
        assert answer.status_code in (400, 401, 413, 422), (body[:40], answer.status_code, answer.text[:200])
        assert_problem(answer, answer.status_code)
    server.assert_alive()


def test_compressed_bodies_are_not_expanded(server):
    bomb = gzip.compress(b" " * 10_000_000)
    fields = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert_problem(Api(server).call("POST", "/v1/sessions", content=bomb, headers=fields), 415)


def test_random_bytes(server):
    """Mutated requests: every answer is whole and none is our fault."""
    import random

    seed = 20_261_124
    print(f"seed {seed}; run again: pytest {Path(__file__).name} -k test_random_bytes")
    dice = random.Random(seed)
    base = b"POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 29\r\n"
    base += b'Connection: close\r\n\r\n{"login":"a","password":"bbb"}'

    def one(number: int) -> list[int]:
        own = random.Random(seed + number)
        data = bytearray(base)
        for _ in range(own.randint(1, 8)):
            at = own.randrange(len(data))
            match own.randint(0, 2):
                case 0:
                    data[at] = own.randrange(256)
                case 1:
                    del data[at : at + own.randint(1, 10)]
                case _:
                    data[at:at] = own.randbytes(own.randint(1, 10))
        return statuses(raw(server, bytes(data), timeout=0.5))

    with ThreadPoolExecutor(16) as pool:
        found = [status for answers in pool.map(one, range(400 + dice.randint(0, 3))) for status in answers]
    assert found and not [status for status in found if status >= 500], sorted(set(found))
    server.assert_alive()


def test_text_of_people_is_text(server):
    """What people call themselves and write comes back as JSON, never as a page."""
    api = Api(server)
    ann = api.register()
    evil = '<script>alert(1)</script>"\'&'
    ann.call("PUT", "/v1/me/profile", json={"display_name": evil, "bio": evil}, expect=200)
    answer = ann.get(f"/v1/users/{ann.id}")
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["display_name"] == evil
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe-inline" not in policy
    page = api.call("GET", "/", headers={"Host": f"localhost:{server.port}"})
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


# TLS


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    chain, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext",
         "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", chain],
        check=True, capture_output=True,
    )  # fmt: skip
    key.chmod(0o644)
    return chain, key


class SecureServer(Server):
    @property
    def http(self) -> str:
        return f"https://{self.host}:{self.port}"


@pytest.fixture
def secure(monkeypatch):
    monkeypatch.setattr("harness.server.LISTENING", re.compile(r"coduel listening on https://([^\s:]+):(\d+)"))
    # Where the server can read them without root, too.
    folder = Path(tempfile.mkdtemp(prefix="coduel-tls-"))
    folder.chmod(0o755)
    chain, key = certificate(folder, "first")
    live = folder / "live.pem", folder / "live.key"
    shutil.copy(chain, live[0]), shutil.copy(key, live[1])
    made = SecureServer("--tls-certificate", str(live[0]), "--tls-key", str(live[1]))
    made.paths = live
    yield made.start()
    made.close()
    shutil.rmtree(folder)


def peer(server) -> tuple[str, str | None, str]:
    """Subject, protocol of the application and version of TLS of a new connection."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection((server.host, server.port), timeout=5) as plain:
        with context.wrap_socket(plain) as wrapped:
            der = wrapped.getpeercert(binary_form=True)
            text = subprocess.run(
                ["openssl", "x509", "-inform", "DER", "-noout", "-subject"], input=der, capture_output=True, check=True
            ).stdout.decode()
            return text.strip(), wrapped.selected_alpn_protocol(), wrapped.version()


def test_the_listener_speaks_tls_and_takes_up_a_new_certificate(secure):
    context = ssl.create_default_context(cafile=str(secure.paths[0]))
    with httpx.Client(verify=context, trust_env=False) as client:
        answer = client.get(secure.http + "/healthz")
        assert answer.status_code == 200 and answer.headers["strict-transport-security"] == "max-age=31536000"
    subject, protocol, version = peer(secure)
    assert subject.endswith("first") and protocol == "h2" and version in ("TLSv1.2", "TLSv1.3")
    assert b"HTTP/1.1 200" not in raw(secure, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"), "no page without TLS"
    chain, key = certificate(secure.paths[0].parent, "second")
    # One of the two first: the old certificate goes on serving.
    shutil.copy(chain, secure.paths[0])
    until("the fault is told", lambda: "cannot be used" in secure.log(), 10)
    assert peer(secure)[0].endswith("first")
    shutil.copy(key, secure.paths[1])
    until("the new certificate serves", lambda: peer(secure)[0].endswith("second"), 10)


def test_old_tls_is_refused(secure):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError), socket.create_connection((secure.host, secure.port), timeout=5) as plain:
        context.wrap_socket(plain)


def test_http2(secure):
    curl = shutil.which("curl")
    if curl is None or "HTTP2" not in subprocess.run([curl, "-V"], capture_output=True, text=True).stdout:
        pytest.skip("no curl that speaks HTTP/2")

    def call(*arguments: str) -> tuple[str, str]:
        done = subprocess.run(
            [curl, "-sk", "--http2", "-w", "\n%{http_version} %{http_code}", *arguments],
            capture_output=True, text=True, timeout=20,
        )  # fmt: skip
        body, _, last = done.stdout.rpartition("\n")
        return body, last

    assert call(secure.http + "/healthz")[1] == "2 200"
    body, status = call(secure.http + "/api/v1/problems?limit=2")
    assert status == "2 200" and len(json.loads(body)["items"]) == 2
    form = ["-H", "Content-Type: application/json", "-d", "{}"]
    body, status = call(secure.http + "/api/v1/sessions/guest", *form)
    assert status == "2 201"
    token = json.loads(body)["access_token"]
    assert call(secure.http + "/api/v1/me", "-H", f"Authorization: Bearer {token}")[1] == "2 200"
    assert call(secure.http + "/api/v1/sessions", "-H", "Content-Type: application/json", "-d", "x" * 100_000)[1] == "2 413"
    assert call(secure.http + "/healthz", "-H", "Host: evil.example")[1] == "2 403"
    assert call("--http1.1", secure.http + "/healthz")[1] == "1.1 200"


def test_sockets_over_tls(secure):
    from websockets.sync.client import connect

    context = ssl.create_default_context(cafile=str(secure.paths[0]))
    with httpx.Client(verify=context, trust_env=False, base_url=secure.http) as client:
        pair = client.post("/api/v1/sessions/guest", json={}).json()
        fields = {"Authorization": f"Bearer {pair['access_token']}"}
        room = client.post("/api/v1/rooms", json={"kind": "pair", "language": "python"}, headers=fields)
        if room.status_code != 201:
            pytest.skip("guests make no rooms here")
        address = secure.http.replace("https", "wss") + f"/sync/{room.json()['id']}/main?token={pair['access_token']}"
        with connect(address, ssl=context, proxy=None) as opened:
            assert opened.recv(timeout=5)


def test_beyond_loopback_something_must_protect():
    done = coduel("serve", "--listen", "0.0.0.0:0", "--data", "/nonexistent/data")
    assert done.returncode != 0 and "--tls-certificate" in done.stderr and "--insecure" in done.stderr
    done = coduel("serve", "--listen", "127.0.0.1:0", "--tls-certificate", "x.pem", "--data", "/nonexistent/data")
    assert done.returncode != 0 and "go together" in done.stderr
