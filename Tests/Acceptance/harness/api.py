"""The HTTP interface as a person uses it: accounts, rooms, tickets, submissions."""

from __future__ import annotations

import base64
import io
import itertools
import json
import os
import re
import secrets
import threading
import time
import zipfile
from pathlib import Path

import httpx

from harness.server import ROOT, Server, coduel
from harness.waiting import until

PASSWORD = "correct horse battery staple"
_numbers = itertools.count(1)


def unique(prefix: str = "p") -> str:
    """A handle nobody has: short, lower case, letters and digits."""
    return f"{prefix}{secrets.token_hex(3)}{next(_numbers)}"


class Api:
    """One server's HTTP interface. `call` returns the response and checks its status when told to.

    Each has a loopback address of its own, as people come from addresses of their own: limits are counted by address.
    """

    _addresses = itertools.count(1)

    def __init__(self, server: Server):
        self.server = server
        number = next(Api._addresses)
        self.address = f"127.77.{number // 250}.{number % 250 + 1}"
        self.client = httpx.Client(
            trust_env=False, timeout=30, transport=httpx.HTTPTransport(local_address=self.address)
        )

    def call(
        self, method: str, path: str, token: str | None = None, expect: int | tuple[int, ...] | None = None, **more
    ):
        headers = dict(more.pop("headers", None) or {})
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        url = self.server.http + ("/api" + path if path.startswith("/v1/") else path)
        answer = self.client.request(method, url, headers=headers, **more)
        if expect is not None:
            allowed = (expect,) if isinstance(expect, int) else expect
            assert answer.status_code in allowed, (
                f"{method} {path} answered {answer.status_code}, expected {' or '.join(map(str, allowed))}: {answer.text[:500]}"
            )
        return answer

    def register(self, handle: str | None = None) -> "Account":
        """A new account, logged in."""
        handle = handle or unique()
        made = self.call(
            "POST",
            "/v1/users",
            json={"handle": handle, "email": f"{handle}@example.org", "password": PASSWORD},
            expect=201,
        ).json()
        assert made["handle"] == handle, f"POST /users answered handle {made['handle']!r}, expected {handle!r}"
        return self.log_in(handle, user_id=made["id"])

    def log_in(self, login: str, password: str = PASSWORD, user_id: str | None = None) -> "Account":
        pair = self.call("POST", "/v1/sessions", json={"login": login, "password": password}, expect=201).json()
        return Account(self, login, user_id, pair)

    def guest(self, handle: str | None = None) -> "Account":
        body = {"handle": handle} if handle else {}
        pair = self.call("POST", "/v1/sessions/guest", json=body, expect=201).json()
        return Account(self, handle or "", None, pair)

    def with_role(self, role: str) -> "Account":
        """An account made on the command line, as an operator makes the first administrator."""
        handle = unique(role[:3])
        done = coduel(
            "users",
            "create",
            "--handle",
            handle,
            "--role",
            role,
            "--password-stdin",
            "--data",
            self.server.data,
            stdin=PASSWORD + "\n",
        )
        assert done.returncode == 0, f"coduel users create ended with {done.returncode}: {done.stderr}"
        return self.log_in(handle)


