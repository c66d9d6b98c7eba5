"""/metrics: what it tells, that Prometheus takes it, and that rules and dashboards ask for what is really there."""

from __future__ import annotations

import json
import re
import subprocess

import httpx
import pytest
import yaml

from harness.api import Api, WRONG_PYTHON, accepted_python, bundled_problems
from harness.observability import DEPLOYED, PROMTOOL, Prometheus, metric_names
from harness.waiting import until
from harness.wire import room_socket, text_update, update

# The names that operators rely on: protocol and reference name them. `_count` stands for a histogram.
PROMISED = """
http_server_request_duration_seconds_count http_server_active_requests
coduel_ws_connections coduel_ws_messages_total coduel_room_count coduel_room_status
coduel_crdt_apply_seconds_count coduel_crdt_update_bytes_count coduel_log_commit_seconds_count
coduel_match_wait_seconds_count coduel_match_quality_ratio_count coduel_match_rating_gap_points_count
coduel_match_unmatched coduel_match_waves_total coduel_match_candidates_total coduel_match_pairs_total
coduel_judge_queue_depth coduel_judge_running coduel_judge_workers coduel_judge_wait_seconds_count
coduel_judge_run_seconds_count coduel_judge_verdict_seconds_count coduel_judge_verdicts_total coduel_judge_faults_total
coduel_sandbox_usable coduel_sandbox_layer_active coduel_dependency_up
coduel_battle_finished_total coduel_auth_attempts_total coduel_ratelimit_decisions_total coduel_build_info
coduel_data_disk_free_bytes coduel_data_disk_size_bytes
process_resident_memory_bytes process_virtual_memory_bytes process_cpu_seconds_total process_open_fds process_max_fds
process_start_time_seconds
""".split()


def scrape(server) -> dict[str, float]:
    text = httpx.get(server.http + "/metrics", trust_env=False).text
    return {
        name: float(value) for name, value in re.findall(r"^([a-z_:]+(?:\{.*\})?) (\S+)$", text, re.M) if value != "NaN"
    }


def names(series) -> set[str]:
    return {name.split("{")[0] for name in series}


@pytest.fixture(scope="module")
def busy(request):
    """A server on which everything that is counted has happened at least once."""
    from harness.server import Server

    # A provider, which nobody asks: its circuit breaker has a state.
    provider = ("--oidc", "corp=http://127.0.0.1:9 any-client", "--oidc-allow-private")
    server = Server("--battle-duration-s", "60", *provider, env={"CODUEL_OIDC_CORP_SECRET": "any"}).start()
    request.addfinalizer(server.close)
    api = Api(server)
    alice, bob = api.register(), api.register()
    api.call("POST", "/v1/sessions", json={"login": alice.handle, "password": "not the password"}, expect=401)
    api.call("GET", "/v1/nothing-here", expect=404)
    room = alice.make_pair_room()["id"]
    with room_socket(server, room, "main", alice.token) as socket:
        socket.wait_synced()
        socket.send(update(text_update(9_001, "counted")))
        socket.wait_for("the echo", lambda m: m[0] == 0 and b"counted" in m[1][1])
    problem = bundled_problems()[0]
    for source in (accepted_python(problem), WRONG_PYTHON):
        made = alice.post(f"/v1/problems/{problem}/submissions", {"language": "python", "source": source}, expect=202)
        alice.verdict(made.json()["id"])
    tickets = [(player, player.enter_queue()) for player in (alice, bob)]
    battle = {player.matched_room(ticket) for player, ticket in tickets}.pop()
    for player in (alice, bob):
        with room_socket(server, battle, f"player-{player.id}", player.token) as socket:
            socket.wait_synced()
            socket.send(_stateless({"type": "battle.forfeit"}))
            socket.drain(0.3)
    until(
        "the battle is settled and counted",
        lambda: any(name.startswith("coduel_battle_finished_total") for name in scrape(server)), 30,
    )
    return server


def _stateless(message: dict) -> bytes:
    from harness.wire import stateless

    return stateless(message)


def test_the_exposition_is_what_promtool_expects(busy):
    text = httpx.get(busy.http + "/metrics", trust_env=False)
    assert text.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    checked = subprocess.run([PROMTOOL, "check", "metrics"], input=text.text, capture_output=True, text=True, timeout=30)
    # The one finding is the name that clients were promised.
    assert checked.returncode in (0, 3), checked.stderr
    findings = [line for line in (checked.stdout + checked.stderr).splitlines() if line]
    assert all(line.startswith("coduel_room_count ") for line in findings), findings


def test_what_was_promised_is_there(busy):
    found = scrape(busy)
    missing = set(PROMISED) - names(found)
    assert not missing, f"/metrics lacks {sorted(missing)}"


