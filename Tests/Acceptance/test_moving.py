"""Moving in from other servers' stores, and out again."""

from __future__ import annotations

import json
import shutil
import sqlite3
import struct
from pathlib import Path
from urllib.parse import quote

import pytest
from pycrdt import Doc, Text

from harness.api import Api, unique
from harness.server import Server, coduel

FIXTURES = Path(__file__).parent / "fixtures"
ROOT = {"root": "text"}


def state(text: str, client: int = 600) -> bytes:
    doc = Doc(client_id=client)
    doc.get("text", type=Text).insert(0, text)
    return doc.get_update()


def text_of(update: bytes) -> str:
    doc = Doc()
    doc.apply_update(update)
    return str(doc.get("text", type=Text))


def run(*arguments, expect=0) -> list[dict]:
    done = coduel("rooms", *arguments)
    assert done.returncode == expect, f"rooms {arguments} ended with {done.returncode}: {done.stderr}{done.stdout}"
    return [json.loads(line) for line in done.stdout.splitlines()]


def imported(data: Path, *arguments, expect=0) -> dict[str, dict]:
    lines = run("import", *arguments, "--data", data, expect=expect)
    return {line["name"]: line for line in lines}


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def serve_on(data):
    """Starts a server on the data folder that was imported into."""
    servers = []

    def start(*flags) -> Server:
        server = Server("--open-rooms", *flags)
        shutil.rmtree(server.data)
        shutil.copytree(data, server.data)
        servers.append(server)
        return server.start()

    yield start
    for server in servers:
        server.close()


def test_update_files(data, tmp_path, serve_on, yjs):
    (tmp_path / "notes.bin").write_bytes(state("from a file"))
    found = imported(data, "--from", "updates", tmp_path / "notes.bin")
    assert found["notes"] == {"name": "notes", "room": "open/notes", "imported": True, "changed": True}
    again = imported(data, "--from", "updates", tmp_path / "notes.bin")
    assert again["notes"]["imported"] and not again["notes"]["changed"], "importing again changes nothing"
    (tmp_path / "other.bin").write_bytes(state("merged ", client=601))
    imported(data, "--from", "updates", tmp_path / "other.bin", "--name", "notes")
    server = serve_on()
    code = yjs().open(server.ws + "/sync/open", "notes").synced()
    assert code.text(ROOT) in ("from a filemerged ", "merged from a file")
    code.insert("!", 0, ROOT)
    code.wait_text("goes on", lambda text: text.startswith("!"), target=ROOT)


def test_what_cannot_be_taken_is_told(data, tmp_path):
    doc, updates = Doc(client_id=700), []
    doc.observe(lambda event: updates.append(event.update))
    for piece in ("one", "two"):
        doc.get("text", type=Text).insert(0, piece)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "good.bin").write_bytes(state("good"))
    (folder / "half.bin").write_bytes(updates[1])
    (folder / "bad.bin").write_bytes(b"\xff\xfe\xfd")
    found = imported(data, "--from", "updates", folder, expect=1)
    assert found["good"]["imported"] and not found["half"]["imported"] and not found["bad"]["imported"]
    assert "missing" in found["half"]["error"] and "update" in found["bad"]["error"]
    for kind, path in (("y-leveldb", folder), ("hocuspocus", folder / "good.bin"), ("y-sweet", folder), ("updates", folder / "no")):
        done = coduel("rooms", "import", "--from", kind, path, "--data", data)
        assert done.returncode == 1 and done.stderr.strip(), (kind, done)


def test_y_leveldb(data, serve_on, yjs):
    """A folder that LevelDB wrote: tables with compressed blocks, deleted keys, a write-ahead log."""
    expected = (FIXTURES / "y-leveldb.txt").read_text()
    found = imported(data, "--from", "y-leveldb", FIXTURES / "y-leveldb")
    assert set(found) == {"many-updates", "r\u00e4ume/flushed", "recent"}
    assert all(line["imported"] for line in found.values()), found
    server = serve_on()
    for name, text in (("many-updates", expected), ("r\u00e4ume/flushed", "firstsecondthird"), ("recent", "in the log")):
        code = yjs().open(server.ws + "/sync/open", quote(name)).synced()
        assert code.text(ROOT) == text, name


def test_a_damaged_leveldb_is_told(data, tmp_path):
    tables = [path.name for path in (FIXTURES / "y-leveldb").glob("*.ldb")]
    assert tables
    for name in (*tables[:1], "CURRENT"):
        folder = tmp_path / f"damaged-{name}"
        shutil.copytree(FIXTURES / "y-leveldb", folder)
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 3] ^= 0x40
        (folder / name).write_bytes(content)
        done = coduel("rooms", "import", "--from", "y-leveldb", folder, "--data", data)
        assert done.returncode == 1, (name, done.stdout)


