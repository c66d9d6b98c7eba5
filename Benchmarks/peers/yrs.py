"""Yrs through pycrdt on an editing trace: python yrs.py TRACE.json.gz

Prints one JSON line with the keys of `coduel bench crdt`. pycrdt knows the v1 encoding only; its positions are UTF-8
bytes. `binding_overhead_ms` is the time of as many empty transactions with the same observer,
`binding_remote_ms` of as many empty updates.
"""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

import pycrdt
from measure import (
    Timed,
    Trace,
    mb_of_a_document,
    repeatedly,
    report,
    resident_mb,
    sha256,
    trace_of_command_line,
)

ROOT = "text"
EMPTY_UPDATE = b"\x00\x00"


def document_of(client: int) -> tuple[pycrdt.Doc, pycrdt.Text]:
    doc = pycrdt.Doc(client_id=client)
    return doc, doc.get(ROOT, type=pycrdt.Text)


def patch(doc: pycrdt.Doc, text: pycrdt.Text, patches) -> None:
    with doc.transaction():
        for position, deleted, inserted in patches:
            if deleted:
                del text[position : position + deleted]
            if inserted:
                text.insert(position, inserted)


def replay_sequential(patches):
    doc, text = document_of(1)
    updates: list[bytes] = []
    observer = doc.observe(lambda event: updates.append(event.update))
    for each in patches:
        patch(doc, text, (each,))
    doc.unobserve(observer)
    return text, updates, doc


def replay_concurrent(trace: Trace):
    replicas = [(*document_of(agent + 1), set()) for agent in range(trace.agents)]
    made: list[bytes | None] = []
    for index, step in enumerate(trace.steps):
        doc, text, seen = replicas[step["agent"]]
        for parent in trace.lacking(step["parents"], seen):
            if made[parent] is not None:
                doc.apply_update(made[parent])
        heard: list[bytes] = []
        observer = doc.observe(lambda event: heard.append(event.update))
        patch(doc, text, step["patches"])
        doc.unobserve(observer)
        made.append(heard[0] if heard else None)
        seen.add(index)
    doc, text, _ = replicas[trace.steps[-1]["agent"]]
    return text, [update for update in made if update is not None], doc


def receive(updates) -> tuple[pycrdt.Doc, pycrdt.Text]:
    doc, text = document_of(3)
    for update in updates:
        doc.apply_update(update)
    return doc, text


def empty_transactions(count: int) -> None:
    doc, _ = document_of(1)
    observer = doc.observe(lambda event: event.update)
    for _ in range(count):
        with doc.transaction():
            pass
    doc.unobserve(observer)


def empty_updates(count: int) -> None:
    doc, _ = document_of(3)
    for _ in range(count):
        doc.apply_update(EMPTY_UPDATE)


def yrs_version() -> str | None:
    found = re.search(rb"yrs-(\d+\.\d+\.\d+)", Path(pycrdt._pycrdt.__file__).read_bytes())
    return found.group(1).decode() if found else None


def main() -> None:
    trace = trace_of_command_line()
    if trace.is_concurrent and not trace.end.isascii():
        raise SystemExit("yrs.py: a concurrent trace has to be ASCII: positions of pycrdt are UTF-8 bytes")
    patches = trace.patches if trace.is_concurrent else trace.in_utf8()
    base = resident_mb()
    overhead = Timed(lambda: empty_transactions(len(patches)))
    local = Timed(lambda: replay_concurrent(trace) if trace.is_concurrent else replay_sequential(patches))
    text, updates, doc = local.result
    final = str(text)
    remote = Timed(lambda: receive(updates))
    remote_overhead = Timed(lambda: empty_updates(len(updates)))
    state = doc.get_update()
    encoded, encoded_text = receive([state])
    _, encode_first, encode_least = repeatedly(
        encoded.get_update, prepare=lambda: patch(encoded, encoded_text, ((0, 0, "x"),))
    )
    read, decode_first, decode_least = repeatedly(lambda: str(receive([state])[1]))
    report(
        trace,
        final,
        impl="yrs",
        version=yrs_version(),
        runtime="pycrdt " + importlib.metadata.version("pycrdt"),
        apply_local_ms=local.wall,
        apply_local_cpu_ms=local.cpu,
        binding_overhead_ms=overhead.wall,
        binding_overhead_cpu_ms=overhead.cpu,
        updates=len(updates),
        updates_bytes=sum(map(len, updates)),
        apply_remote_ms=remote.wall,
        apply_remote_cpu_ms=remote.cpu,
        binding_remote_ms=remote_overhead.wall,
        binding_remote_cpu_ms=remote_overhead.cpu,
        encode_v1_ms=encode_first,
        encode_v1_min_ms=encode_least,
        v1_bytes=len(state),
        v1_sha256=sha256(state),
        decode_v1_ms=decode_first,
        decode_v1_min_ms=decode_least,
        doc_heap_mb=mb_of_a_document(lambda: receive([state])),
        rss_base_mb=base,
        ok=final == trace.end == str(remote.result[1]) == read,
    )


main()
