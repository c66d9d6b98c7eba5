"""Prometheus, Alertmanager's tools and a trace collector, as operators have them beside the server."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from harness.server import ROOT
from harness.waiting import until

DEPLOYED = ROOT / "deploy/observability"
PROMETHEUS = shutil.which("prometheus") or "/usr/bin/prometheus"
PROMTOOL = shutil.which("promtool") or "/usr/bin/promtool"
AMTOOL = shutil.which("amtool") or "/usr/bin/amtool"


def run(*command, **more) -> subprocess.CompletedProcess:
    """One command to its end; a failure shows what it said."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, **more)
    assert done.returncode == 0, f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Prometheus:
    """A real Prometheus with the deployed rules, that scrapes one server each second."""

    def __init__(self, server):
        self.folder = Path(tempfile.mkdtemp(prefix="coduel-prometheus-"))
        rules = DEPLOYED / "prometheus/rules"
        (self.folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"
            f"rule_files: ['{rules}/*.yml']\n"
            "scrape_configs:\n"
            f"  - {{job_name: coduel, static_configs: [{{targets: ['{server.host}:{server.port}']}}]}}\n"
        )
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = (self.folder / "log").open("wb")
        self.process = subprocess.Popen(
            [
                PROMETHEUS, f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data",
                f"--web.listen-address={self.url.removeprefix('http://')}", "--storage.tsdb.retention.time=1h",
            ],
            stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )

    def get(self, path: str, **parameters):
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=parameters, trust_env=False, timeout=10)
        body = answer.json()
        assert body["status"] == "success", f"{path} {parameters}: {body.get('error')}"
        return body["data"]

    def query(self, expression: str) -> list[dict]:
        return self.get("query", query=expression)["result"]

    def value(self, expression: str) -> float | None:
        """The value of the one series that an expression gives; None where there is none."""
        found = self.query(expression)
        assert len(found) <= 1, f"{expression} gives {len(found)} series"
        return float(found[0]["value"][1]) if found else None

    def wait_ready(self) -> "Prometheus":
        def answers():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            try:
                return httpx.get(f"{self.url}/-/ready", trust_env=False, timeout=2).status_code == 200
            except httpx.HTTPError:
                return False

        until("Prometheus is ready", answers, 30, every=0.2)
        until("the server was scraped", lambda: self.value('up{job="coduel"}') == 1, 20, every=0.3)
        return self

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Collector:
    """Takes OTLP/HTTP JSON. `status` is what it answers."""

    def __init__(self):
        self.spans: list[dict] = []
        self.resources: list[dict] = []
        self.requests = 0
        self.status = 200
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                collector.requests += 1
                assert self.path == "/v1/traces" and self.headers["Content-Type"] == "application/json"
                if collector.status == 200:
                    collector.take(body)
                answer = b"{}"
                self.send_response(collector.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, body: dict) -> None:
        for resource in body["resourceSpans"]:
            self.resources.append(attributes(resource["resource"]))
            for scope in resource["scopeSpans"]:
                self.spans += scope["spans"]

    def named(self, name: str, trace_id: str | None = None) -> list[dict]:
        return [s for s in self.spans if s["name"] == name and trace_id in (None, s["traceId"])]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def attributes(holder: dict) -> dict:
    """Attributes of a span or a resource as plain values."""
    found = {}
    for attribute in holder["attributes"]:
        ((kind, value),) = attribute["value"].items()
        found[attribute["key"]] = int(value) if kind == "intValue" else value
    return found


_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


def metric_names(expression: str) -> set[str]:
    """Names of metrics in a PromQL expression: what stands before `{`, `[`, an operator or the end, and is no function, label
    or keyword."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
    bare = re.sub(r"\{[^}]*\}", "{}", bare)
    bare = re.sub(r"\[[^\]]*\]", "", bare)
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
    words = {"and", "or", "unless", "bool", "offset", "group_left", "group_right", "Inf", "NaN"}
    names = set()
    for match in _NAME.finditer(bare):
        after = bare[match.end() :].lstrip()[:1]
        before = bare[: match.start()][-1:]
        if match.group() not in words and after != "(" and not before.isdigit():
            names.add(match.group())
    return names
