"""Problem packages on the command line and over HTTP: import, verify, drafts."""

from __future__ import annotations

import json

import pytest

from harness.api import (
    Api,
    assert_problem,
    bundled_problems,
    package_entries,
    unique,
    write_package,
    zip_of,
)
from harness.server import ROOT, Server, coduel


@pytest.fixture
def folder():
    """A server that is not started yet: its data folder for the command line, and the catalogue that it then serves."""
    server = Server()
    yield server
    server.close()


def catalogue(server: Server) -> list[str]:
    page = Api(server).call("GET", "/v1/problems", params={"limit": 100}, expect=200).json()
    return sorted(item["id"] for item in page["items"])


def test_an_empty_catalogue_gets_the_bundled_problems(server):
    assert len(bundled_problems()) >= 6, f"only {len(bundled_problems())} bundled problems, expected six or more"
    assert catalogue(server) == bundled_problems()
    for name in bundled_problems():
        submissions = ROOT / "fixtures/problems" / name / "submissions"
        assert list((submissions / "accepted").glob("*.py")), f"{name} has no Python solution"
        assert list((submissions / "wrong_answer").iterdir()), f"{name} has no wrong solution"
        languages = {path.suffix for path in submissions.rglob("*") if path.is_file()}
        assert len(languages) >= 2, f"{name} has submissions in {languages} only"
        assert list((ROOT / "fixtures/problems" / name / "data/secret").rglob("*.in")), f"{name} has no secret tests"


def test_import_of_folders_and_zips(folder, tmp_path):
    first, second, draft = (unique("imp") for _ in range(3))
    archive = tmp_path / f"{second}.zip"
    archive.write_bytes(zip_of(package_entries(second)))
    done = coduel("problems", "import", write_package(tmp_path, first), archive, "--publish", "--data", folder.data)
    assert done.returncode == 0, f"import ended with {done.returncode}: {done.stdout}{done.stderr}"
    assert first in done.stdout + done.stderr and second in done.stdout + done.stderr, (
        "import does not say what it took"
    )
    done = coduel("problems", "import", write_package(tmp_path, draft), "--data", folder.data)
    assert done.returncode == 0, done.stderr

    folder.start()
    assert catalogue(folder) == sorted([first, second]), "expected the two published ones and nothing bundled"
    api = Api(folder)
    assert_problem(api.call("GET", f"/v1/problems/{draft}"), 404)
    problem = api.call("GET", f"/v1/problems/{first}", expect=200).json()
    assert problem["title"] == "Sum of two" and len(problem["samples"]) == 1, problem
    assert problem["samples"][0]["input"] == "1 2\n" and "3\n" in problem["samples"][0].values(), problem["samples"]
    alice = api.register()
    for source, verdict in (("print(sum(map(int, input().split())))", "AC"), ("print(3)", "WA")):
        answer = alice.post(f"/v1/problems/{first}/submissions", {"language": "python", "source": source}, expect=202)
        assert alice.verdict(answer.json()["id"])["verdict"] == verdict


def test_importing_again_replaces(folder, tmp_path):
    name = unique("imp")
    package = write_package(tmp_path, name)
    assert coduel("problems", "import", package, "--publish", "--data", folder.data).returncode == 0
    write_package(tmp_path, name, {"problem.yaml": b"name: Other title\nlicense: public domain\n"})
    assert coduel("problems", "import", package, "--publish", "--data", folder.data).returncode == 0
    folder.start()
    assert Api(folder).call("GET", f"/v1/problems/{name}", expect=200).json()["title"] == "Other title"


def test_every_fault_of_a_bad_package_is_listed_and_nothing_stored(folder, tmp_path):
    good, bad = unique("imp"), unique("bad")
    package = write_package(
        tmp_path,
        bad,
        {
            "data/secret/02.in": b"1 1\n",
            "data/secret/03.ans": b"2\n",
            "problem.yaml": b"license: public domain\nvalidation: telepathy\n",
            "problem_statement/problem.en.md": None,
        },
    )
    assert (
        coduel("problems", "import", write_package(tmp_path, good), "--publish", "--data", folder.data).returncode == 0
    )
    done = coduel("problems", "import", package, "--publish", "--data", folder.data)
    text = done.stdout + done.stderr
    assert done.returncode not in (0, -11, -6, -4), f"a bad package ended with {done.returncode}"
    for what in ("02", "03", "telepathy"):
        assert what in text, f"the fault about {what} is not listed:\n{text}"
    assert "statement" in text, f"the missing statement is not listed:\n{text}"
    folder.start()
    assert catalogue(folder) == [good], "something of the bad package was stored"


