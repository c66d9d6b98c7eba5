"""The tables of `crdt.py`."""

from __future__ import annotations

from harness import median, number, table

YJS = ("yjs", "yjs, warm")
DIFFERS = "DIFFERS"
Rows = dict[str, list[dict]]

# Work, key, and the goal against the fastest peer and against Yjs.
GOALS = (
    ("decode v1", "decode_v1_min_ms", 1.5, 6),
    ("decode v2", "decode_v2_min_ms", 1.5, 6),
    ("remote", "apply_remote_cpu_ms", 2.5, 9),
    ("local", "apply_local_cpu_ms", 3, 12),
    ("encode v1", "encode_v1_min_ms", 1, None),
    ("encode v2", "encode_v2_min_ms", 1, None),
)
# Loro's second format is a snapshot that is not read when it is loaded.
NOT_ALIKE = {"loro": ("decode_v2_min_ms", "encode_v2_min_ms")}


def values(runs: list[dict], key: str) -> list[float]:
    return [run[key] for run in runs if run.get(key) is not None]


def least(runs: list[dict], key: str) -> float | None:
    return min(values(runs, key), default=None)


def pair(runs: list[dict], key: str, scale: float = 1) -> str:
    found = [value * scale for value in values(runs, key)]
    return f"{number(min(found))} / {number(median(found))}" if found else "-"


def memory(runs: list[dict]) -> float | None:
    """MB of a loaded document beyond its text: resident growth, of Yjs the growth of the heap. The median, because a
    collection at the wrong time can make either smaller than it is."""
    found = values(runs, "doc_rss_mb") or values(runs, "doc_heap_mb")
    return median(found) - runs[0]["final_len"] / 1048576 if found else None


def state_of(rows: Rows, row: str) -> str:
    """Whether the row ends with the bytes of Yjs; `¹` where it does but for the order in the delete set."""
    ours = {run.get("v1_sha256") for run in rows[row]}
    yjs = [run for name in YJS for run in rows.get(name, [])]
    if ours == {None}:
        return "own format"
    if not yjs:
        return "-"
    if ours == {run["v1_sha256"] for run in yjs}:
        return "as Yjs"
    return "as Yjs ¹" if ours == {run.get("v1_sorted_sha256") for run in yjs} else DIFFERS


def differing(traces: dict[str, Rows]) -> bool:
    return any(state_of(rows, row) == DIFFERS for rows in traces.values() for row in rows)


def show(figures: dict[str, dict]) -> None:
    for name, rows in figures["traces"].items():
        if rows:
            show_trace(name, rows)
    if figures["traces"]:
        show_goals(figures["traces"])
    for title, rows in figures["merging"].items():
        show_merging(title, rows)
    if figures["conflicts"]:
        show_conflicts(figures["conflicts"])
    every = [*figures["traces"].values(), *figures["merging"].values()]
    firsts = {row: runs[0] for rows in every for row, runs in rows.items()}
    versions = [f"{row} {first['version']} {first.get('runtime', '')}".strip() for row, first in firsts.items()]
    print("\nversions: " + "; ".join(versions))


def show_trace(name: str, rows: Rows) -> None:
    first = next(iter(rows.values()))[0]
    print(f"\n### {name} ({first['kind']}, {first['edits']:,} edits)\n")
    head = ["", "local µs", "remote µs", "empty calls µs", "encode v1 ms", "v2", "same v1", "same v2"]
    head += ["decode v1 ms", "v2", "MB beyond text", "state"]
    lines = []
    for row, runs in rows.items():
        local, remote = 1000 / runs[0]["edits"], 1000 / max(1, runs[0]["updates"])
        calls = (("binding_overhead_cpu_ms", local), ("binding_remote_cpu_ms", remote))
        empty = [pair(runs, key, scale) for key, scale in calls]
        cells: list[object] = [row, pair(runs, "apply_local_cpu_ms", local), pair(runs, "apply_remote_cpu_ms", remote)]
        cells.append("-" if empty == ["-", "-"] else ", ".join(empty))
        cells += [pair(runs, f"encode_{key}_ms") for key in ("v1_min", "v2_min", "v1_same", "v2_same")]
        cells += [pair(runs, f"decode_{key}_min_ms") for key in ("v1", "v2")]
        lines.append([*cells, memory(runs), state_of(rows, row)])
    print(table(head, lines))


def show_goals(traces: dict[str, Rows]) -> None:
    """How many times as fast as the fastest peer and as Yjs, by the least times; in brackets where a goal is missed."""
    print("\n### Times as fast as the fastest peer / as Yjs (memory: ours in theirs, Yrs / Yjs)\n")
    lines = []
    for title, key, peer_goal, yjs_goal in GOALS:
        cells: list[object] = [title, f"{peer_goal} / {yjs_goal or '-'}"]
        for rows in traces.values():
            ours = least(rows["coduel"], key)
            peers = [
                found
                for row, runs in rows.items()
                if row != "coduel" and key not in NOT_ALIKE.get(row, ()) and (found := least(runs, key)) is not None
            ]
            yjs = [found for row in YJS if (found := least(rows.get(row, []), key)) is not None]
            cells.append(f"{ratio(peers, ours, peer_goal)} / {ratio(yjs, ours, yjs_goal)}")
        lines.append(cells)
    cells = ["memory", "1 / 2"]
    for rows in traces.values():
        ours = memory(rows["coduel"])
        pairs = [(rows.get("yrs", []), 1), ([run for row in YJS for run in rows.get(row, [])], 2)]
        cells.append(" / ".join(ratio([memory(runs)] if runs else [], ours, goal) for runs, goal in pairs))
    print(table(["", "goal", *traces], [*lines, cells]))


def ratio(theirs: list[float], ours: float | None, goal: float | None) -> str:
    if not theirs or not ours:
        return "-"
    found = min(theirs) / ours
    return f"{found:.1f}" if goal is None or found >= goal else f"({found:.1f})"


def show_merging(title: str, rows: Rows) -> None:
    bench, n = title.split()
    keys = ("local_ms", "merge_ms") if bench == "b2" else ("apply_one_txn_ms", "apply_each_ms")
    print(f"\n### {bench}, N = {n}: first in a process / least, ms\n")
    lines = []
    for place, case in enumerate(rows["coduel"][0]["cases"]):
        for row, runs in rows.items():
            cases = [run["cases"][place] for run in runs]
            cells: list[object] = [case["case"], row]
            for key in (*keys, "encode_ms", "decode_ms"):
                firsts = values(cases, key + "_first")
                cells.append(f"{number(median(firsts))} / {number(least(cases, key + '_min'))}" if firsts else "-")
            same = {each["final_sha256"] for each in cases} == {case["final_sha256"]}
            lines.append([*cells, "same" if same else "other"])
    print(table(["case", "", *keys, "encode", "decode", "content"], lines))


def show_conflicts(rows: Rows) -> None:
    print("\n### n clients insert at one place: µs an insertion, least of the rounds\n")
    by_case: dict[tuple[str, str], dict[int, float]] = {}
    for row, runs in rows.items():
        for run in runs:
            for case in run["cases"]:
                found = by_case.setdefault((row, case["case"]), {})
                found[case["n"]] = min(found.get(case["n"], float("inf")), case["us_each"])
    sizes = sorted({n for found in by_case.values() for n in found})
    lines = []
    for (row, case), found in by_case.items():
        lines.append([row, case, *(number(found[n]) if n in found else "-" for n in sizes)])
    print(table(["", "case", *(f"{n:,}" for n in sizes)], lines))
