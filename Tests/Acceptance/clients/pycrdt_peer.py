"""A person's editor on pycrdt and its own provider, driven by the same JSON lines as yjs_peer.cjs (a part of its operations)."""

from __future__ import annotations

import json
import random
import sys
import traceback

import anyio
from httpx_ws import aconnect_ws
from pycrdt import Doc, Map, Provider, Text
from pycrdt.websocket.websocket import HttpxWebsocket

WORDS = ["x", "ab", " = ", "\n", "print(", "\U0001f600", "\U0001f469\u200d\U0001f4bb", "\u00e9", "\u4f60\u597d", "    "]


class Document:
    def __init__(self, request: dict):
        self.doc = Doc()
        query = "&".join(f"{key}={value}" for key, value in request.get("params", {}).items())
        self.url = f"{request['url']}/{request['name']}" + (f"?{query}" if query else "")
        self.name = request["name"]
        self.connected = self.synced = False
        self.closing = anyio.Event()
        self.failure: str | None = None

    async def run(self):
        try:
            async with aconnect_ws(self.url) as socket:
                provider = Provider(self.doc, HttpxWebsocket(socket, self.name))
                async with provider:
                    self.connected = True
                    await provider.synced.wait()
                    self.synced = True
                    await self.closing.wait()
        except Exception as error:
            self.failure = repr(error)
        finally:
            self.connected = self.synced = False

    def text(self, target: dict) -> Text | None:
        if "root" in target:
            return self.doc.get(target["root"], type=Text)
        files = self.doc.get("files", type=Map)
        value = files[target["file"]] if target["file"] in files.keys() else None
        return value if isinstance(value, Text) else None


def offset(text: str, index: int) -> int:
    """pycrdt counts bytes of UTF-8 where we count characters."""
    return len(text[:index].encode())


def random_edit(text: Text, rng: random.Random):
    now = str(text)
    if now and rng.randrange(100) < 35:
        start = rng.randrange(len(now))
        end = min(len(now), start + 1 + rng.randrange(4))
        del text[offset(now, start) : offset(now, end)]
    else:
        text.insert(offset(now, rng.randrange(len(now) + 1)), rng.choice(WORDS))


async def operate(request: dict, documents: dict[str, Document], tasks) -> object:
    kind = request["op"]
    if kind == "open":
        opened = documents[request["doc"]] = Document(request)
        tasks.start_soon(opened.run)
        return {"clientID": opened.doc.client_id}
    document = documents[request["doc"]]
    if kind == "status":
        return {
            "connected": document.connected,
            "synced": document.synced,
            "clientID": document.doc.client_id,
            "refusals": [document.failure] if document.failure else [],
        }
    if kind == "close":
        document.closing.set()
        return None
    text = document.text(request["target"])
    if kind == "text":
        return None if text is None else str(text)
    if text is None:
        raise KeyError(f"no text at {request['target']}")
    if kind == "insert":
        index = request.get("index")
        now = str(text)
        text.insert(offset(now, len(now) if index is None else index), request["text"])
        return None
    if kind == "delete":
        now, start = str(text), request["index"]
        del text[offset(now, start) : offset(now, start + request["length"])]
        return None
    if kind == "random_edits":
        rng = random.Random(request["seed"])
        for done in range(request["count"]):
            random_edit(document.text(request["target"]), rng)
            if done % 8 == 7:
                await anyio.sleep(0.004)
        return None
    raise KeyError(f"unknown operation {kind}")


async def main():
    documents: dict[str, Document] = {}

    async def answer(request: dict):
        try:
            reply = {"id": request["id"], "value": await operate(request, documents, tasks)}
        except Exception:
            reply = {"id": request["id"], "error": traceback.format_exc()}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()

    async with anyio.create_task_group() as tasks:
        async for line in anyio.wrap_file(sys.stdin):
            tasks.start_soon(answer, json.loads(line))
        tasks.cancel_scope.cancel()


anyio.run(main)
