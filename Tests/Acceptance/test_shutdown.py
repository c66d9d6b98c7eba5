"""SIGTERM: work is not taken any more, sockets are closed with 1001, exit 0 within 10 s, whatever is connected."""

from __future__ import annotations

import socket
import time

import pytest

from harness import wire
from harness.api import Api


def connection(server) -> socket.socket:
    return socket.create_connection((server.host, server.port), 10)


@pytest.mark.timeout(120)
def test_everything_that_may_be_connected(serve, yjs):
    server = serve("--open-rooms")
    idle, half, keep_alive = connection(server), connection(server), connection(server)
    half.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1")
    keep_alive.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert b" 200 " in keep_alive.recv(4096).split(b"\r\n")[0]
    with wire.open_socket(server, "ending") as open_socket:
        open_socket.wait_synced()
        started = time.monotonic()
        code = server.stop(timeout=12)
        assert code == 0, f"exit {code}, expected 0"
        assert time.monotonic() - started < 10, "the server took longer than 10 s"
        assert open_socket.wait_closed() in (1001, 1012)
    for one in (idle, half, keep_alive):
        one.close()


@pytest.mark.timeout(120)
def test_every_socket_hears_of_the_end(serve):
    """Also where one client reads nothing: the process waits for the closing handshakes, and not for ever."""
    server = serve("--open-rooms")
    sockets = [wire.open_socket(server, f"ending-{number % 5}") for number in range(60)]
    deaf = connection(server)
    deaf.sendall(
        b"GET /sync/open/ending-0 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    assert b" 101 " in deaf.recv(4096)
    for one in sockets:
        one.wait_synced()
    sockets[0].send(wire.update(wire.text_update(7, "x" * 100_000)))
    assert server.stop(timeout=12) == 0
    codes = [one.wait_closed() for one in sockets]
    assert all(code in (1001, 1012) for code in codes), codes
    deaf.close()


@pytest.mark.timeout(180)
def test_judging_goes_on_after_a_restart(serve):
    server = serve()
    alice = Api(server).register()
    source = "while True:\n    pass\n"
    problem = alice.call("GET", "/v1/problems?limit=1", expect=200).json()["items"][0]["id"]
    taken = alice.post(f"/v1/problems/{problem}/submissions", {"language": "python", "source": source}).json()
    code = server.stop(timeout=12)
    assert code == 0, f"exit {code}, expected 0"
    server.start()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        state = alice.call("GET", f"/v1/submissions/{taken['id']}", expect=200).json()
        if state["status"] == "finished":
            break
        time.sleep(0.2)
    assert state["verdict"] == "TLE", f"verdict {state['verdict']}, expected TLE: a stop is no judge error"


@pytest.mark.timeout(60)
def test_connections_that_say_nothing_are_closed(serve):
    server = serve()
    with connection(server) as silent:
        silent.settimeout(20)
        assert silent.recv(1) == b"", "the server closes it"
    server.assert_alive()
