#!/usr/bin/env python3
"""Requests a second and how long they take: Coduel's routes next to a plain Hummingbird "hello" and nginx with a file.

All servers run at once and are asked in turns, each round in another order, so that what else the machine does meets all
alike. Each has one core (the first), the generator (wrk) the other. The same bytes of `GET /api/v1/problems` are what nginx
serves. Rate limits are set out of the way. Submissions are posted one by one, each after the verdict of the one before: their
queue is short on purpose, and what is counted is the call, not the judge.

    python3 Benchmarks/gateway.py --hello Benchmarks/peers/hello/.build/release/hello
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import (
    Client, Process, Server, Workspace, add_common_options, busy_share, finish, machine, median, quantile, table,
)

LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")
LIMITS = "reads=1000000/1,logins=1000000/1,submissions=1000000/1,writes=1000000/1"
#: Of the requests of "hello", for reads from the cache.
CACHED_SHARE = 0.6
CACHED = "GET /problems"
PROGRAM = "print('not the answer')\n"


class Pinned(Process):
    """A process with its threads on the first core."""

    def __init__(self, command: list[str], log: Path):
        super().__init__(["taskset", "--cpu-list", "0", *command], log)


def pin(process: Process) -> None:
    subprocess.run(["taskset", "--all-tasks", "--cpu-list", "--pid", "0", str(process.pid)], check=True, capture_output=True)


def nginx(folder: Path, body: bytes) -> tuple[Process, int]:
    """nginx with one file; it takes the port that a probe has just left."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder.mkdir()
    (folder / "problems.json").write_bytes(body)
    kinds = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n"
        "events { worker_connections 512; }\n"
        f"http {{ {kinds} access_log off; keepalive_requests 100000000; default_type application/json; sendfile on;\n"
        f"  server {{ listen 127.0.0.1:{port}; root {folder}; }} }}\n"
    )
    (folder / "nginx.conf").chmod(0o644)
    for each in (folder, folder.parent):
        each.chmod(0o755)
    command = [shutil.which("nginx") or "/usr/sbin/nginx", "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error.log"]
    return Pinned(command, folder / "log"), port


def script(folder: Path, name: str, method: str, body: dict | None, headers: dict[str, str]) -> Path:
    lines = [f"wrk.method = {json.dumps(method)}"]
    lines += [f"wrk.headers[{json.dumps(key)}] = {json.dumps(value)}" for key, value in headers.items()]
    if body is not None:
        lines += ['wrk.headers["Content-Type"] = "application/json"', f"wrk.body = {json.dumps(json.dumps(body))}"]
    path = folder / f"{name}.lua"
    path.write_text("\n".join(lines) + "\n")
    return path


def anew(folder: Path, path: str) -> Path:
    """Each call with a query of its own, which nobody looks at: no answer is in the cache."""
    file = folder / "anew.lua"
    file.write_text(
        f'local call, run = 0, os.time()\nrequest = function()\n  call = call + 1\n  return wrk.format("GET", "{path}?call=" .. run .. "-" .. call)\nend\n'
    )
    return file


def measure(case: dict, seconds: int) -> dict:
    """One run of wrk; a status that is not expected ends the benchmark."""
    command = [
        "taskset", "--cpu-list", "1", "wrk", "--latency", "--threads", "1", "--connections", str(case["connections"]),
        "--duration", f"{seconds}s", "--timeout", "30s",
    ]
    if case.get("script"):
        command += ["--script", str(case["script"])]
    before = sum(case["process"].cpu_seconds())
    said = subprocess.run([*command, case["url"]], capture_output=True, text=True, check=True).stdout
    cpu = sum(case["process"].cpu_seconds()) - before
    if re.search(r"Non-2xx|Socket errors", said):
        sys.exit(f"{case['name']}:\n{said}")
    found = dict(re.findall(r"^\s+(50|99)%\s+([\d.]+\w+)\s*$", said, re.M))
    if found.keys() != {"50", "99"}:
        sys.exit(f"{case['name']}: wrk says no percentiles:\n{said}")
    requests = int(re.search(r"(\d+) requests in", said).group(1))
    return {
        "rps": float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1)),
        "p50_ms": milliseconds(found["50"]),
        "p99_ms": milliseconds(found["99"]),
        "cpu_us": cpu / max(1, requests) * 1e6,
    }


def submissions(client: Client, process: Process, count: int = 20) -> dict:
    """How long `POST …/submissions` takes, until the row is on disk and queued."""
    took: list[float] = []
    for _ in range(count):
        start = time.monotonic()
        made = client.call("POST", "/problems/brackets/submissions", {"language": "python", "source": PROGRAM})
        took.append((time.monotonic() - start) * 1_000)
        while client.call("GET", f"/submissions/{made['id']}")["status"] != "finished":
            time.sleep(0.02)
    return {"rps": None, "p50_ms": quantile(took, 0.5), "p99_ms": quantile(took, 0.99), "cpu_us": None}


