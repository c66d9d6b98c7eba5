#!/usr/bin/env python3
"""Makes Grafana's dashboards. They are code because a panel is a line here and forty lines of JSON there.

    dashboards.py            writes dashboards/*.json
    dashboards.py --check    exits 1 where a file is not what this script makes

Every query is run against a real server by Tests/Acceptance/test_metrics.py.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "dashboards"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24


@dataclass
class Query:
    expr: str
    legend: str


@dataclass
class Panel:
    title: str
    queries: list[Query]
    unit: str = "short"
    width: int = 8
    kind: str = "timeseries"
    help: str = ""
    # Above them a value is yellow, and red.
    warn: float | None = None
    alarm: float | None = None
    stack: bool = False


@dataclass
class Row:
    title: str
    panels: list[Panel] = field(default_factory=list)


WHERE = 'job="$job",instance=~"$instance"'


def rate(metric: str, by: str = "", where: str = "") -> str:
    inner = f'rate({metric}{{{WHERE}{"," + where if where else ""}}}[$__rate_interval])'
    return f"sum by ({by}) ({inner})" if by else f"sum({inner})"


def quantile(q: float, metric: str, by: str = "", where: str = "") -> str:
    labels = f"le, {by}" if by else "le"
    inner = f'rate({metric}_bucket{{{WHERE}{"," + where if where else ""}}}[$__rate_interval])'
    return f"histogram_quantile({q:g}, sum by ({labels}) ({inner}))"


def gauge(metric: str, where: str = "") -> str:
    return f'{metric}{{{WHERE}{"," + where if where else ""}}}'


def quantiles(metric: str, where: str = "") -> list[Query]:
    return [Query(quantile(q, metric, where=where), f"p{q * 100:g}") for q in (0.5, 0.9, 0.99)]


def errors() -> str:
    failed = rate("http_server_request_duration_seconds_count", where='http_response_status_code=~"5.."')
    return f"({failed} or vector(0)) / {rate('http_server_request_duration_seconds_count')}"


OVERVIEW = [
    Row("Is it well?", [
        Panel("Servers up", [Query(f"sum(up{{{WHERE}}})", "up")], kind="stat", width=4),
        Panel("Errors", [Query(errors(), "5xx")], "percentunit", kind="stat", width=4, warn=0.001, alarm=0.01),
        Panel("Answers, p99", [Query(quantile(0.99, "http_server_request_duration_seconds"), "p99")], "s", kind="stat",
              width=4, warn=0.25, alarm=1),
        Panel("Edits wait for the disk, p99", [Query(quantile(0.99, "coduel_log_commit_seconds"), "p99")], "s",
              kind="stat", width=4, warn=0.05, alarm=0.25),
        Panel("Submissions waiting", [Query(f"sum({gauge('coduel_judge_queue_depth')})", "waiting")], kind="stat",
              width=4, warn=10, alarm=50),
        Panel("Dependencies down", [Query(f"count({gauge('coduel_dependency_up')} == 0) or vector(0)", "down")],
              kind="stat", width=4, alarm=1),
    ]),
    Row("Requests", [
        Panel("Requests by route", [Query(rate("http_server_request_duration_seconds_count", "http_route"),
                                          "{{http_route}}")], "reqps", 12, stack=True),
        Panel("Answers by status", [Query(rate("http_server_request_duration_seconds_count",
                                               "http_response_status_code"), "{{http_response_status_code}}")],
              "reqps", 12, stack=True),
        Panel("Duration", quantiles("http_server_request_duration_seconds"), "s"),
        Panel("p99 by route", [Query(quantile(0.99, "http_server_request_duration_seconds", "http_route"),
                                     "{{http_route}}")], "s"),
        Panel("At work", [Query(gauge("http_server_active_requests"), "{{instance}}")]),
    ]),
    Row("People", [
        Panel("Log-ins", [Query(rate("coduel_auth_attempts_total", "kind, result"), "{{kind}} {{result}}")], "reqps"),
        Panel("Refused by limits", [Query(rate("coduel_ratelimit_decisions_total", "policy", 'decision="refused"'),
                                          "{{policy}}")], "reqps"),
        Panel("Sockets and event streams", [Query(gauge("coduel_ws_connections"), "sockets {{instance}}"),
                                            Query(gauge("coduel_event_subscribers"), "streams {{instance}}")]),
    ]),
]

ROOMS = [
    Row("Rooms", [
        Panel("Rooms in memory", [Query(f"sum by (kind) ({gauge('coduel_room_count')})", "{{kind}}")], stack=True),
        Panel("By state", [Query(f"sum by (status) ({gauge('coduel_room_status')})", "{{status}}")], stack=True),
        Panel("Failures and damage", [
            Query(rate("coduel_room_failures_total", "when"), "{{when}}"),
            Query(rate("coduel_log_lost_records_total"), "lost records"),
            Query(rate("coduel_log_lost_snapshots_total"), "lost snapshots"),
        ], "ops"),
    ]),
    Row("Edits", [
        Panel("Updates on disk", [Query(rate("coduel_room_updates_total"), "updates")], "ops"),
        Panel("Their size", quantiles("coduel_crdt_update_bytes"), "bytes"),
        Panel("Waiting for the disk", [Query(gauge("coduel_room_pending_bytes"), "{{instance}}")], "bytes"),
        Panel("Time to be on disk", quantiles("coduel_log_commit_seconds"), "s"),
        Panel("Applying and telling", quantiles("coduel_crdt_apply_seconds"), "s"),
        Panel("Lateness of readers' loops", quantiles("coduel_reader_lag_seconds"), "s"),
    ]),
    Row("Sockets", [
        Panel("Received", [Query(rate("coduel_ws_messages_total", "type", 'direction="received"'), "{{type}}")],
              "ops", stack=True),
        Panel("Sent", [Query(rate("coduel_ws_messages_total", "type", 'direction="sent"'), "{{type}}")], "ops",
              stack=True),
        Panel("Bytes", [Query(rate("coduel_ws_received_bytes_total"), "received"),
                        Query(rate("coduel_ws_sent_bytes_total"), "sent")], "Bps"),
        Panel("Slow receivers", [Query(gauge("coduel_ws_slow_receivers"), "{{instance}}")]),
        Panel("Limits met", [Query(rate("coduel_sync_over_limit_total", "limit"), "{{limit}}")], "ops"),
        Panel("Refusals", [Query(rate("coduel_sync_refusals_total", "code"), "{{code}}")], "ops"),
    ]),
]

JUDGE = [
    Row("Queue", [
        Panel("Waiting and in hand", [
            Query(gauge("coduel_judge_queue_depth"), "waiting {{instance}}"),
            Query(gauge("coduel_judge_running"), "in hand {{instance}}"),
            Query(gauge("coduel_judge_workers"), "workers {{instance}}"),
        ]),
        Panel("Wait for a worker", quantiles("coduel_judge_wait_seconds"), "s"),
        Panel("From submission to verdict", quantiles("coduel_judge_verdict_seconds"), "s"),
    ]),
    Row("Work", [
        Panel("Verdicts", [Query(rate("coduel_judge_verdicts_total", "verdict"), "{{verdict}}")], "ops", stack=True),
        Panel("By language", [Query(rate("coduel_judge_verdicts_total", "language"), "{{language}}")], "ops",
              stack=True),
        Panel("Time in hand, p90", [Query(quantile(0.9, "coduel_judge_run_seconds", "language"), "{{language}}")], "s"),
        Panel("Faults", [Query(rate("coduel_judge_faults_total"), "faults")], "ops", alarm=0.01),
    ]),
    Row("Sandbox", [
        Panel("Usable", [Query(gauge("coduel_sandbox_usable"), "{{instance}}")], kind="stat"),
        Panel("Protections missing", [Query(f"count by (layer) ({gauge('coduel_sandbox_layer_active')} == 0)",
                                            "{{layer}}")], kind="stat", width=16, alarm=1),
    ]),
]

MATCHMAKING = [
    Row("Matchmaking", [
        Panel("Tickets that found nobody", [Query(gauge("coduel_match_unmatched"), "{{instance}}")]),
        Panel("Matches", [Query(rate("coduel_match_pairs_total", "result"), "{{result}}"),
                          Query(rate("coduel_match_expired_total"), "expired tickets")], "ops"),
        Panel("Waves", [Query(rate("coduel_match_waves_total"), "waves"),
                        Query(rate("coduel_match_candidates_total"), "candidates")], "ops"),
        Panel("Wait by rating, p90", [Query(quantile(0.9, "coduel_match_wait_seconds", "band"), "{{band}}")], "s"),
        Panel("Quality", [Query(quantile(q, "coduel_match_quality_ratio"), f"p{q * 100:g}") for q in (0.1, 0.5)],
              "percentunit", help="Twice the predicted chance of the weaker one: 100 % is an even match."),
        Panel("Rating gap", quantiles("coduel_match_rating_gap_points")),
    ]),
    Row("Battles", [
        Panel("Battles ended", [Query(rate("coduel_battle_finished_total", "outcome"), "{{outcome}}")], "ops", 24,
              stack=True),
    ]),
]

PROCESS = [
    Row("Process", [
        Panel("Version", [Query(gauge("coduel_build_info"), "{{version}} ({{instance}})")], kind="stat"),
        Panel("Up for", [Query(f"time() - {gauge('process_start_time_seconds')}", "{{instance}}")], "s", kind="stat"),
        Panel("CPU", [Query(f"rate({gauge('process_cpu_seconds_total')}[$__rate_interval])", "{{instance}}")],
              "percentunit"),
        Panel("Memory", [Query(gauge("process_resident_memory_bytes"), "{{instance}}")], "bytes"),
        Panel("Descriptors", [Query(f"{gauge('process_open_fds')} / {gauge('process_max_fds')}", "{{instance}}")],
              "percentunit"),
        Panel("Threads", [Query(gauge("process_threads"), "{{instance}}")]),
        Panel("Free space of the data disk", [
            Query(f"{gauge('coduel_data_disk_free_bytes')} / {gauge('coduel_data_disk_size_bytes')}", "{{instance}}"),
        ], "percentunit"),
        Panel("Dependencies", [Query(gauge("coduel_dependency_up"), "{{dependency}} {{instance}}")]),
        Panel("Telemetry dropped", [
            Query(rate("coduel_trace_spans_dropped_total"), "spans"),
            Query(rate("coduel_log_lines_dropped_total"), "log lines"),
            Query(rate("coduel_metrics_dropped_series_total"), "series"),
        ], "ops"),
    ]),
]

BOARDS = {
    "overview": ("Coduel: overview", OVERVIEW),
    "rooms": ("Coduel: rooms and sockets", ROOMS),
    "judge": ("Coduel: judge", JUDGE),
    "matchmaking": ("Coduel: matchmaking and battles", MATCHMAKING),
    "process": ("Coduel: process", PROCESS),
}


def thresholds(panel: Panel) -> dict:
    steps: list[dict] = [{"color": "green", "value": None}]
    if panel.warn is not None:
        steps.append({"color": "yellow", "value": panel.warn})
    if panel.alarm is not None:
        steps.append({"color": "red", "value": panel.alarm})
    return {"mode": "absolute", "steps": steps}


def panel_json(panel: Panel, number: int, x: int, y: int, height: int) -> dict:
    custom = {"stacking": {"mode": "normal"}, "fillOpacity": 30} if panel.stack else {"fillOpacity": 5}
    made = {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": height},
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "thresholds": thresholds(panel), "min": 0}
            | ({"custom": custom} if panel.kind == "timeseries" else {}),
            "overrides": [],
        },
        "targets": [
            {"refId": chr(ord("A") + index), "expr": query.expr, "legendFormat": query.legend, "datasource": SOURCE}
            for index, query in enumerate(panel.queries)
        ],
    }
    if panel.help:
        made["description"] = panel.help
    return made


def variable(name: str, label: str, query: str, many: bool) -> dict:
    return {
        "name": name, "label": label, "type": "query", "datasource": SOURCE, "query": query, "refresh": 2, "sort": 1,
        "multi": many, "includeAll": many, "allValue": ".*" if many else None,
        "current": {"text": "All", "value": "$__all"} if many else {"text": "coduel", "value": "coduel"},
    }


def board_json(name: str, title: str, rows: list[Row]) -> dict:
    panels: list[dict] = []
    y = number = 0
    for row in rows:
        number += 1
        panels.append({"id": number, "type": "row", "title": row.title, "collapsed": False, "panels": [],
                       "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}})
        y, x = y + 1, 0
        height = 4 if all(panel.kind == "stat" for panel in row.panels) else 8
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, y = 0, y + height
            number += 1
            panels.append(panel_json(panel, number, x, y, height))
            x += panel.width
        y += height
    return {
        "uid": f"coduel-{name}", "title": title, "tags": ["coduel"], "schemaVersion": 38, "version": 1,
        "editable": False, "timezone": "", "refresh": "30s", "time": {"from": "now-6h", "to": "now"},
        "links": [{"type": "dashboards", "tags": ["coduel"], "asDropdown": True, "title": "Coduel", "keepTime": True}],
        "templating": {"list": [
            {"name": "datasource", "label": "Source", "type": "datasource", "query": "prometheus", "current": {}},
            variable("job", "Job", "label_values(coduel_build_info, job)", False),
            variable("instance", "Server", 'label_values(coduel_build_info{job="$job"}, instance)', True),
        ]},
        "annotations": {"list": [{
            "name": "Restarts", "enable": True, "iconColor": "blue", "datasource": SOURCE,
            "expr": 'changes(process_start_time_seconds{job="$job"}[1m]) > 0', "titleFormat": "restart",
        }]},
        "panels": panels,
    }


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    made = {f"{name}.json": json.dumps(board_json(name, *board), indent=1) + "\n" for name, board in BOARDS.items()}
    found = {path.name: path.read_text() for path in FOLDER.glob("*.json")}
    if arguments:
        wrong = sorted(name for name in made.keys() | found.keys() if made.get(name) != found.get(name))
        for name in wrong:
            print(f"dashboards/{name} is not what dashboards.py makes: run it", file=sys.stderr)
        return 1 if wrong else 0
    for name in found.keys() - made.keys():
        (FOLDER / name).unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