def test_yaml_that_is_hostile(folder, tmp_path):
    laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
    )
    for index, yaml in enumerate(
        (laughs, "[" * 50_000, "name: [unclosed", "\x00", "- a list\n", "name: " + "x" * 5_000_000)
    ):
        name = unique("yam")
        package = write_package(tmp_path, name, {"problem.yaml": yaml.encode()})
        done = coduel("problems", "import", package, "--data", folder.data, timeout=30)
        assert done.returncode not in (0, -11, -6, -4, -9), f"document {index}: import ended with {done.returncode}"
        assert (done.stdout + done.stderr).strip()


def test_verify_agrees_with_the_folders(tmp_path):
    name = unique("ver")
    package = write_package(
        tmp_path,
        name,
        {
            "submissions/run_time_error/crash.py": b"raise SystemExit(3)\n",
            "submissions/time_limit_exceeded/loop.py": b"while True: pass\n",
            "submissions/wrong_answer/old.py": b"#!/usr/bin/env python2\nprint 5\n",
            "submissions/accepted/unknown.cob": b"IDENTIFICATION DIVISION.\n",
        },
    )
    done = coduel("problems", "verify", package, timeout=120)
    assert done.returncode == 0, f"verify ended with {done.returncode}: {done.stdout}{done.stderr}"
    assert "skipped" in (done.stdout + done.stderr).lower(), (
        f"the unknown languages are not listed as skipped: {done.stdout}"
    )
    write_package(tmp_path, name, {"submissions/accepted/solution.py": b"print(7)\n"})
    done = coduel("problems", "verify", package, timeout=120)
    assert done.returncode == 1, f"verify ended with {done.returncode}, expected 1: {done.stdout}"
    assert "solution.py" in done.stdout + done.stderr and "WA" in done.stdout + done.stderr, done.stdout
    write_package(tmp_path, name, {"submissions/wrong_answer/zero.py": b"print(sum(map(int, input().split())))\n"})
    done = coduel("problems", "verify", package, timeout=120)
    assert done.returncode == 1 and "zero.py" in done.stdout + done.stderr, f"{done.returncode} {done.stdout}"
    assert coduel("problems", "verify", tmp_path / "nothing-here").returncode not in (0, -11, -6, -4)


def test_comparison_by_the_flags_of_the_default_validator(tmp_path):
    name = unique("val")
    package = write_package(
        tmp_path,
        name,
        {
            "problem.yaml": b"name: Half\nlicense: public domain\nvalidation: default\nvalidator_flags: float_tolerance 1e-3 case_sensitive\n",
            "data/sample/1.in": b"1\n",
            "data/sample/1.ans": b"0.5 Yes\n",
            "data/secret/01.in": b"3\n",
            "data/secret/01.ans": b"1.5 Yes\n",
            "submissions/accepted/solution.py": b"print(int(input()) / 2 + 0.0004, '  Yes')\n",
            "submissions/wrong_answer/zero.py": b"print(int(input()) / 2 + 0.1, 'Yes')\n",
            "submissions/wrong_answer/case.py": b"print(int(input()) / 2, 'yes')\n",
            "submissions/wrong_answer/more.py": b"print(int(input()) / 2, 'Yes', 'and more')\n",
            "submissions/wrong_answer/nan.py": b"print('nan', 'Yes')\n",
        },
    )
    done = coduel("problems", "verify", package, timeout=120)
    assert done.returncode == 0, f"verify ended with {done.returncode}: {done.stdout}{done.stderr}"


def test_drafts_are_their_authors_business(server):
    api = Api(server)
    author, other = api.with_role("author"), api.register()
    name = unique("draft")
    package = zip_of(package_entries(name))
    headers = {"Content-Type": "application/zip"}
    assert_problem(other.call("POST", "/v1/problems", content=package, headers=headers), 403)
    assert_problem(author.call("POST", "/v1/problems", content=package, headers={"Content-Type": "text/plain"}), 415)
    made = author.call("POST", "/v1/problems", content=package, headers=headers, expect=201).json()
    assert name in json.dumps(made), made
    assert author.get(f"/v1/problems/{name}").json()["id"] == name
    for token in (None, other.token):
        assert_problem(api.call("GET", f"/v1/problems/{name}", token=token), 404)
    assert name not in catalogue(server)
    assert_problem(
        other.post(f"/v1/problems/{name}/submissions", {"language": "python", "source": "print()"}), 404, 403
    )
