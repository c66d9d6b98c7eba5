"""What breaks on our side costs nobody a verdict: a dead sandbox helper, and the start after it."""

from __future__ import annotations

import os
import signal

import httpx
import pytest

from harness import processes
from harness.api import Api
from harness.waiting import until

SOURCE = "print('no answer')\n"


def helper_of(server) -> int:
    for pid in processes.descendants(server.pid):
        try:
            name = open(f"/proc/{pid}/comm").read().strip()
        except OSError:
            continue
        if name.startswith("sandbox-helper"):
            return pid
    raise AssertionError("the server has no sandbox helper")


@pytest.mark.timeout(120)
def test_a_dead_helper_is_nobodys_verdict(serve):
    server = serve()
    alice = Api(server).register()
    problem = alice.call("GET", "/v1/problems?limit=1", expect=200).json()["items"][0]["id"]
    room = alice.make_pair_room(problem_id=problem)["id"]
    os.kill(helper_of(server), signal.SIGKILL)
    until("the server says that it does not judge", lambda: httpx.get(server.http + "/readyz").status_code == 503, 10)

    # Practice is refused; what a room's log has taken keeps its place.
    refused = alice.post(f"/v1/problems/{problem}/submissions", {"language": "python", "source": SOURCE})
    assert refused.status_code == 503, f"answered {refused.status_code}: {refused.text}"
    taken = alice.submit(room)
    state = alice.call("GET", f"/v1/submissions/{taken['id']}", expect=200).json()
    assert (state["status"], state["verdict"]) == ("queued", None), state

    assert server.stop(timeout=12) == 0
    server.start()
    finished = until(
        "the submission is judged by the next start",
        lambda: (s := alice.call("GET", f"/v1/submissions/{taken['id']}", expect=200).json())["status"] == "finished"
        and s,
        60,
    )
    assert finished["verdict"] not in (None, "JE"), f"verdict {finished['verdict']}: our fault is nobody's verdict"
