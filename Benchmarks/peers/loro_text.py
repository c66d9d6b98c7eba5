"""Loro on an editing trace: python loro_text.py TRACE.json.gz

Prints one JSON line with the keys of `coduel bench crdt`. Its formats are its own: v1 stands for all updates, v2 for a
snapshot, whose import is lazy. `binding_overhead_ms` is the time of as many empty commits.
"""

from __future__ import annotations

import importlib.metadata

import loro
from measure import (
    Timed,
    Trace,
    mb_of_a_document,
    repeatedly,
    report,
    resident_mb,
    trace_of_command_line,
)

ROOT = "text"


def document_of(peer: int) -> loro.LoroDoc:
    doc = loro.LoroDoc()
    doc.peer_id = peer
    return doc


def listen(doc: loro.LoroDoc, heard: list[bytes]):
    def on_update(update: bytes) -> bool:
        heard.append(update)
        return True

    return doc.subscribe_local_update(on_update)


def patch(doc: loro.LoroDoc, text, patches) -> None:
    for position, deleted, inserted in patches:
        if deleted:
            text.delete(position, deleted)
        if inserted:
            text.insert(position, inserted)
    doc.commit()


def replay_sequential(trace: Trace):
    doc = document_of(1)
    text = doc.get_text(ROOT)
    updates: list[bytes] = []
    subscription = listen(doc, updates)
    for each in trace.patches:
        patch(doc, text, (each,))
    subscription.unsubscribe()
    return doc, updates


def replay_concurrent(trace: Trace):
    heard: list[bytes] = []
    replicas = [(document_of(agent + 1), set()) for agent in range(trace.agents)]
    subscriptions = [listen(doc, heard) for doc, _ in replicas]
    made: list[bytes | None] = []
    for index, step in enumerate(trace.steps):
        doc, seen = replicas[step["agent"]]
        for parent in trace.lacking(step["parents"], seen):
            if made[parent] is not None:
                doc.import_(made[parent])
        heard.clear()
        patch(doc, doc.get_text(ROOT), step["patches"])
        made.append(heard[0] if heard else None)
        seen.add(index)
    for subscription in subscriptions:
        subscription.unsubscribe()
    return replicas[trace.steps[-1]["agent"]][0], [update for update in made if update is not None]


def receive(updates) -> loro.LoroDoc:
    doc = document_of(3)
    for update in updates:
        doc.import_(update)
    return doc


def read(doc: loro.LoroDoc) -> str:
    return doc.get_text(ROOT).to_string()


def empty_commits(count: int) -> None:
    doc = document_of(1)
    for _ in range(count):
        doc.commit()


def all_updates(doc: loro.LoroDoc) -> bytes:
    return doc.export(loro.ExportMode.Updates(loro.VersionVector()))


def snapshot(doc: loro.LoroDoc) -> bytes:
    return doc.export(loro.ExportMode.Snapshot())


def main() -> None:
    trace = trace_of_command_line()
    base = resident_mb()
    overhead = Timed(lambda: empty_commits(len(trace.patches)))
    local = Timed(lambda: replay_concurrent(trace) if trace.is_concurrent else replay_sequential(trace))
    doc, updates = local.result
    final = read(doc)
    remote = Timed(lambda: receive(updates))
    state, whole = all_updates(doc), snapshot(doc)
    encoded = receive([state])

    def change() -> None:
        patch(encoded, encoded.get_text(ROOT), ((0, 0, "x"),))

    _, encode_first, encode_least = repeatedly(lambda: all_updates(encoded), prepare=change)
    _, snapshot_first, snapshot_least = repeatedly(lambda: snapshot(encoded), prepare=change)
    decoded, decode_first, decode_least = repeatedly(lambda: read(receive([state])))
    loaded, load_first, load_least = repeatedly(lambda: read(receive([whole])))
    report(
        trace,
        final,
        impl="loro",
        version=importlib.metadata.version("loro"),
        runtime="python binding",
        apply_local_ms=local.wall,
        apply_local_cpu_ms=local.cpu,
        binding_overhead_ms=overhead.wall,
        binding_overhead_cpu_ms=overhead.cpu,
        updates=len(updates),
        updates_bytes=sum(map(len, updates)),
        apply_remote_ms=remote.wall,
        apply_remote_cpu_ms=remote.cpu,
        encode_v1_ms=encode_first,
        encode_v1_min_ms=encode_least,
        v1_bytes=len(state),
        encode_v2_ms=snapshot_first,
        encode_v2_min_ms=snapshot_least,
        v2_bytes=len(whole),
        decode_v1_ms=decode_first,
        decode_v1_min_ms=decode_least,
        decode_v2_ms=load_first,
        decode_v2_min_ms=load_least,
        doc_heap_mb=mb_of_a_document(lambda: receive([whole])),
        rss_base_mb=base,
        ok=final == trace.end == read(remote.result) == decoded == loaded,
    )


main()