def test_numbers_follow_what_happened(busy):
    found = scrape(busy)
    assert found['coduel_auth_attempts_total{kind="password",result="refused"}'] == 1
    assert found['coduel_judge_verdicts_total{verdict="AC",language="python"}'] == 1
    assert found['coduel_judge_verdicts_total{verdict="WA",language="python"}'] == 1
    assert found["coduel_judge_wait_seconds_count"] == 2
    assert found['coduel_judge_run_seconds_count{language="python"}'] == 2
    assert found['coduel_match_pairs_total{result="matched"}'] == 1
    assert found['coduel_match_wait_seconds_count{queue="duel",band="1500-1799"}'] == 2
    assert found['coduel_match_quality_ratio_bucket{queue="duel",le="1"}'] == 1
    assert found['coduel_ws_messages_total{direction="received",type="update"}'] >= 1
    assert found['coduel_ws_messages_total{direction="sent",type="update"}'] >= 1
    assert found["coduel_crdt_update_bytes_count"] >= 1
    requests = 'http_server_request_duration_seconds_count{http_request_method="POST",http_route="/api/v1/problems/{id}/submissions",http_response_status_code="202"}'
    assert found[requests] == 2
    # A path that is no route is no label of its own.
    assert not any("nothing-here" in name for name in found)
    assert found["process_resident_memory_bytes"] > 10 << 20
    assert 10 < found["process_open_fds"] < found["process_max_fds"]
    assert found["process_start_time_seconds"] > 1.7e9
    assert 0 < found["coduel_data_disk_free_bytes"] <= found["coduel_data_disk_size_bytes"]
    layers = {name: value for name, value in found.items() if name.startswith("coduel_sandbox_layer_active")}
    assert len(layers) > 8 and set(layers.values()) <= {0.0, 1.0}


def test_labels_hold_no_ids(busy):
    """A label that grows with users or rooms would fill the memory of whoever scrapes."""
    for name in scrape(busy):
        assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", name), name


def test_health_and_readiness_name_what_they_depend_on(busy):
    health = httpx.get(busy.http + "/healthz", trust_env=False).json()
    ready = httpx.get(busy.http + "/readyz", trust_env=False)
    assert ready.status_code == 200 and ready.json()["status"] == "ready"
    assert health["status"] == "ok"
    for states in (health["dependencies"], ready.json()["checks"]):
        assert states == {"database": True, "room_log": True, "sandbox": True}, states


def rules() -> list[dict]:
    found = []
    for path in sorted((DEPLOYED / "prometheus/rules").glob("*.yml")):
        found += [rule for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]
    return found


def dashboard_queries() -> list[str]:
    found = []
    for path in sorted((DEPLOYED / "grafana/dashboards").glob("*.json")):
        board = json.loads(path.read_text())
        for panel in board["panels"]:
            found += [target["expr"] for target in panel.get("targets", [])]
        found += [v["query"] for v in board["templating"]["list"] if v["type"] == "query"]
    return found


def plain(expression: str) -> str:
    """A dashboard's query with its variables filled in."""
    return expression.replace("$__rate_interval", "1m").replace("$instance", ".*").replace("$job", "coduel")


def test_prometheus_scrapes_it_and_runs_rules_and_dashboards(busy):
    prometheus = Prometheus(busy)
    try:
        prometheus.wait_ready()
        until(
            "the requests are there",
            lambda: prometheus.query('http_server_request_duration_seconds_count{http_route="/api/v1/me"}'), 10,
        )
        until(
            "every rule was evaluated",
            lambda: all(
                rule["health"] != "unknown"
                for group in prometheus.get("rules")["groups"] for rule in group["rules"]
            ), 20,
        )
        for group in prometheus.get("rules")["groups"]:
            for rule in group["rules"]:
                assert rule["health"] == "ok", f"{rule['name']}: {rule.get('lastError')}"
        recorded = {rule["record"] for rule in rules() if "record" in rule}
        # A rate needs two scrapes, and a rule's result is a series only when it has one.
        known = set(prometheus.get("label/__name__/values")) | recorded | {"ALERTS"}
        never = {
            # Only with damage, failures and full disks.
            "coduel_log_lost_records_total", "coduel_log_lost_snapshots_total", "coduel_room_failures_total",
            "coduel_room_read_only_total",
        }
        declared = set(re.findall(r'"((?:coduel|http|process)_[a-z_]+)"', _metric_sources()))
        for expression in [rule["expr"] for rule in rules()] + dashboard_queries():
            asked = metric_names(plain(_label_values(expression)))
            assert asked, f"no metric in {expression}"
            unknown = asked - known - (never & declared)
            assert not unknown, f"{sorted(unknown)} in {expression} are no metrics of the server"
        for expression in dashboard_queries():
            if not expression.startswith("label_values"):
                prometheus.query(plain(expression))
    finally:
        prometheus.close()


def _label_values(query: str) -> str:
    """The series that a dashboard variable asks for."""
    found = re.fullmatch(r"label_values\((.*),\s*\w+\)", query)
    return found.group(1) if found else query


def _metric_sources() -> str:
    folder = DEPLOYED.parents[1] / "Sources/Gateway/Metrics"
    return "\n".join(path.read_text() for path in folder.glob("*.swift"))
