#!/usr/bin/env python3
"""From submit to verdict: a Python problem of ten tests through the real server.

  python Benchmarks/judge.py [--submissions 20] [--tests 10] [--problem spread]
  python Benchmarks/judge.py --burst 200 [--rounds 3] [--workers 2]

A person submits the problem's accepted solution for practice, again and again, and takes the time until the event
`submission.finished` arrives. Beside it runs the floor: the same program as a plain subprocess on the same inputs, in
turn with the submissions. The programs' own share is what the sandbox reports: wall time of the tests, and of the
syntax check by `coduel sandbox run`. The goal is what as many bare starts of the interpreter take, in the same turn, and
20 ms. `--burst` instead submits many programs at once: judge_burst.py.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import judge_burst

from harness import (
    ROOT,
    Client,
    Server,
    Workspace,
    add_common_options,
    busy_share,
    finish,
    machine,
    median,
    number,
    quantile,
    table,
)

INTERPRETER = "/usr/bin/python3"
RUN_FLAGS = ["-B", "-s", "-X", "utf8"]
GOAL_BEYOND_STARTS_MS = 20
VERDICT_SECONDS = 60
MAXIMUM_SUBMISSIONS = 500
SYNTAX_CHECK = "compile(open('main.py', 'rb').read(), 'main.py', 'exec')"


def trimmed(problem: Path, tests: int, folder: Path) -> Path:
    """A copy of the package with so many tests, samples among them."""
    copy = folder / "problems" / problem.name
    shutil.copytree(problem, copy)
    inputs = sorted(copy.glob("data/sample/*.in")) + sorted(copy.glob("data/secret/*.in"))
    for extra in inputs[tests:]:
        extra.unlink()
        extra.with_suffix(".ans").unlink()
    return copy


class Events(threading.Thread):
    """`GET /me/events`, read in the background; notes when each submission was reported."""

    def __init__(self, port: int, token: str, seconds: float = VERDICT_SECONDS):
        super().__init__(daemon=True)
        self.seconds = seconds
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds * 2)
        self.connection.request("GET", "/api/v1/me/events", headers={"Authorization": f"Bearer {token}"})
        self.answer = self.connection.getresponse()
        if self.answer.status != 200:
            raise RuntimeError(f"GET /me/events answered {self.answer.status}")
        self.finished: dict[str, float] = {}
        self.changed = threading.Condition()
        self.start()

    def run(self) -> None:
        kind = ""
        try:
            while line := self.answer.readline():
                at, text = time.perf_counter(), line.decode().strip()
                if text.startswith("event:"):
                    kind = text[6:].strip()
                elif text.startswith("data:") and kind == "submission.finished":
                    data = json.loads(text[5:])
                    with self.changed:
                        self.finished[data.get("submission_id") or data["id"]] = at
                        self.changed.notify_all()
                elif not text:
                    kind = ""
        except (OSError, ValueError, AttributeError):
            return

    def wait(self, submission: str) -> float:
        with self.changed:
            if not self.changed.wait_for(lambda: submission in self.finished, self.seconds):
                raise RuntimeError(f"no verdict of {submission} within {self.seconds} s")
            return self.finished[submission]

    def close(self) -> None:
        if self.connection.sock:
            self.connection.sock.close()


def submit_once(client: Client, events: Events, problem: str, source: str) -> dict:
    """One submission; times in ms."""
    start = time.perf_counter()
    answer = client.call("POST", f"/problems/{problem}/submissions", {"language": "python", "source": source})
    taken = time.perf_counter()
    end = events.wait(answer["id"])
    found = client.call("GET", f"/submissions/{answer['id']}")
    if found["verdict"] != "AC":
        raise RuntimeError(f"the accepted solution got {found['verdict']}: {found}")
    return {
        "total": (end - start) * 1000,
        "taken": (taken - start) * 1000,
        "tests": len(found["tests"]),
        "tests_wall": sum(test["wall_time_ms"] for test in found["tests"]),
        "tests_cpu": sum(test["cpu_time_ms"] for test in found["tests"]),
    }


def check_time(workspace: Workspace, source: Path, stdin: Path) -> float:
    """Wall time of the syntax check in the sandbox, ms: the judgement does not tell it."""
    command = [str(workspace.binary), "sandbox", "run", "--language", "python", "--source", str(source), "--json"]
    if workspace.helper:
        command += ["--sandbox-helper", str(workspace.helper)]
    done = subprocess.run([*command, "--stdin", str(stdin)], capture_output=True, text=True, timeout=VERDICT_SECONDS)
    return float(json.loads(done.stdout)["compile"]["wall_time_ms"])


def floor_once(folder: Path, inputs: list[Path]) -> float:
    """The syntax check and every test as plain subprocesses; ms."""
    start = time.perf_counter()
    check = [INTERPRETER, "-I", "-S", "-X", "utf8", "-c", SYNTAX_CHECK]
    subprocess.run(check, cwd=folder, check=True, stdin=subprocess.DEVNULL)
    for file in inputs:
        with file.open("rb") as stdin:
            done = subprocess.run([INTERPRETER, *RUN_FLAGS, "main.py"], cwd=folder, stdin=stdin, capture_output=True)
        if done.stdout.split() != file.with_suffix(".ans").read_bytes().split():
            raise RuntimeError(f"a wrong answer to {file.name}")
    return (time.perf_counter() - start) * 1000


def starts_once(folder: Path, count: int) -> float:
    """So many starts of the interpreter with a program that does nothing, one after another; ms."""
    program = folder / "nothing.py"
    program.touch()
    start = time.perf_counter()
    for _ in range(count):
        child = os.posix_spawn(INTERPRETER, [INTERPRETER, *RUN_FLAGS, str(program)], os.environ)
        if os.waitpid(child, 0)[1] != 0:
            raise RuntimeError("an empty program failed")
    return (time.perf_counter() - start) * 1000


def measure(options: argparse.Namespace, workspace: Workspace) -> dict:
    package = trimmed(ROOT / "fixtures/problems" / options.problem, options.tests, workspace.folder)
    source = next(package.glob("submissions/accepted/*.py"))
    inputs = sorted(package.glob("data/*/*.in"))
    plain = Path(tempfile.mkdtemp(prefix="plain-", dir=workspace.folder))
    shutil.copy(source, plain / "main.py")
    submissions, floors, checks, starts = [], [], [], []
    limits = ["--rate-limits", "submissions=1000/1,reads=10000/1"]
    with Server(workspace, *limits, problems=package.parent) as server:
        client = Client.registered(server.port)
        events = Events(server.port, client.token)
        submit_once(client, events, options.problem, source.read_text())
        mark, cpu = busy_share(), server.cpu_seconds()
        start = time.perf_counter()
        for _ in range(options.submissions):
            submissions.append(submit_once(client, events, options.problem, source.read_text()))
            floors.append(floor_once(plain, inputs))
            starts.append(starts_once(plain, len(inputs)))
            checks.append(check_time(workspace, source, inputs[0]))
        spent = [after - before for before, after in zip(cpu, server.cpu_seconds())]
        busy, wall = busy_share(mark), time.perf_counter() - start
        events.close()
    for each, check in zip(submissions, checks):
        each["check"] = check
        each["programs"] = each["tests_wall"] + check
        each["rest"] = each["total"] - each["programs"]
    return {
        "submissions": submissions,
        "floor": floors,
        "starts": starts,
        "busy": busy,
        "wall_s": wall,
        "server_cpu_ms_each": sum(spent) * 1000 / options.submissions,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common_options(parser)
    parser.add_argument("--submissions", type=int, default=20)
    parser.add_argument("--tests", type=int, default=10)
    parser.add_argument("--problem", default="spread", help="a problem of fixtures/problems")
    judge_burst.add_options(parser)
    options = parser.parse_args()
    if options.burst:
        return judge_burst.main(options, Events)
    options.submissions = min(options.submissions, MAXIMUM_SUBMISSIONS)
    before = machine()
    with Workspace(options.binary) as workspace:
        figures = measure(options, workspace)
    rows = figures["submissions"]
    tests = rows[0]["tests"]

    def line(name: str, values: list[float]) -> list[object]:
        return [name, min(values), median(values), quantile(values, 0.95)]

    print(f"\n{len(rows)} submissions of `{options.problem}`, {tests} tests, Python; ms\n")
    lines = [line("submit to `submission.finished`", [row["total"] for row in rows])]
    lines.append(line("of it: submit to 202", [row["taken"] for row in rows]))
    lines.append(line("of it: the tests' wall time in the sandbox", [row["tests_wall"] for row in rows]))
    lines.append(line("of it: the syntax check in the sandbox", [row["check"] for row in rows]))
    lines.append(line("of it: the rest (boxes, queue, disk, HTTP)", [row["rest"] for row in rows]))
    lines.append(line(f"the rest, for each of {tests + 1} boxes", [row["rest"] / (tests + 1) for row in rows]))
    lines.append(line("the same as plain subprocesses", figures["floor"]))
    lines.append(line(f"{tests} bare starts of Python", figures["starts"]))
    print(table(["", "least", "median", "p95"], lines))
    ratio = median([row["total"] for row in rows]) / median(figures["floor"])
    share = median([row["rest"] / row["total"] for row in rows])
    total, goal = median([row["total"] for row in rows]), median(figures["starts"]) + GOAL_BEYOND_STARTS_MS
    verdict = "met    " if total <= goal else "MISSED "
    print(f"\n{verdict} at most {tests} bare starts and {GOAL_BEYOND_STARTS_MS} ms: {number(total)} of {number(goal)} ms (medians)")
    print(f"submit to verdict / plain subprocesses: {ratio:.2f}; the rest's share of the whole: {share:.0%}")
    print(f"server's own CPU: {number(figures['server_cpu_ms_each'])} ms a submission")
    print(f"machine: {before}, load at the end {os.getloadavg()}, busy {figures['busy']:.0%} of all cores meanwhile")
    finish(options, {"machine": before, **figures})


if __name__ == "__main__":
    main()