def test_hocuspocus(data, tmp_path, serve_on, yjs):
    path = tmp_path / "db.sqlite"
    with sqlite3.connect(path) as db:
        db.execute('CREATE TABLE "documents" ("name" varchar(255) NOT NULL, "data" blob NOT NULL, UNIQUE(name))')
        db.executemany("INSERT INTO documents VALUES (?, ?)", [("one", state("eins")), ("two/b", state("zwei"))])
    db.close()
    found = imported(data, "--from", "hocuspocus", path)
    assert set(found) == {"one", "two/b"}
    server = serve_on()
    assert yjs().open(server.ws + "/sync/open", "two/b").synced().text(ROOT) == "zwei"


def test_y_sweet(data, tmp_path, serve_on, yjs):
    def sweet(entries: list[tuple[bytes, bytes]]) -> bytes:
        out = struct.pack("<Q", len(entries))
        for key, value in entries:
            out += struct.pack("<Q", len(key)) + key + struct.pack("<Q", len(value)) + value
        return out

    folder = tmp_path / "store"
    oid = b"\0\0\0\1"
    doc = Doc(client_id=800)
    doc.get("text", type=Text).insert(0, "sweet")
    before, vector = doc.get_update(), doc.get_state()
    doc.get("text", type=Text).insert(5, " and more")
    (folder / "my-doc").mkdir(parents=True)
    (folder / "my-doc" / "data.ysweet").write_bytes(
        sweet(
            [
                (b"\0\0doc\0", oid),
                (b"\0\1" + oid + b"\0", before),
                (b"\0\1" + oid + b"\1", vector),
                (b"\0\1" + oid + b"\2\0\0\0\1\0", doc.get_update(vector)),
            ]
        )
    )
    found = imported(data, "--from", "y-sweet", folder)
    assert found["my-doc"]["changed"]
    server = serve_on()
    assert yjs().open(server.ws + "/sync/open", "my-doc").synced().text(ROOT) == "sweet and more"


def test_documents_of_a_service_account(data, tmp_path, serve_on, yjs):
    name = unique("move")
    made = json.loads(coduel("service-accounts", "create", "--name", name, "--data", data).stdout)
    (tmp_path / "plan.bin").write_bytes(state("planned"))
    found = imported(data, "--from", "updates", tmp_path / "plan.bin", "--service-account", name)
    server = serve_on()
    wish = {"document": "plan", "access": "write", "user": {"id": "u"}}
    token = Api(server).call("POST", "/v1/sync-tokens", token=made["key"], json=wish, expect=201).json()
    assert token["room_id"] == found["plan"]["room"]
    assert yjs().open_room(server, token["room_id"], "main", token["sync_token"]).synced().text(ROOT) == "planned"
    out = tmp_path / "out"
    run("export", "--to", "updates", out, "--service-account", name, "--data", server.data)
    assert [path.name for path in out.iterdir()] == ["plan.yjs"]
    missing = coduel("rooms", "import", "--from", "updates", tmp_path / "plan.bin", "--service-account", "none", "--data", data)
    assert missing.returncode == 1


def test_out_and_in_again(data, tmp_path, serve_on, yjs):
    server = serve_on()
    for name, text in (("plain", "one"), ("with/slash", "two \U0001f600")):
        code = yjs().open(server.ws + "/sync/open", name).synced()
        code.insert(text, 0, ROOT)
        code.wait_text("is written", lambda found: found == text, target=ROOT)
    alice = Api(server).register()
    room = alice.make_pair_room()["id"]
    edit = {"edits": [{"op": "replace", "path": "/files/main.py", "text": "print(1)\n"}]}
    alice.post(f"/v1/rooms/{room}/documents/main/edits", edit, expect=200)
    # Beside the running server.
    out = tmp_path / "out"
    names = {line["name"] for line in run("export", "--to", "updates", out, "--data", server.data)}
    assert names == {"plain", "with/slash", f"{room}/main"}
    assert text_of((out / "with%2Fslash.yjs").read_bytes()) == "two \U0001f600"
    file = tmp_path / "hocuspocus.sqlite"
    run("export", "--to", "hocuspocus", file, "--data", server.data)
    with sqlite3.connect(file) as db:
        rows = dict(db.execute("SELECT name, data FROM documents"))
    db.close()
    assert set(rows) == names and text_of(rows["plain"]) == "one"
    only = tmp_path / "only"
    run("export", "--to", "updates", only, "--room", "open/plain", "--data", server.data)
    assert [path.name for path in only.iterdir()] == ["plain.yjs"]
    busy = coduel("rooms", "import", "--from", "updates", out, "--data", server.data)
    assert busy.returncode == 1 and "another coduel" in busy.stderr, busy.stderr
    for source, path in (("updates", out), ("hocuspocus", file)):
        fresh = tmp_path / f"data-{source}"
        fresh.mkdir()
        assert set(imported(fresh, "--from", source, path)) == names
        back = tmp_path / f"back-{source}"
        run("export", "--to", "updates", back, "--data", fresh)
        assert text_of((back / "with%2Fslash.yjs").read_bytes()) == "two \U0001f600"
