"""What the Python peers share on concurrent edits (B2, B3 of crdt-benchmarks): the inputs and the JSON line."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Iterator

from measure import Timed, sha256

Patch = tuple[int, int, str]
KINDS = ("b2.1", "b2.2", "b2.3", "b2.4")
SHAPES = ("b3.1", "b3.4", "b3.5")


class Random:
    """xorshift32, and words of its letters."""

    def __init__(self, seed: int):
        self.state = seed & 0xFFFFFFFF

    def below(self, bound: int) -> int:
        self.state ^= (self.state << 13) & 0xFFFFFFFF
        self.state ^= self.state >> 17
        self.state ^= (self.state << 5) & 0xFFFFFFFF
        return self.state % bound

    def word(self, low: int, high: int) -> str:
        length = low + self.below(high - low + 1)
        return "".join(chr(97 + self.below(26)) for _ in range(length))


def inputs(kind: str, n: int) -> tuple[str, list[list[Patch]]]:
    """What both clients begin with, and the patches of each."""
    random = Random(12345 + n)
    initial = random.word(100, 100)
    return initial, [list(patches(kind, n, random, len(initial))) for _ in range(2)]


def patches(kind: str, n: int, random: Random, length: int) -> Iterator[Patch]:
    if kind == "b2.1":
        yield (0, 0, random.word(n, n))
        return
    for _ in range(n):
        position = random.below(length)
        text = random.word(1, 1) if kind == "b2.2" else random.word(3, 9)
        yield (position, 0, text)
        length += len(text)
        if kind != "b2.4":
            continue
        if random.below(2) == 0:
            more = random.word(2, 10)
            yield (position, 0, more)
            length += len(more)
        else:
            deleted = 1 + random.below(min(8, length - position))
            yield (position, deleted, "")
            length -= deleted


class Run:
    """One run of a case: times by key, and facts."""

    def __init__(self):
        self.times: dict[str, float] = {}
        self.facts: dict[str, object] = {}

    def time(self, key: str, body: Callable):
        timed = Timed(body)
        self.times[key] = timed.wall
        return timed.result

    def finish(self, state: bytes, finals: list[str]) -> None:
        self.facts = {"doc_bytes": len(state), "final_sha256": sha256(finals[0]), "ok": len(set(finals)) == 1}


def bulk(name: str, once: Callable[[], Run], repetitions: int) -> dict:
    """First, least and median of each time, and what the last run says."""
    runs = [once() for _ in range(repetitions)]
    row: dict[str, object] = {"case": name}
    for key in runs[0].times:
        all_times = [run.times[key] for run in runs]
        row[key + "_first"] = round(all_times[0], 3)
        row[key + "_min"] = round(min(all_times), 3)
        row[key + "_median"] = round(statistics.median(all_times), 3)
    return row | runs[-1].facts


def main(
    impl: str,
    version: str | None,
    two_clients: Callable[[str, int, bool], Run],
    many_clients: Callable[[str, int], Callable[[], Run]],
) -> None:
    """`two_clients(kind, n, per edit)` makes one run, `many_clients(shape, clients)` gives what makes one."""
    if len(sys.argv) not in (3, 4) or sys.argv[1] not in ("b2", "b3"):
        sys.exit(f"usage: {sys.argv[0]} b2|b3 N [REPETITIONS]")
    bench, n = sys.argv[1], int(sys.argv[2])
    repetitions = int(sys.argv[3]) if len(sys.argv) == 4 else 15
    if bench == "b2":
        cases = [bulk(kind, lambda kind=kind: two_clients(kind, n, False), repetitions) for kind in KINDS]
        cases.append(bulk("b2.4_per_edit", lambda: two_clients("b2.4", n, True), repetitions))
    else:
        cases = [bulk(shape, many_clients(shape, int(n**0.5) * 20), repetitions) for shape in SHAPES]
    print(json.dumps({"impl": impl, "version": version, "bench": bench, "n": n, "cases": cases}))
