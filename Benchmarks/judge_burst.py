"""Many submissions at once: `judge.py --burst 200`.

Several people submit programs to one problem of ten tests in one moment, each as many as the queue takes of one person: right
ones, ones that come close to the time limit, wrong, slow and crashing ones, in Python and C++. In turns with that the same
programs run bare: compiled (or checked) and started by as many processes as the judge has workers, up to the first test that
fails, with the same limit of CPU time and nothing else. No two programs have the same text, so that no cache compiles less
often. Before, each kind is submitted alone: under load no verdict may be another, of the whole or of a test.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from harness import ROOT, Client, Server, Workspace, busy_share, finish, machine, median, number, quantile, table

PROBLEM = "squares"
TESTS = 10
#: The test on which programs fail, and which takes the close ones their time.
TURN = 6
TIME_LIMIT_SECONDS = 1
#: The judge lets a program go on for 5 % beyond its limit, and so does the bare run.
GRACE = 1.05
CLOSE_SECONDS = 0.7
#: Less than the judge queues of one person.
EACH_PERSON = 16
MAXIMUM_BURST = 900
QUIET_RUNS = 2
BURST_SECONDS = 900
LEAST_SHARE = 0.9
LIMITS = ",".join(f"{name}=100000/1" for name in ("registrations", "logins", "submissions", "reads", "writes"))

PYTHON = "# {mark}\nimport os, time\nn = int(input())\n{turn}print(n * n)\n"
CPP = (
    "// {mark}\n#include <cstdlib>\n#include <ctime>\n#include <iostream>\n"
    "int main() {{\n    long n;\n    std::cin >> n;\n{turn}    std::cout << n * n << '\\n';\n}}\n"
)
#: Verdict, and what happens on the test `TURN`, in Python and C++.
KINDS = {
    "accepted": ("AC", "", ""),
    "close": ("AC", f"while time.process_time() < {CLOSE_SECONDS}: pass\n", f"while (clock() < {CLOSE_SECONDS} * CLOCKS_PER_SEC) {{}}\n"),
    "wrong": ("WA", "n += 1\n", "n++;\n"),
    "slow": ("TLE", "while True: pass\n", "for (volatile long i = 0;;) i = i + 1;\n"),
    "crash": ("RTE", "os.abort()\n", "abort();\n"),
}  # fmt: skip
NAMES = [(kind, language) for kind in KINDS for language in ("python", "cpp")]


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--burst", type=int, metavar="N", help="submit N programs at once instead")
    parser.add_argument("--rounds", type=int, default=3, help="of a burst and its bare run")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="of the judge, and of the bare runs (cores)")


def source(kind: str, language: str, mark: str) -> str:
    turn = KINDS[kind][1 if language == "python" else 2]
    if turn:
        turn = f"if n == {TURN}:\n    {turn}" if language == "python" else f"    if (n == {TURN}) {turn}"
    return (PYTHON if language == "python" else CPP).format(mark=mark, turn=turn)


def package(folder: Path) -> Path:
    """The problem: the square of a number; the tests are 1 to 10. The folder of packages."""
    made = folder / "packages" / PROBLEM
    (made / "statement").mkdir(parents=True)
    (made / "statement/problem.en.md").write_text("Print the square of the number in the input.\n")
    for n in range(1, TESTS + 1):
        data = made / "data" / ("sample" if n == 1 else "secret")
        data.mkdir(parents=True, exist_ok=True)
        (data / f"{n:02}.in").write_text(f"{n}\n")
        (data / f"{n:02}.ans").write_text(f"{n * n}\n")
    accepted = made / "submissions/accepted"
    accepted.mkdir(parents=True)
    (accepted / "square.py").write_text(source("accepted", "python", "the square"))
    (made / "problem.yaml").write_text(
        "problem_format_version: 2025-09\ntype: pass-fail\nname: Squares\n"
        f"uuid: 6c1d6d0e-9f0c-4c9a-8a86-2f6a4c9f2b11\nlimits:\n  time_limit: {TIME_LIMIT_SECONDS}\n  memory: 256\n"
    )
    return made.parent


# Bare


class Bare:
    """Compiles and runs programs without a sandbox, in a process of the pool."""

    def __init__(self, folder: Path, tests: Path):
        self.folder, self.tests = folder, sorted(tests.glob("*/*.in"), key=lambda file: file.name)
        definitions = ROOT / "Sources/Sandbox/Languages"
        self.languages = {name: json.loads((definitions / f"{name}.json").read_text()) for name in ("python", "cpp")}

    def command(self, language: str, step: str) -> list[str]:
        found = self.languages[language]
        fill = {"{tool}": found["tools"][0], "{script}": "\n".join(found.get("script", []))}
        return [fill.get(word, word) for word in found.get(step, ["./main"])]

    def __call__(self, job: tuple[str, str, str]) -> tuple[str, float]:
        """What the judge would have said, and when it was clear."""
        kind, language, mark = job
        place = Path(tempfile.mkdtemp(dir=self.folder))
        (place / self.languages[language]["file"]).write_text(source(kind, language, mark))
        subprocess.run(self.command(language, "compile"), cwd=place, check=True, stdin=subprocess.DEVNULL)
        verdict = "AC"
        for test in self.tests:
            with test.open("rb") as stdin:
                done = subprocess.run(
                    self.command(language, "run"), cwd=place, stdin=stdin, capture_output=True,
                    preexec_fn=limit_time if kind == "slow" else None,
                )  # fmt: skip
            if done.returncode == -signal.SIGPROF:
                verdict = "TLE"
            elif done.returncode != 0:
                verdict = "RTE"
            elif done.stdout.split() != test.with_suffix(".ans").read_bytes().split():
                verdict = "WA"
            if verdict != "AC":
                break
        shutil.rmtree(place)
        return verdict, time.perf_counter()


def limit_time() -> None:
    """Of the program that is about to be started: a timer of CPU time outlives `exec`."""
    signal.setitimer(signal.ITIMER_PROF, TIME_LIMIT_SECONDS * GRACE)


def run_bare(pool: ProcessPoolExecutor, bare: Bare, jobs: list[tuple[str, str, str]]) -> dict:
    mark, start = busy_share(), time.perf_counter()
    got = list(pool.map(bare, jobs))
    for (kind, language, _), (verdict, _) in zip(jobs, got):
        if verdict != KINDS[kind][0]:
            raise RuntimeError(f"bare, {kind} in {language} is {verdict}")
    return {"seconds": max(at for _, at in got) - start, "busy": busy_share(mark)}


# Judged


class Person:
    def __init__(self, port: int, events: type):
        self.client = Client.registered(port)
        self.events = events(port, self.client.token, BURST_SECONDS)
        self.sent: list[tuple[str, str, str, float, float]] = []

    def submit(self, kind: str, language: str, mark: str) -> str:
        start = time.perf_counter()
        text = source(kind, language, mark)
        made = self.client.call("POST", f"/problems/{PROBLEM}/submissions", {"language": language, "source": text})
        self.sent.append((kind, language, made["id"], start, time.perf_counter()))
        return made["id"]

    def submit_all(self, jobs: list[tuple[str, str, str]], gate: threading.Barrier) -> None:
        gate.wait()
        for job in jobs:
            self.submit(*job)

    def outcome(self, submission: str) -> str:
        """The verdict, and those of the tests."""
        found = self.client.call("GET", f"/submissions/{submission}")
        return f"{found['verdict']} ({' '.join(test['verdict'] for test in found['tests'])})"


def quiet_run(person: Person, pool: ProcessPoolExecutor, bare: Bare, marks: itertools.count) -> tuple[dict, dict]:
    """What each kind gets when nothing else is judged; it has to be what the kind is for, every time. And how long
    that takes, judged and bare, in s."""
    outcomes: dict[tuple[str, str], str] = {}
    times: dict[tuple[str, str], dict[str, list[float]]] = {name: {"judged": [], "bare": []} for name in NAMES}
    for _ in range(QUIET_RUNS):
        for kind, language in NAMES:
            run = run_bare(pool, bare, [(kind, language, f"quiet {next(marks)}")])
            times[kind, language]["bare"].append(run["seconds"])
            start = time.perf_counter()
            made = person.submit(kind, language, f"quiet {next(marks)}")
            times[kind, language]["judged"].append(person.events.wait(made) - start)
            outcome = person.outcome(made)
            if not outcome.startswith(KINDS[kind][0]) or outcomes.setdefault((kind, language), outcome) != outcome:
                raise RuntimeError(f"alone, {kind} in {language} is {outcome}, before {outcomes.get((kind, language))}")
    return outcomes, times


def run_burst(server: Server, people: list[Person], jobs: list[tuple[str, str, str]], quiet: dict) -> dict:
    gate = threading.Barrier(len(people) + 1)
    threads = []
    for number_, person in enumerate(people):
        person.sent.clear()
        own = jobs[number_ :: len(people)]
        threads.append(threading.Thread(target=person.submit_all, args=(own, gate)))
        threads[-1].start()
    mark, cpu = busy_share(), sum(server.cpu_seconds())
    gate.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    taken = time.perf_counter()
    waits, ends, changed = [], [], []
    for person in people:
        for kind, language, made, sent, _ in person.sent:
            ends.append(person.events.wait(made))
            waits.append(ends[-1] - sent)
    busy, cpu = busy_share(mark), sum(server.cpu_seconds()) - cpu
    if len(ends) != len(jobs):
        raise RuntimeError(f"{len(jobs) - len(ends)} submissions were not taken")
    for person in people:
        for kind, language, made, _, _ in person.sent:
            outcome = person.outcome(made)
            if outcome != quiet[kind, language]:
                changed.append(f"{kind} in {language}: {outcome}, alone {quiet[kind, language]}")
    return {
        "seconds": max(ends) - start, "taken_s": taken - start, "waits_s": waits, "busy": busy,
        "server_cpu_ms_each": cpu * 1000 / len(jobs), "changed": changed,
        "posts_ms": [(after - sent) * 1000 for person in people for *_, sent, after in person.sent],
    }  # fmt: skip


def measure(options: argparse.Namespace, workspace: Workspace, events: type) -> tuple[list[dict], list[dict]]:
    packages, marks, rounds = package(workspace.folder), itertools.count(), []
    plain = workspace.folder / "bare"
    plain.mkdir()
    bare = Bare(plain, packages / PROBLEM / "data")
    flags = ["--rate-limits", LIMITS, "--judge-workers", str(options.workers)]
    # The pool starts its processes before this one has threads.
    with ProcessPoolExecutor(options.workers) as pool, Server(workspace, *flags, problems=packages) as server:
        people = [Person(server.port, events) for _ in range(-(-options.burst // EACH_PERSON))]
        quiet, times = quiet_run(people[0], pool, bare, marks)
        for turn in range(options.rounds):
            both = {}
            for way in ("bare", "judged") if turn % 2 else ("judged", "bare"):
                jobs = [(*NAMES[n % len(NAMES)], f"{turn} {next(marks)}") for n in range(options.burst)]
                if way == "bare":
                    both[way] = run_bare(pool, bare, jobs)
                else:
                    both[way] = run_burst(server, people, jobs, quiet)
            rounds.append(both)
            print(
                f"round {turn + 1} of {options.rounds}: judged in {both['judged']['seconds']:.1f} s, bare in "
                f"{both['bare']['seconds']:.1f} s, changed {len(both['judged']['changed'])}", file=sys.stderr,
            )  # fmt: skip
        for person in people:
            person.events.close()
    alone = [
        {"kind": kind, "language": language, "outcome": quiet[kind, language], **times[kind, language]}
        for kind, language in NAMES
    ]
    return alone, rounds


def main(options: argparse.Namespace, events: type) -> None:
    if not len(NAMES) <= options.burst <= MAXIMUM_BURST or options.rounds < 1 or options.workers < 1:
        sys.exit(f"--burst is {len(NAMES)} to {MAXIMUM_BURST}, --rounds and --workers at least 1")
    before = machine()
    with Workspace(options.binary) as workspace:
        alone, rounds = measure(options, workspace, events)
    print(f"\neach kind alone, one after another; s, least of {QUIET_RUNS}\n")
    print(table(
        ["", "verdict", "judged", "bare"],
        [[f"{one['kind']}, {one['language']}", one["outcome"].split(" ")[0], min(one["judged"]), min(one["bare"])] for one in alone],
    ))  # fmt: skip
    cores = min(options.workers, os.cpu_count() or 1)
    people = -(-options.burst // EACH_PERSON)
    print(f"\n{options.burst} submissions at once by {people} people, {options.workers} workers, {len(rounds)} rounds\n")
    rows = []
    for way in ("judged", "bare"):
        runs = [both[way] for both in rounds]
        seconds = median([run["seconds"] for run in runs])
        rows.append([way, seconds, options.burst / seconds / cores, f"{median([run['busy'] for run in runs]):.0%}"])
    print(table(["", "s until the last verdict", "programs/s a core", "cores busy"], rows))
    judged = [both["judged"] for both in rounds]
    waits = [wait for run in judged for wait in run["waits_s"]]
    posts = [post for run in judged for post in run["posts_ms"]]
    print(f"\nsubmit to verdict: p50 {number(median(waits))} s, p95 {number(quantile(waits, 0.95))} s, most {number(max(waits))} s")
    print(
        f"submit to 202: p50 {number(median(posts))} ms, p99 {number(quantile(posts, 0.99))} ms; all were taken after "
        f"{number(median([run['taken_s'] for run in judged]))} s"
    )
    print(f"server's own CPU: {number(median([run['server_cpu_ms_each'] for run in judged]))} ms a submission")
    share = median([both["bare"]["seconds"] / both["judged"]["seconds"] for both in rounds])
    changed = Counter(text for run in judged for text in run["changed"])
    print(f"\n{'met    ' if share >= LEAST_SHARE else 'MISSED '} throughput at least {LEAST_SHARE:.0%} of bare: {share:.1%} (median of the rounds)")
    print(f"{'MISSED ' if changed else 'met    '} no verdict changed in {len(waits)}: {dict(changed) or 'none'}")
    print(f"machine: {before}, load at the end {os.getloadavg()}")
    finish(options, {"machine": before, "alone": alone, "rounds": rounds})
