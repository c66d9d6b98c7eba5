"""RFC 6455 by an outside judge: Autobahn's fuzzing client against the echo endpoint of the server's own WebSocket stack.

Needs the ported suite of ../shared/conformance/autobahn; skipped with a message where that is absent. Groups 12 and 13
(compression) are not ported. Group 9 (large and many messages) takes half a minute and runs from scale 2 on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.server import ROOT

PORT = ROOT.parent / "shared/conformance/autobahn"
VENV = ROOT / ".venv-autobahn"
PACKAGES = [
    "autobahntestsuite==25.10.1",
    "autobahn==23.6.2",
    "twisted==26.10.0",
    "jinja2",
    "pyopenssl",
    "service_identity",
    "setuptools<81",
]
PASSED = {"OK", "NON-STRICT", "INFORMATIONAL"}
CLOSED = {"OK", "INFORMATIONAL"}


def suite() -> Path:
    """A Python of its own with the suite's old packages, and the ported copy of the suite in it."""
    python, library = VENV / "bin/python", VENV / "wstest"
    if not library.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True, timeout=120)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES], check=True, timeout=300)
        subprocess.run([str(python), str(PORT / "port_wstest.py"), str(library)], check=True, timeout=120)
    return python


def run(server, folder: Path, patterns: list[str]) -> dict[str, tuple[str, str]]:
    """Runs cases; what each came to: its behaviour, and that of its close."""
    folder.mkdir()
    specification = {
        "outdir": str(folder / "reports"),
        "servers": [{"agent": "coduel", "url": server.ws + "/conformance/echo"}],
        "cases": patterns,
        "exclude-cases": [],
        "exclude-agent-cases": {},
    }
    (folder / "spec.json").write_text(json.dumps(specification))
    done = subprocess.run(
        [str(suite()), str(PORT / "wsfuzz.py"), str(VENV / "wstest"), str(folder / "spec.json")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=400,
        cwd=folder,
    )
    index = folder / "reports/index.json"
    assert index.exists(), f"the suite wrote no report:\n{done.stdout[-2000:]}"
    cases = json.loads(index.read_text())["coduel"]
    return {case: (result["behavior"], result["behaviorClose"]) for case, result in cases.items()}


@pytest.mark.timeout(900)
def test_no_case_fails(serve, tmp_path):
    if not PORT.is_dir():
        pytest.skip(f"the ported suite is not there: {PORT}")
    server = serve("--conformance-echo")
    groups = ["1", "2", "3", "4", "5", "6", "7", "10"]
    if float(os.environ.get("CODUEL_TEST_SCALE", "1")) >= 2:
        groups.append("9")
    results = run(server, tmp_path / "all", [f"{group}.*" for group in groups])
    assert len(results) >= 247, f"only {len(results)} cases ran"
    failed = [case for case, result in results.items() if not passed(result)]
    # On a busy machine the suite itself now and then sees a close as unclean: such a case may try once more, alone.
    assert len(failed) <= 2, f"{len(failed)} of {len(results)} failed: { {c: results[c] for c in failed} }"
    if failed:
        again = run(server, tmp_path / "again", failed)
        assert all(passed(result) for result in again.values()), f"failed twice: {again}"
    server.assert_alive()


def passed(result: tuple[str, str]) -> bool:
    return result[0] in PASSED and result[1] in CLOSED
