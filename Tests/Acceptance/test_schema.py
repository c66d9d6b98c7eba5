"""Calls that nobody thought of: schemathesis makes them up from protocol/openapi.yaml and checks the answers against it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.api import Api, bundled_problems

# What would end the session that the calls are made with, streams without an end, or is no call for random input.
LEFT_OUT = (
    "/api/v1/me/events",
    "/api/v1/submissions/{id}/events",
    "/api/v1/sessions",
    "/api/v1/sessions/current",
    "/api/v1/sessions/refresh",
    "/api/v1/me/password",
    "/api/v1/me/second-factor",
    "/api/v1/me/second-factor/confirm",
    "/metrics",
)
# How long one run may go on making calls, whatever the scale.
MOST_SECONDS = 400
LIMITS = "logins registrations guests refreshes mails refusals submissions runs tickets uploads history writes reads"
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")


def schemathesis() -> str | None:
    beside = Path(sys.executable).with_name("schemathesis")
    return str(beside) if beside.exists() else shutil.which("schemathesis")


@pytest.mark.timeout(MOST_SECONDS + 300)
@pytest.mark.parametrize("role", ["admin", "user"])
def test_every_answer_is_a_described_one(serve, role, tmp_path):
    tool = schemathesis()
    if tool is None:
        pytest.skip("schemathesis is not installed")
    server = serve("--rate-limits", ",".join(f"{name}=1000000/60" for name in LIMITS.split()))
    api = Api(server)
    caller = api.with_role("admin") if role == "admin" else api.register()
    caller.make_pair_room(problem_id=bundled_problems()[0])
    scale, seed = int(os.environ.get("CODUEL_TEST_SCALE", "1")), os.environ.get("CODUEL_TEST_SEED", "1")
    command = [
        tool, "run", server.http + "/api/openapi.yaml", "--url", server.http, "--checks", ",".join(CHECKS),
        "--phases", "examples,coverage,fuzzing", "--max-examples", str(4 * scale), "--seed", seed, "--no-color",
        "--max-time", str(min(90 * scale, MOST_SECONDS)), "--workers", "2", "--no-shrink", "--continue-on-failure", "--warnings", "off",
        "--request-timeout", "20", "--suppress-health-check", "all", "-H", f"Authorization: Bearer {caller.token}",
        "--exclude-operation-id", "importProblem", *(word for path in LEFT_OUT for word in ("--exclude-path", path)),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=MOST_SECONDS + 200)
    print(f"seed {seed}; {' '.join(command)}".replace(caller.token, "TOKEN"))
    # Errors of the tool itself (it cannot write every body) are no findings.
    made = re.search(r"(\d+) generated", done.stdout)
    assert made and int(made[1]) > 300, done.stdout[-6_000:] + done.stderr[-2_000:]
    assert "FAILURES" not in done.stdout, done.stdout[done.stdout.index("FAILURES") :][:12_000]
    server.assert_alive()
    # Made-up calls are bodies too: nothing of them made the server fail behind the answer.
    assert "request failed" not in server.log(), [l for l in server.log().splitlines() if "request failed" in l][:5]