def milliseconds(text: str) -> float:
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1_000, "m": 60_000}[unit]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common_options(parser)
    parser.add_argument("--hello", type=Path, help="the built Benchmarks/peers/hello; left out without")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of each case in a round")
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is not installed: apt-get install wrk")
    processes: list[Process] = []
    with Workspace(options.binary) as workspace, tempfile.TemporaryDirectory(prefix="coduel-http-") as name:
        try:
            run(options, workspace, Path(name), processes)
        finally:
            for process in processes:
                process.stop()


def run(options: argparse.Namespace, workspace: Workspace, folder: Path, processes: list[Process]) -> None:
    flags = ["--rate-limits", LIMITS, "--access-log", "false"]
    free = Server(workspace, *flags)
    processes.append(free)
    logging = Server(workspace, "--rate-limits", LIMITS, "--log-level", "info", "--log-format", "json")
    processes.append(logging)
    for server in (free, logging):
        pin(server)
    client = Client.registered(free.port)
    handle = client.call("GET", "/me")["handle"]
    password = "correct horse battery staple"
    person = f"bench{handle[-6:]}"
    client.call("POST", "/users", {"handle": person, "email": f"{person}@example.org", "password": password})
    connection = http.client.HTTPConnection("127.0.0.1", free.port)
    connection.request("GET", "/api/v1/problems")
    answer = connection.getresponse()
    body, tag = answer.read(), answer.headers.get("ETag")
    web, web_port = nginx(folder / "nginx", body)
    processes.append(web)
    base = f"http://127.0.0.1:{free.port}"
    bearer = {"Authorization": f"Bearer {client.token}"}
    many = options.connections
    cases = []
    if options.hello:
        hello = Pinned([str(options.hello.resolve())], folder / "hello.log")
        processes.append(hello)
        port = int(hello.wait_line(LISTENING).group(1))
        cases.append(case("Hummingbird hello", hello, f"http://127.0.0.1:{port}/", many))
    cases += [
        case("nginx, the same bytes", web, f"http://127.0.0.1:{web_port}/problems.json", many),
        case("GET /healthz (no limit)", free, f"{base}/healthz", many),
        case(CACHED, free, f"{base}/api/v1/problems", many),
        case("GET /problems, made anew", free, base, many, anew(folder, "/api/v1/problems")),
    ]
    if tag:
        fresh = script(folder, "fresh", "GET", None, {"If-None-Match": tag})
        cases.append(case("GET /problems, not modified", free, f"{base}/api/v1/problems", many, fresh))
    cases += [
        case("GET /problems, each call logged", logging, f"http://127.0.0.1:{logging.port}/api/v1/problems", many),
        case("GET /me (token)", free, f"{base}/api/v1/me", many, script(folder, "me", "GET", None, bearer)),
        case("POST /sessions (log-in)", free, f"{base}/api/v1/sessions", 4,
             script(folder, "login", "POST", {"login": person, "password": password}, {})),
        {"name": "POST …/submissions", "process": free, "client": client},
    ]
    figures: dict = {"machine": machine(), "cases": {c["name"]: [] for c in cases}}
    mark = busy_share()
    for number in range(options.rounds):
        turn = cases[number % len(cases):] + cases[: number % len(cases)]
        for each in turn:
            taken = submissions(each["client"], free) if "client" in each else measure(each, options.seconds)
            figures["cases"][each["name"]].append(taken)
    figures["busy"] = busy_share(mark)
    report(figures)
    finish(options, figures)


def case(name: str, process: Process, url: str, connections: int, script: Path | None = None) -> dict:
    return {"name": name, "process": process, "url": url, "connections": connections, "script": script}


def report(figures: dict) -> None:
    print(f"{figures['machine']}, busy {figures['busy']:.0%}\n")
    base = figures["cases"].get("Hummingbird hello")
    rows = []
    for name, runs in figures["cases"].items():
        if runs[0]["rps"] is None:
            rows.append([name, None, "-", *(median([run[key] for run in runs]) for key in ("p50_ms", "p99_ms")), None])
            continue
        rps = median([run["rps"] for run in runs])
        share = "-"
        if base:
            # Round by round: both were asked within the same minute.
            share = f"{median([run['rps'] / first['rps'] for run, first in zip(runs, base)]):.0%}"
        rows.append(
            [name, rps, share]
            + [median([run[key] for run in runs]) for key in ("p50_ms", "p99_ms", "cpu_us")]
        )
    print(table(["case", "requests/s", "of hello", "p50 ms", "p99 ms", "CPU µs a request"], rows))
    if base:
        share = median([run["rps"] / first["rps"] for run, first in zip(figures["cases"][CACHED], base)])
        print(f"\n{'met    ' if share >= CACHED_SHARE else 'MISSED '} cached reads at least {CACHED_SHARE:.0%} of hello: {share:.0%}")


if __name__ == "__main__":
    main()
