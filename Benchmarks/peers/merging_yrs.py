"""Yrs through pycrdt on concurrent edits: python merging_yrs.py b2|b3 N [REPETITIONS]

Prints one JSON line with the keys and the inputs of `coduel bench crdt --bench …`.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable

import pycrdt
from merging import Run, inputs, main

ROOTS = {"b3.1": ("map", pycrdt.Map), "b3.4": ("array", pycrdt.Array), "b3.5": ("text", pycrdt.Text)}


def document_of(client: int | None = None, root: str = "text", kind: type = pycrdt.Text):
    doc = pycrdt.Doc(client_id=client) if client is not None else pycrdt.Doc()
    return doc, doc.get(root, type=kind)


def patch(text: pycrdt.Text, position: int, deleted: int, inserted: str) -> None:
    if deleted:
        del text[position : position + deleted]
    if inserted:
        text.insert(position, inserted)


def edit(doc: pycrdt.Doc, text: pycrdt.Text, patches, per_edit: bool) -> list[bytes]:
    updates: list[bytes] = []
    observer = doc.observe(lambda event: updates.append(event.update))
    for group in [[each] for each in patches] if per_edit else [patches]:
        with doc.transaction():
            for each in group:
                patch(text, *each)
    doc.unobserve(observer)
    return updates


def receive(doc: pycrdt.Doc, updates: list[bytes]) -> None:
    for update in updates:
        doc.apply_update(update)


def read(state: bytes, root: str = "text", kind: type = pycrdt.Text) -> str:
    doc, value = document_of(None, root, kind)
    doc.apply_update(state)
    return content(value)


def content(value) -> str:
    return str(value) if isinstance(value, pycrdt.Text) else json.dumps(value.to_py())


def two_clients(kind: str, n: int, per_edit: bool) -> Run:
    initial, patches = inputs(kind, n)
    replicas = [document_of(1), document_of(2)]
    replicas[0][1].insert(0, initial)
    replicas[1][0].apply_update(replicas[0][0].get_update())
    run = Run()
    updates = run.time(
        "local_ms", lambda: [edit(*replica, each, per_edit) for replica, each in zip(replicas, patches)]
    )

    def exchange() -> None:
        receive(replicas[0][0], updates[1])
        receive(replicas[1][0], updates[0])

    run.time("merge_ms", exchange)
    state = run.time("encode_ms", replicas[0][0].get_update)
    copy = run.time("decode_ms", lambda: read(state))
    run.finish(state, [*(str(text) for _, text in replicas), copy])
    return run


def many_clients(shape: str, clients: int) -> Callable[[], Run]:
    root, kind = ROOTS[shape]
    updates: list[bytes] = []
    for number in range(clients):
        doc, value = document_of(number + 1, root, kind)
        observer = doc.observe(lambda event: updates.append(event.update))
        if shape == "b3.1":
            value["v"] = number
        else:
            value.insert(0, str(number))
        doc.unobserve(observer)

    def once() -> Run:
        run = Run()
        first, first_value = document_of(1_000_001, root, kind)
        second, second_value = document_of(1_000_002, root, kind)

        def together() -> None:
            with first.transaction():
                receive(first, updates)

        run.time("apply_one_txn_ms", together)
        run.time("apply_each_ms", lambda: receive(second, updates))
        state = run.time("encode_ms", first.get_update)
        copy = run.time("decode_ms", lambda: read(state, root, kind))
        run.finish(state, [content(first_value), content(second_value), copy])
        return run

    return once


main("yrs", importlib.metadata.version("pycrdt"), two_clients, many_clients)
