"""Loro on concurrent edits: python merging_loro.py b2|b3 N [REPETITIONS]

Prints one JSON line with the keys and the inputs of `coduel bench crdt --bench …`. Updates that lie together are
imported as a batch (`import_batch`).
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable

import loro
from merging import Run, inputs, main

ROOTS = {"b3.1": "map", "b3.4": "array", "b3.5": "text"}


def document_of(peer: int) -> loro.LoroDoc:
    doc = loro.LoroDoc()
    doc.peer_id = peer
    return doc


def edit(doc: loro.LoroDoc, patches, per_edit: bool) -> list[bytes]:
    updates: list[bytes] = []

    def on_update(update: bytes) -> bool:
        updates.append(update)
        return True

    subscription = doc.subscribe_local_update(on_update)
    text = doc.get_text("text")
    for group in [[each] for each in patches] if per_edit else [patches]:
        for position, deleted, inserted in group:
            if deleted:
                text.delete(position, deleted)
            if inserted:
                text.insert(position, inserted)
        doc.commit()
    subscription.unsubscribe()
    return updates


def whole(doc: loro.LoroDoc) -> bytes:
    return doc.export(loro.ExportMode.Updates(loro.VersionVector()))


def value(doc: loro.LoroDoc, root: str) -> str:
    if root == "text":
        return doc.get_text(root).to_string()
    found = doc.get_map(root) if root == "map" else doc.get_list(root)
    return json.dumps(found.get_deep_value())


def read(state: bytes, root: str) -> str:
    doc = document_of(999)
    doc.import_(state)
    return value(doc, root)


def two_clients(kind: str, n: int, per_edit: bool) -> Run:
    initial, patches = inputs(kind, n)
    docs = [document_of(1), document_of(2)]
    docs[0].get_text("text").insert(0, initial)
    docs[0].commit()
    docs[1].import_(whole(docs[0]))
    run = Run()
    updates = run.time("local_ms", lambda: [edit(doc, each, per_edit) for doc, each in zip(docs, patches)])

    def exchange() -> None:
        docs[0].import_batch(updates[1])
        docs[1].import_batch(updates[0])

    run.time("merge_ms", exchange)
    state = run.time("encode_ms", lambda: whole(docs[0]))
    copy = run.time("decode_ms", lambda: read(state, "text"))
    run.finish(state, [*(value(doc, "text") for doc in docs), copy])
    return run


def many_clients(shape: str, clients: int) -> Callable[[], Run]:
    root = ROOTS[shape]
    updates: list[bytes] = []
    for number in range(clients):
        doc = document_of(number + 1)
        if shape == "b3.1":
            doc.get_map(root).insert("v", number)
        elif shape == "b3.4":
            doc.get_list(root).insert(0, str(number))
        else:
            doc.get_text(root).insert(0, str(number))
        doc.commit()
        updates.append(whole(doc))

    def once() -> Run:
        run = Run()
        first = document_of(1_000_001)
        run.time("apply_one_txn_ms", lambda: first.import_batch(updates))
        state = run.time("encode_ms", lambda: whole(first))
        copy = run.time("decode_ms", lambda: read(state, root))
        run.finish(state, [value(first, root), copy])
        return run

    return once


main("loro", importlib.metadata.version("loro"), two_clients, many_clients)
