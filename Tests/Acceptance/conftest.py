"""Fixtures of the acceptance tests. See CONTRIBUTING.md for how to run one of them."""

from __future__ import annotations

import pytest

from harness.api import Api
from harness.peers import PycrdtPeer, YjsPeer
from harness.server import BINARY, Server


def pytest_sessionstart(session):
    if not BINARY.exists():
        pytest.exit(f"{BINARY} does not exist: run `swift build -c release` first", returncode=3)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for server in Server.running:
            report.sections.append((f"log of {server.http} {' '.join(server.flags)}", server.tail()))


def _factory():
    servers: list[Server] = []

    def serve(*flags: str, env: dict[str, str] | None = None) -> Server:
        server = Server(*flags, env=env)
        servers.append(server)
        return server.start()

    return servers, serve


@pytest.fixture
def serve():
    """`serve(*flags)` starts a server for this test alone."""
    servers, factory = _factory()
    yield factory
    for server in servers:
        server.close()


@pytest.fixture(scope="module")
def server():
    """One server for all tests of the file, with default settings."""
    servers, factory = _factory()
    yield factory()
    for each in servers:
        each.close()


@pytest.fixture(scope="module")
def open_server():
    """One server for all tests of the file, with open rooms."""
    servers, factory = _factory()
    yield factory("--open-rooms")
    for each in servers:
        each.close()


@pytest.fixture
def api(server):
    return Api(server)


def _peers(kind):
    peers = []

    def make(**options):
        peer = kind(**options)
        peers.append(peer)
        return peer

    return peers, make


@pytest.fixture
def yjs():
    """`yjs()` starts one process of real Yjs with the stock y-websocket provider."""
    peers, make = _peers(YjsPeer)
    yield make
    for peer in peers:
        peer.end()


@pytest.fixture
def pycrdt():
    """`pycrdt()` starts one process of pycrdt with its own provider."""
    peers, make = _peers(PycrdtPeer)
    yield make
    for peer in peers:
        peer.end()
