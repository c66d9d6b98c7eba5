"""deploy/observability: configurations that the real tools accept, rules with tests, dashboards as they are generated."""

from __future__ import annotations

import re
import subprocess
import sys

import yaml

from harness.observability import AMTOOL, DEPLOYED, PROMTOOL, run
from harness.server import ROOT

PROMETHEUS = DEPLOYED / "prometheus"


def alerts() -> dict[str, dict]:
    groups = yaml.safe_load((PROMETHEUS / "rules/alerts.yml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def test_prometheus_takes_configuration_and_rules():
    run(PROMTOOL, "check", "config", PROMETHEUS / "prometheus.yml")
    run(PROMTOOL, "check", "rules", *sorted((PROMETHEUS / "rules").glob("*.yml")))


def test_the_rules_pass_their_tests():
    run(PROMTOOL, "test", "rules", *sorted((PROMETHEUS / "tests").glob("*.yml")))


def test_every_alert_was_seen_to_fire():
    text = (PROMETHEUS / "tests/alerts.yml").read_text()
    for name in alerts():
        assert f'alertname="{name}"' in text or f"alertname: {name}" in text, f"{name} has no test"


def test_every_alert_says_what_to_do():
    manual = (ROOT / "docs/operations.md").read_text()
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", manual, re.M)
    }
    for name, alert in alerts().items():
        path, _, anchor = alert["annotations"]["runbook"].partition("#")
        assert path == "docs/operations.md" and anchor in anchors, f"{name}: {alert['annotations']['runbook']} leads nowhere"
        assert alert["labels"]["severity"] in ("page", "ticket")


def test_alertmanager_takes_its_configuration_and_routes_by_severity():
    file = DEPLOYED / "alertmanager/alertmanager.yml"
    run(AMTOOL, "check-config", file)

    def receivers(**labels):
        matchers = [f"{key}={value}" for key, value in labels.items()]
        routed = run(AMTOOL, "config", "routes", "test", f"--config.file={file}", *matchers)
        return routed.stdout.strip()

    assert receivers(severity="page", alertname="CoduelDown") == "pagerduty,slack"
    assert receivers(severity="ticket", alertname="CoduelSlowAnswers") == "slack"
    assert receivers(alertname="SomethingElse") == "slack"


def test_alertmanager_holds_no_secret():
    text = (DEPLOYED / "alertmanager/alertmanager.yml").read_text()
    assert "hooks.slack.com" not in text
    for key in re.findall(r"^\s*-?\s*(\w*(?:url|key|token|password)\w*):", text, re.M):
        assert key.endswith("_file"), f"{key} would stand in clear"


def test_dashboards_are_what_their_source_makes():
    done = subprocess.run(
        [sys.executable, DEPLOYED / "grafana/dashboards.py", "--check"], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stdout + done.stderr
