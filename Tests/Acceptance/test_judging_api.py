"""Waiting for submissions, their event streams, kinds of problems, and rejudging, over HTTP."""

from __future__ import annotations

import base64
import json
import time

import pytest

from harness.api import Account, Api, unique, write_package
from harness.server import ROOT, Server, coduel


@pytest.fixture
def account(api) -> Account:
    return api.register()


def solution(problem: str, path: str) -> str:
    return (ROOT / "fixtures/problems" / problem / "submissions" / path).read_text()


def submit(account: Account, problem: str, source: str, language: str = "python") -> str:
    body = {"language": language, "source": source}
    return account.call("POST", f"/v1/problems/{problem}/submissions", json=body, expect=202).json()["id"]


def finished(account: Account, submission: str) -> dict:
    """By long polls alone: each answers at the end, or after 8 s."""
    for _ in range(8):
        found = account.call("GET", f"/v1/submissions/{submission}", params={"wait": 8}, expect=200).json()
        if found["status"] == "finished":
            return found
    pytest.fail(f"not finished: {found}")


def test_wait_answers_when_the_verdict_is_there(account):
    submission = submit(account, "brackets", "import time\ntime.sleep(0.5)\nprint('no')\n")
    begun = time.monotonic()
    found = finished(account, submission)
    assert found["verdict"] == "WA", found
    assert time.monotonic() - begun < 10
    begun = time.monotonic()
    account.call("GET", f"/v1/submissions/{submission}", params={"wait": 8}, expect=200)
    assert time.monotonic() - begun < 2, "a finished one is answered at once"
    account.call("GET", f"/v1/submissions/{submission}", params={"wait": 31}, expect=422)
    account.call("GET", f"/v1/submissions/{submission}", params={"wait": "x"}, expect=422)


def test_events_tell_of_every_test(account):
    submission = submit(account, "brackets", solution("brackets", "accepted/brackets.py"))
    answer = account.call("GET", f"/v1/submissions/{submission}/events", expect=200)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [block.split("\n") for block in answer.text.split("\n\n") if block.startswith("event: ")]
    kinds = [lines[0].removeprefix("event: ") for lines in events]
    assert kinds[0] == "status" and kinds[-1] == "finished", kinds
    last = json.loads(events[-1][1].removeprefix("data: "))
    assert last["verdict"] == "AC" and last["tests_passed"] == last["tests_total"], last
    again = account.call("GET", f"/v1/submissions/{submission}/events", expect=200)
    assert "event: finished" in again.text


def test_what_a_validator_says(api, account):
    """A static validator refuses the program and says why; what it says to judges is for them alone."""
    source = solution("plainsort", "wrong_answer/library.py")
    found = finished(account, submit(account, "plainsort", source))
    assert found["verdict"] == "WA", found
    last = found["tests"][-1]
    assert last["name"] == "secret/static_validation" and last["message"] == "The program names sorted.\n", last
    assert last["message_base64"] is None and last["judge_message"] is None, last
    exported = account.get("/v1/me/export").text
    assert "The program names sorted." in exported and "main.py: sorted" not in exported

    author = api.with_role("author")
    submission = submit(author, "plainsort", source)
    last = finished(author, submission)["tests"][-1]
    assert last["judge_message"] == "main.py: sorted, program main.py\n", last
    account.call("GET", f"/v1/submissions/{submission}", expect=404)

    accepted = finished(account, submit(account, "plainsort", solution("plainsort", "accepted/merge.py")))
    assert accepted["verdict"] == "AC", accepted


def test_factors_and_languages_are_told(account):
    languages = account.call("GET", "/v1/languages", expect=200).json()["items"]
    assert all(language["time_factor"] == language["memory_factor"] == 1 for language in languages), languages
    assert account.call("GET", "/v1/problems/plainsort", expect=200).json()["languages"] is None


@pytest.mark.parametrize(
    ("problem", "path", "language", "verdict"),
    [
        ("lockdial", "accepted/halves.py", "python", "AC"),
        ("lockdial", "wrong_answer/one_by_one.py", "python", "WA"),
        ("courier", "accepted/bits.py", "python", "AC"),
        ("courier", "wrong_answer/digits_in_order.py", "python", "WA"),
        ("sumsplit", "accepted/ascending.cpp", "cpp", "AC"),
        ("shorttour", "partially_accepted/as_given.cpp", "cpp", "AC"),
        ("whichnumber", "accepted/answers.txt", "text", "AC"),
        ("whichnumber", "wrong_answer/guess.txt", "text", "WA"),
    ],
)
def test_kinds_of_problems(account, problem, path, language, verdict):
    found = finished(account, submit(account, problem, solution(problem, path), language))
    assert found["verdict"] == verdict, found
    if problem == "shorttour":
        assert 0 < found["score"] < 100
        assert any(test["message"] and test["message"].startswith("Your way is") for test in found["tests"])


def test_text_is_for_answers_alone(account):
    body = {"language": "text", "source": "1"}
    account.call("POST", "/v1/problems/brackets/submissions", json=body, expect=422)


def test_runs_take_and_give_any_bytes(account):
    source = "import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])\n"
    body = {"language": "python", "source": source, "stdin_base64": base64.b64encode(b"\x00\xff\xfe").decode()}
    run = account.call("POST", "/v1/runs", json=body, expect=202).json()["id"]
    found = account.call("GET", f"/v1/runs/{run}", params={"wait": 8}, expect=200).json()
    assert found["status"] == "finished", found
    assert base64.b64decode(found["stdout_base64"]) == b"\xfe\xff\x00"
    body["stdin_base64"] = "?"
    account.call("POST", "/v1/runs", json=body, expect=422)


def test_rejudging_shows_before_it_writes(tmp_path):
    server = Server()
    try:
        name = unique("rej")
        package = write_package(tmp_path, name)
        assert coduel("problems", "import", package, "--publish", "--data", server.data).returncode == 0
        server.start()
        api = Api(server)
        author = api.register()
        submission = submit(author, name, "print(sum(map(int, input().split())))\n")
        assert finished(author, submission)["verdict"] == "AC"
        # The problem changes: its answer is another one now.
        for answer in (package / "data/secret").glob("*.ans"):
            answer.write_text("no\n")
        assert coduel("problems", "import", package, "--publish", "--data", server.data).returncode == 0
        author.call("POST", "/v1/rejudgings", json={"problem_id": name}, expect=403)
        moderator = api.with_role("moderator")
        begun = moderator.call("POST", "/v1/rejudgings", json={"problem_id": name}, expect=202).json()
        for _ in range(200):
            found = moderator.call("GET", f"/v1/rejudgings/{begun['id']}", expect=200).json()
            if found["status"] == "ready":
                break
            time.sleep(0.05)
        assert found["total"] == found["done"] == 1 and found["failed"] == 0, found
        assert [change["after"]["verdict"] for change in found["changes"]] == ["WA"], found
        assert finished(author, submission)["verdict"] == "AC", "nothing is written yet"
        applied = moderator.call("POST", f"/v1/rejudgings/{begun['id']}/apply", expect=200).json()
        assert applied["written"] == 1
        assert finished(author, submission)["verdict"] == "WA"
        moderator.call("POST", f"/v1/rejudgings/{begun['id']}/apply", expect=409)
    finally:
        server.close()
