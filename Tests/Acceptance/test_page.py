"""The page in a real Chromium: the scripts of Tests/Page against a server of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness.oidc import Provider
from harness.server import ROOT

SCRIPTS = sorted(path.name for path in (ROOT / "Tests/Page").glob("*.py") if path.name != "browser.py")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("script", SCRIPTS)
def test_page(serve, script, tmp_path):
    provider = Provider()
    flags = ("--casual-spectator-delay-s", "3", *provider.flags)
    server = serve(*flags, env=provider.environment)
    done = subprocess.run(
        [sys.executable, str(ROOT / "Tests/Page" / script), server.http, "--screenshots", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=540,
    )
    print(done.stdout)
    assert done.returncode == 0, f"{script} ended with {done.returncode}; what it said is above"
    server.assert_alive()
    provider.close()
