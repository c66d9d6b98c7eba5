"""Packages that nobody here wrote, with submissions of ours: they import, judge right, and show their statements."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from harness.api import Api
from harness.server import ROOT, Server, coduel

SUBMISSIONS = Path(__file__).parent / "foreign"
SHARED = [os.environ.get("CODUEL_SHARED"), ROOT / "../shared", ROOT / "../../shared"]


def packages() -> Path:
    for folder in filter(None, SHARED):
        if (Path(folder) / "data/problems").is_dir():
            return Path(folder) / "data/problems"
    pytest.skip("there is no folder of foreign packages beside this one")


@pytest.mark.parametrize("name", ["icecream", "radar", "rakneord"])
def test_verify_agrees_with_every_folder(name, tmp_path):
    package = tmp_path / name
    shutil.copytree(packages() / name, package)
    shutil.copytree(SUBMISSIONS / name, package / "submissions")
    done = coduel("problems", "verify", package)
    assert done.returncode == 0, done.stdout + done.stderr
    count = sum(1 for path in (SUBMISSIONS / name).rglob("*.*") if path.is_file())
    assert f"{count} as expected, 0 not, 0 skipped" in done.stdout, done.stdout


def test_statements_and_pictures_are_shown():
    server = Server()
    try:
        folder = packages()
        done = coduel(
            "problems", "import", folder / "radar", folder / "rakneord", "--publish", "--data", server.data
        )
        assert done.returncode == 0, done.stderr
        server.start()
        api = Api(server)
        radar = api.call("GET", "/v1/problems/radar", expect=200).json()["statement"]["html"]
        assert "<script" not in radar and "onerror" not in radar
        if shutil.which("pandoc") is None:
            assert radar.startswith("<pre>"), radar[:200]
            pytest.skip("there is no pandoc: LaTeX is shown as text")
        assert "<math" in radar and "<h1>Input</h1>" in radar, radar[:2000]
        assert 'src="/api/v1/problems/radar/images/towers.jpg"' in radar, radar[:500]
        picture = api.call("GET", "/v1/problems/radar/images/towers.jpg", expect=200)
        assert picture.headers["content-type"] == "image/jpeg"
        assert picture.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in picture.headers["content-security-policy"]
        api.call("GET", "/v1/problems/radar/images/problem.en.tex", expect=404)
        assert "<table>" in api.call("GET", "/v1/problems/rakneord", expect=200).json()["statement"]["html"]
    finally:
        server.close()
