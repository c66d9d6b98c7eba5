"""How the cost of concurrent edits grows: tables against n log n, and plots."""

from __future__ import annotations

import math
from pathlib import Path

import plot
from crdt_tables import number, table

# The time to look at in each case of B2 and B3, and what it is called.
MERGES = {
    "b2.2": ("merge_ms_min", "two clients, n characters each, one update"),
    "b2.4_per_edit": ("merge_ms_min", "two clients, words and deletions, an update an edit"),
    "b3.5": ("apply_each_ms_min", "20 √n clients, a text insertion each"),
}
LOGARITHMIC = "n log n"

Curves = dict[str, list[tuple[float, float]]]


def merging(figures: dict) -> dict[str, Curves]:
    """By case and peer, the least ms of the rounds by the number of edits."""
    found: dict[str, Curves] = {}
    for rows in figures["merging"].values():
        for case, (key, _) in MERGES.items():
            named = {
                row: [each for run in runs for each in run["cases"] if each["case"] == case and key in each]
                for row, runs in rows.items()
            }
            # Not every peer says how many clients that were.
            clients = [each["clients"] for cases in named.values() for each in cases if "clients" in each]
            for row, cases in named.items():
                if cases:
                    point = (clients[0] if clients else rows[row][0]["n"], min(each[key] for each in cases))
                    found.setdefault(case, {}).setdefault(row, []).append(point)
    return found


def conflicts(figures: dict) -> tuple[Curves, Curves]:
    """By case, the least µs of CPU time an insertion, and the steps, by the number of insertions."""
    least: dict[str, dict[int, float]] = {}
    steps: dict[str, dict[int, float]] = {}
    for row, runs in figures["conflicts"].items():
        for each in (each for run in runs for each in run["cases"]):
            name = f"{row}: {each['case']}"
            found = least.setdefault(name, {})
            found[each["n"]] = min(found.get(each["n"], math.inf), each["us_each"])
            if "work_each" in each:
                steps.setdefault(name, {})[each["n"]] = each["work_each"]
    return tuple({name: sorted(found.items()) for name, found in curves.items()} for curves in (least, steps))


def growth(points: list[tuple[float, float]], each: bool = False) -> float:
    """By how much the cost of the last point lies above n log n, drawn through the first."""
    (first, low), (last, high) = points[0], points[-1]
    expected = math.log2(last) / math.log2(first) * (1 if each else last / first)
    return high / low / expected


def logarithmic(points: list[tuple[float, float]], each: bool = False) -> list[tuple[float, float]]:
    """n log n through the first of the points; for each of the n, log n."""
    first, low = points[0]
    return [(n, low * math.log2(n) / math.log2(first) * (1 if each else n / first)) for n, _ in points]


def show(figures: dict, folder: Path | None) -> None:
    for case, curves in merging(figures).items():
        if all(len(points) > 2 for points in curves.values() if points is curves.get("coduel")):
            show_curve(case, curves, folder)
    if figures["conflicts"]:
        show_conflicts(*conflicts(figures), folder)


def show_curve(case: str, curves: Curves, folder: Path | None) -> None:
    title = f"{case}: {MERGES[case][1]}"
    print(f"\n### {title}: ms by n, and the last by n log n through the first\n")
    sizes = [n for n, _ in curves["coduel"]]
    lines = []
    for row, points in curves.items():
        known = dict(points)
        cells = [number(known[n]) if n in known else "-" for n in sizes]
        lines.append([row, *cells, f"{growth(points):.2f}" if len(points) > 1 else "-"])
    print(table(["", *(f"{n:,}" for n in sizes), "× n log n"], lines))
    if folder:
        series = {row: points for row, points in curves.items() if len(points) > 1}
        series = dict(list(series.items())[:3]) | {LOGARITHMIC: logarithmic(curves["coduel"])}
        (folder / f"merge-{case.replace('.', '-').replace('_', '-')}.svg").write_text(
            plot.lines(title, "edits", "ms", series)
        )


def show_conflicts(least: Curves, steps: Curves, folder: Path | None) -> None:
    print("\n### n insertions at one place: growth of the time each over that of log n; steps each at the last n\n")
    lines = [
        [name, f"{growth(points, each=True):.2f}", f"{steps[name][-1][1]:.1f}" if name in steps else "-"]
        for name, points in least.items()
        if len(points) > 1
    ]
    print(table(["", "time × log n", "steps each"], lines))
    wanted = [f"coduel: {case}, ascending" for case in ("empty", "thousand")] + ["coduel: empty, shuffled"]
    shown = {name: least[name] for name in wanted if name in least}
    if folder and shown:
        shown[LOGARITHMIC] = logarithmic(next(iter(shown.values())), each=True)
        (folder / "conflicts.svg").write_text(
            plot.lines("Insertions at one place", "insertions", "µs of CPU time each", shown)
        )