class Account:
    """A person with a session."""

    def __init__(self, api: Api, handle: str, user_id: str | None, pair: dict):
        assert pair["token_type"] == "Bearer" and pair["access_token"] and pair["refresh_token"], pair
        self.api, self.handle = api, handle
        self.token, self.refresh_token = pair["access_token"], pair["refresh_token"]
        me = self.get("/v1/me").json()
        assert user_id is None or me["id"] == user_id, f"GET /me answered id {me['id']}, expected {user_id}"
        self.id, self.handle = me["id"], me["handle"]

    def call(self, method: str, path: str, expect=None, **more):
        return self.api.call(method, path, token=self.token, expect=expect, **more)

    def get(self, path: str, expect=200, **more):
        return self.call("GET", path, expect=expect, **more)

    def post(self, path: str, body=None, expect=None, **more):
        return self.call("POST", path, expect=expect, json={} if body is None else body, **more)

    def make_pair_room(self, visibility="private", language="python", problem_id=None, **more) -> dict:
        body = {"kind": "pair", "visibility": visibility, "language": language} | more
        if problem_id:
            body["problem_id"] = problem_id
        return self.post("/v1/rooms", body, expect=201).json()

    def invite(self, room_id: str, guest: "Account") -> None:
        """Makes `guest` a participant through an invite code."""
        code = self.post(f"/v1/rooms/{room_id}/invites", expect=(200, 201)).json()["code"]
        guest.post(f"/v1/invites/{code}/accept", expect=(200, 201, 204))

    def sync_token(self, room_id: str) -> str:
        answer = self.post(f"/v1/rooms/{room_id}/sync-tokens", expect=201).json()
        assert 0 < answer["expires_in"] <= 12 * 3600, f"expires_in {answer['expires_in']}, expected at most 12 h"
        return answer["sync_token"]

    def enter_queue(self, **more) -> str:
        body = {"mode": "duel", "languages": ["python"], "topics": [], "rated": True} | more
        ticket = self.post("/v1/matchmaking/tickets", body, expect=201).json()
        assert ticket["status"] in ("waiting", "matched"), ticket
        return ticket["id"]

    def matched_room(self, ticket_id: str, timeout: float = 10) -> str:
        def look():
            ticket = self.get(f"/v1/matchmaking/tickets/{ticket_id}").json()
            assert ticket["status"] in ("waiting", "matched"), f"ticket ended as {ticket['status']}"
            return ticket["room_id"] if ticket["status"] == "matched" else None

        return until(f"ticket of {self.handle} is matched", look, timeout)

    def submit(self, room_id: str, language="python", expect=202, **more) -> dict:
        return self.post(f"/v1/rooms/{room_id}/submissions", {"language": language} | more, expect=expect).json()

    def submission(self, submission_id: str) -> dict:
        return self.get(f"/v1/submissions/{submission_id}").json()

    def verdict(self, submission_id: str, timeout: float = 60) -> dict:
        """The submission once it is finished."""

        def look():
            found = self.submission(submission_id)
            assert found["status"] in ("queued", "compiling", "running", "finished"), found
            assert (found["verdict"] is not None) == (found["status"] == "finished"), (
                f"status and verdict disagree: {found}"
            )
            return found if found["status"] == "finished" else None

        return until(f"submission {submission_id} of {self.handle} is finished", look, timeout, every=0.1)

    def rating(self) -> float:
        """Duel rating now; 1500 before the first rated battle."""
        return self.get("/v1/me").json()["ratings"].get("duel", {}).get("rating", 1500.0)


class EventStream(threading.Thread):
    """`GET /me/events`, read in the background; `seen` holds (id, type, data)."""

    def __init__(self, account: Account, last_event_id: str | None = None):
        super().__init__(daemon=True)
        self.account, self.last_event_id = account, last_event_id
        self.seen: list[tuple[str | None, str, dict]] = []
        self.status: int | None = None
        self.stopped = threading.Event()
        self.start()
        until("GET /me/events answers", lambda: self.status)
        assert self.status == 200, f"GET /me/events answered {self.status}, expected 200"

    def run(self):
        headers = {"Authorization": f"Bearer {self.account.token}", "Accept": "text/event-stream"}
        if self.last_event_id:
            headers["Last-Event-ID"] = self.last_event_id
        url = self.account.api.server.http + "/api/v1/me/events"
        try:
            with httpx.stream(
                "GET", url, headers=headers, timeout=httpx.Timeout(10, read=120), trust_env=False
            ) as answer:
                self.status = answer.status_code
                event_id, kind, data = None, "message", []
                for line in answer.iter_lines():
                    if self.stopped.is_set():
                        return
                    if line.startswith("id:"):
                        event_id = line[3:].strip()
                    elif line.startswith("event:"):
                        kind = line[6:].strip()
                    elif line.startswith("data:"):
                        data.append(line[5:].strip())
                    elif not line and data:
                        self.seen.append((event_id, kind, json.loads("\n".join(data))))
                        kind, data = "message", []
        except httpx.HTTPError:
            return

    def of_type(self, kind: str) -> list[dict]:
        return [data for _, seen, data in self.seen if seen == kind]


