"""A pair room: an old Yjs and a new yrs edit one file at once."""

from __future__ import annotations

import hashlib
import random

import pytest

from harness.api import Api, accepted_python, bundled_problems
from harness.peers import FILE
from harness.waiting import scaled, until


@pytest.mark.timeout(600)
def test_yjs_and_pycrdt_end_with_the_text_that_is_judged(server, yjs, pycrdt):
    api = Api(server)
    alice, bob = api.register(), api.register()
    problem = bundled_problems()[0]
    room = alice.make_pair_room(problem_id=problem)
    assert room["kind"] == "pair" and room["sync_path"] and room["sync_token"], room
    assert any(document["name"] == "main" and document["access"] == "write" for document in room["documents"]), room
    alice.invite(room["id"], bob)

    # One comes with the room's sync token, the other with a bare access token.
    one = yjs().open_room(server, room["id"], "main", room["sync_token"]).synced()
    other = pycrdt().open_room(server, room["id"], "main", bob.token).synced()
    assert one.text() == "" and other.wait_text("is the empty main.py", lambda text: text == "") == ""

    edits, seed = scaled(2000, floor=300), random.randrange(1 << 31)
    print(f"seed {seed}, {edits} edits each")
    running = [
        (document, document.begin("random_edits", target=FILE, count=edits, seed=seed + n))
        for n, document in enumerate((one, other))
    ]
    for document, answer in running:
        document.peer.finish(answer, 240)
    text = until("both editors have the same text", lambda: (t := one.text()) == other.text() and [t], 60)[0]
    assert "\ufffd" not in text, "a surrogate pair was cut"
    assert "\U0001f600" in text and len(text) > edits / 4, f"the edits made only {len(text)} characters"

    # The server's own copy, through the snapshot of a submission.
    taken = alice.submit(room["id"], document="main", state_vector=one.state()["vector"])
    assert taken["snapshot"]["document"] == "main", taken
    expected = hashlib.sha256(text.encode()).hexdigest()
    assert taken["snapshot"]["sha256"] == expected, f"the server's text differs from the editors' (seed {seed})"
    found = alice.verdict(taken["id"])
    assert found["verdict"] in ("WA", "RTE", "CE"), f"random text got {found['verdict']}"

    one.replace(accepted_python(problem))
    other.wait_text("shows the solution", lambda t: t == accepted_python(problem))

    def submit():
        # Submissions of one person are some seconds apart.
        answer = bob.post(
            f"/v1/rooms/{room['id']}/submissions",
            {"language": "python", "document": "main", "state_vector": one.state()["vector"]},
        )
        assert answer.status_code in (202, 409, 429), answer.text
        return answer.json() if answer.status_code == 202 else None

    right = until("a second submission is taken", submit, 30, every=0.5)
    assert right["snapshot"]["sequence"] > taken["snapshot"]["sequence"], (taken, right)
    found = bob.verdict(right["id"])
    assert found["verdict"] == "AC", f"the bundled solution of {problem} got {found}"


def test_snapshot_waits_for_the_state_vector_and_says_when_it_does_not_come(server, yjs):
    api = Api(server)
    alice = api.register()
    room = alice.make_pair_room(problem_id=bundled_problems()[0])
    code = yjs().open_room(server, room["id"], "main", room["sync_token"]).synced()
    code.call("disconnect")
    code.insert("print('offline')")
    behind = alice.post(
        f"/v1/rooms/{room['id']}/submissions",
        {"language": "python", "document": "main", "state_vector": code.state()["vector"]},
    )
    assert behind.status_code == 409 and "document_behind" in behind.text, (
        f"expected 409 document_behind: {behind.text}"
    )


def test_file_that_is_no_text_is_refused_at_submission(server, yjs):
    api = Api(server)
    alice = api.register()
    room = alice.make_pair_room(problem_id=bundled_problems()[0])
    code = yjs().open_room(server, room["id"], "main", room["sync_token"]).synced()
    code.call("set_value", root="files", key="main.py", value="just a string")
    refused = alice.post(
        f"/v1/rooms/{room['id']}/submissions",
        {"language": "python", "document": "main", "state_vector": code.state()["vector"]},
    )
    assert refused.status_code == 422, (
        f"expected 422 for a value that is no Y.Text: {refused.status_code} {refused.text}"
    )
