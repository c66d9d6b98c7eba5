"""`serve --open-rooms` stands in for y-websocket-server, and keeps what it echoed."""

from __future__ import annotations

import pytest
from websockets.exceptions import ConnectionClosed

from harness import wire
from harness.waiting import scaled, until

ROOT_TEXT = {"root": "code"}


def test_stock_provider_needs_no_account(open_server, yjs):
    one, other = (yjs().open(open_server.ws + "/sync/open", "hello-room").synced() for _ in range(2))
    one.insert("hello", target=ROOT_TEXT)
    other.wait_text("shows the text", lambda text: text == "hello", target=ROOT_TEXT)
    one.call("set_value", root="settings", key="a", value={"deep": [1, "two", None, True]})
    one.call("push", root="list", value=1.5)
    until(
        "maps and arrays arrive",
        lambda: other.map("settings") == {"a": {"deep": [1, "two", None, True]}} and other.array("list") == [1.5],
    )
    one.call("set_awareness", state={"user": {"name": "ann", "color": "#123456"}, "cursor": 3})
    until(
        "the other sees the cursor",
        lambda: any((entry["state"] or {}).get("cursor") == 3 for entry in other.call("awareness")),
    )
    one.close()
    until(
        "a closed socket takes its state along",
        lambda: not any((entry["state"] or {}).get("cursor") == 3 for entry in other.call("awareness")),
    )


def test_pycrdt_provider_too(open_server, yjs, pycrdt):
    one = yjs().open(open_server.ws + "/sync/open", "mixed").synced()
    other = pycrdt().open(open_server.ws + "/sync/open", "mixed").synced()
    one.insert("from yjs \U0001f600", target=ROOT_TEXT)
    other.wait_text("shows it", lambda text: text == "from yjs \U0001f600", target=ROOT_TEXT)
    other.insert("\u00e9 ", 0, target=ROOT_TEXT)
    one.wait_text("shows it", lambda text: text == "\u00e9 from yjs \U0001f600", target=ROOT_TEXT)


def test_open_rooms_are_off_by_default(server):
    with pytest.raises((wire.Refused, AssertionError, ConnectionClosed)) as refusal:
        with wire.open_socket(server, "hello") as socket:
            socket.wait_synced()
    if isinstance(refusal.value, wire.Refused):
        assert refusal.value.status in (403, 404), f"refused with {refusal.value.status}, expected 404"
    elif isinstance(refusal.value, ConnectionClosed):
        assert refusal.value.rcvd.code in (4403, 4404), f"closed with {refusal.value.rcvd.code}, expected 4404"
    else:
        assert socket.close_code in (4403, 4404), f"closed with {socket.close_code}, expected 4404"


def test_rooms_are_kept_over_a_restart(serve, yjs):
    server = serve("--open-rooms")
    url = server.ws + "/sync/open"
    one = yjs().open(url, "kept").synced()
    one.insert("first line\n", target=ROOT_TEXT)
    one.delete(0, 6, target=ROOT_TEXT)
    vector = one.state()
    until("it is acknowledged", lambda: one.status()["acknowledged"] >= 11)
    # A deletion has no clock; a second client that sees it proves that it is committed.
    other = yjs().open(url, "kept").synced()
    other.wait_text("lacks the word", lambda text: text == "line\n", target=ROOT_TEXT)
    for document in (one, other):
        document.call("disconnect")
    server.restart()
    # Nobody who remembers is connected: what comes now comes from the disk.
    fresh = yjs().open(url, "kept").synced()
    assert fresh.text(ROOT_TEXT) == "line\n"
    assert fresh.state()["clients"] == vector["clients"] and fresh.state()["deleted"] == vector["deleted"]
    one.insert("again", target=ROOT_TEXT)
    one.call("connect")
    fresh.wait_text("shows what came after", lambda text: text == "line\nagain", target=ROOT_TEXT)


@pytest.mark.timeout(900)
def test_everything_echoed_survives_kill_9(serve, yjs):
    """Writers note the clock of their own that came back to them; after the kill the server must know that much of each."""
    server = serve("--open-rooms")
    url = server.ws + "/sync/open"
    kills = scaled(8, floor=3)
    promised: dict[str, dict[str, int]] = {"one": {}, "two": {}}
    sent = 0
    peer_of = {name: [yjs(), yjs()] for name in promised}
    for number in range(kills):
        writers = [
            # `once`: they stay away after the crash, so that nothing is repaired by their memory.
            (name, peer.open(url, name, once=True).synced(20))
            for name, peers in peer_of.items()
            for peer in peers
        ]
        for index, (_, writer) in enumerate(writers):
            writer.call("type", target=ROOT_TEXT, text=f"<{number}.{index}>" * 400, every_ms=1)
        until(
            "every writer has been answered often",
            lambda: all(w.status()["acknowledged"] > 60 + 37 * (number % 5) for _, w in writers),
            60,
        )
        server.kill()
        for name, writer in writers:
            status = until("the writer noticed", lambda w=writer: (s := w.status()) and not s["connected"] and s)
            promised[name][str(writer.client_id)] = status["acknowledged"]
            sent += writer.call("typing")["done"]
            writer.close()
        server.start()
        for name, clients in promised.items():
            reader = yjs().open(url, name).synced(30)
            known = reader.state()["clients"]
            lost = {
                client: (clock, known.get(client, 0))
                for client, clock in clients.items()
                if known.get(client, 0) < clock
            }
            assert not lost, f"kill {number}: room {name} lost acknowledged edits (client: promised, found): {lost}"
            reader.close()
            reader.peer.end()
    total = sum(sum(clients.values()) for clients in promised.values())
    print(f"{kills} kills, {sent} characters typed, {total} acknowledged, 0 of them lost")