def assert_problem(answer: httpx.Response, *statuses: int) -> dict:
    """An error answer has one of the statuses and the body of RFC 9457."""
    assert answer.status_code in statuses, (
        f"{answer.request.method} {answer.request.url} answered {answer.status_code}, "
        f"expected {' or '.join(map(str, statuses))}: {answer.text[:300]}"
    )
    kind = answer.headers.get("content-type", "")
    assert kind.startswith("application/problem+json"), f"content type {kind!r}, expected application/problem+json"
    body = answer.json()
    for key in ("type", "title", "status"):
        assert key in body, f"problem body lacks {key!r}: {body}"
    assert body["status"] == answer.status_code, f"status {body['status']} in the body of a {answer.status_code}"
    return body


def carries(answer: httpx.Response, marker: str) -> bool:
    """True when the answer holds the marker: in its bytes, or in what one of its strings is the base64 of."""
    if marker.encode() in answer.content:
        return True
    for text in re.findall(r'"([A-Za-z0-9+/_=-]{8,})"', answer.text):
        padded = text.replace("-", "+").replace("_", "/").rstrip("=")
        try:
            if marker.encode() in base64.b64decode(padded + "=" * (-len(padded) % 4)):
                return True
        except ValueError:
            continue
    return False


def accepted_python(problem_id: str) -> str:
    """The one-file Python solution that every bundled problem carries."""
    folder = ROOT / "fixtures/problems" / problem_id / "submissions/accepted"
    found = sorted(folder.glob("*.py"))
    assert found, f"no Python solution in {folder}"
    return found[0].read_text()


def slow_python(problem_id: str, seconds_per_test: float) -> str:
    """The same solution, waiting before each test: slow on the wall clock, cheap in CPU."""
    source = accepted_python(problem_id)
    # A `from __future__` line has to stay first, so the wait goes behind it.
    head, body = [], source.splitlines(keepends=True)
    while body and (body[0].startswith(("#", "from __future__")) or not body[0].strip()):
        head.append(body.pop(0))
    return "".join(head) + f"import time as _time\n_time.sleep({seconds_per_test})\n" + "".join(body)


WRONG_PYTHON = "import sys\nsys.stdin.read()\nprint('no-such-answer')\n"


def bundled_problems() -> list[str]:
    return sorted(path.parent.name for path in (ROOT / "fixtures/problems").glob("*/problem.yaml"))


def zip_of(entries: list[tuple[str | zipfile.ZipInfo, bytes]], compression=zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file with exactly these entries, odd names, duplicates and modes included."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return out.getvalue()


def package_entries(short_name: str, title: str = "Sum of two") -> list[tuple[str, bytes]]:
    """A small legacy Kattis package that is valid."""
    files = {
        "problem.yaml": f"name: {title}\nlicense: public domain\n",
        "problem_statement/problem.en.md": f"# {title}\n\nPrint the sum of the two numbers.\n",
        "data/sample/1.in": "1 2\n",
        "data/sample/1.ans": "3\n",
        "data/secret/01.in": "20 22\n",
        "data/secret/01.ans": "42\n",
        "submissions/accepted/solution.py": "print(sum(map(int, input().split())))\n",
        "submissions/wrong_answer/zero.py": "input()\nprint(0)\n",
    }
    return [(f"{short_name}/{path}", text.encode()) for path, text in files.items()]


def write_package(folder: Path, short_name: str, change: dict[str, bytes | None] | None = None) -> Path:
    """Writes the package as a folder; `change` replaces files, or removes them by None."""
    files = dict(package_entries(short_name))
    for path, data in (change or {}).items():
        if data is None:
            files.pop(f"{short_name}/{path}")
        else:
            files[f"{short_name}/{path}"] = data
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return folder / short_name


def now_ms() -> float:
    return time.time() * 1000


def files_below(folder: Path) -> set[str]:
    return {os.path.join(root, name) for root, _, names in os.walk(folder) for name in names}
