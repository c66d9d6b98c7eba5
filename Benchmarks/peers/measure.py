"""What the Python drivers share: reading a trace, clocks, memory, the JSON line."""

from __future__ import annotations

import gzip
import hashlib
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

REPETITIONS = 7
COPIES = 20


class Trace:
    """An editing trace: transactions of patches (position, deleted, inserted), sequential or with parents."""

    def __init__(self, file: str):
        content = json.loads(gzip.decompress(Path(file).read_bytes()))
        self.name = Path(file).name.removesuffix(".json.gz")
        self.is_concurrent = content.get("kind") == "concurrent"
        self.agents = content.get("numAgents", 1)
        self.steps = content["txns"]
        self.end = content["endContent"]
        self.patches = [tuple(patch) for step in self.steps for patch in step["patches"]]

    def lacking(self, parents: list[int], seen: set[int]) -> list[int]:
        """Transactions that a replica has to get before one with these parents, in order; they count as seen then."""
        found, todo = [], list(parents)
        while todo:
            step = todo.pop()
            if step not in seen:
                seen.add(step)
                found.append(step)
                todo += self.steps[step]["parents"]
        return sorted(found)

    def in_utf8(self) -> list[tuple[int, int, str]]:
        """The patches of a sequential trace with positions and lengths in UTF-8 bytes."""
        text, changed = "", []
        for position, deleted, inserted in self.patches:
            at, length = position, deleted
            if not text.isascii():
                at = len(text[:position].encode())
                length = len(text[position : position + deleted].encode())
            changed.append((at, length, inserted))
            text = text[:position] + inserted + text[position + deleted :]
        return changed


class Timed:
    """`Timed(body)` runs it; wall and CPU time in ms."""

    def __init__(self, body: Callable):
        cpu, start = time.process_time(), time.perf_counter()
        self.result = body()
        self.wall = (time.perf_counter() - start) * 1000
        self.cpu = (time.process_time() - cpu) * 1000


def repeatedly(body: Callable, prepare: Callable = lambda: None) -> tuple[object, float, float]:
    """The last result, the first and the least time of several runs; `prepare` is not measured."""
    times, result = [], None
    for _ in range(REPETITIONS):
        prepare()
        run = Timed(body)
        result = run.result
        times.append(run.wall)
    return result, times[0], min(times)


def resident_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def mb_of_a_document(load: Callable) -> float:
    """Growth of the process by a number of loaded documents, for one of them."""
    before = resident_mb()
    kept = [load() for _ in range(COPIES)]
    return (resident_mb() - before) / len(kept)


def sha256(data: str | bytes) -> str:
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def report(trace: Trace, final: str, **values) -> None:
    """Prints the JSON line. Keys are those of `coduel bench crdt`."""
    line = {
        "trace": trace.name,
        "kind": "concurrent" if trace.is_concurrent else "sequential",
        "edits": len(trace.patches),
        "txns": len(trace.steps),
        "final_len": len(final.encode("utf-16-le")) // 2,
        "final_sha256": sha256(final),
        "rss_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    } | values
    rounded = {key: round(value, 3) if isinstance(value, float) else value for key, value in line.items()}
    print(json.dumps(rounded))


def trace_of_command_line() -> Trace:
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} TRACE.json.gz")
    return Trace(sys.argv[1])
