#!/usr/bin/env python3
"""A small client of Coduel's HTTP interface, with nothing but Python's own library.

    coduel_client.py http://127.0.0.1:8080 HANDLE PASSWORD PROBLEM LANGUAGE FILE

logs in, submits FILE for practice, waits for the verdict and prints it. As a module:

    coduel = Coduel("http://127.0.0.1:8080")
    coduel.log_in("anna", "correct horse battery staple")
    for problem in coduel.problems(topic="graphs"):
        print(problem["id"], problem["title"])

What it shows besides calls: tokens are renewed before they expire, refused calls say why (RFC 9457), a call under a limit
waits for as long as the server asks, and what creates something may be repeated safely (Idempotency-Key).
"""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path


class Problem(Exception):
    """A refusal: `code` is stable and for programs, `detail` for people."""

    def __init__(self, status: int, body: dict):
        super().__init__(f"{status} {body.get('code')}: {body.get('detail')}")
        self.status, self.code, self.errors = status, body.get("code"), body.get("errors", [])


class Coduel:
    # A call that is refused because there were too many is tried again so often.
    ATTEMPTS = 4

    def __init__(self, base: str):
        self.base = base.rstrip("/")
        self.access_token: str | None = None
        self.refresh_token: str | None = None
        self.expires_at = 0.0

    # Sessions

    def register(self, handle: str, email: str, password: str) -> dict:
        return self.create("/users", {"handle": handle, "email": email, "password": password})

    def log_in(self, login: str, password: str) -> None:
        self._keep(self.call("POST", "/sessions", {"login": login, "password": password}, with_token=False))

    def log_out(self) -> None:
        self.call("DELETE", "/sessions/current")
        self.access_token = self.refresh_token = None

    def _keep(self, session: dict) -> None:
        self.access_token, self.refresh_token = session["access_token"], session["refresh_token"]
        # A little early: the clock of the other side, and the way there.
        self.expires_at = time.monotonic() + session["expires_in"] - 30

    def _token(self) -> str | None:
        if self.refresh_token and time.monotonic() > self.expires_at:
            # Each refresh token is good once: the new one replaces it.
            body = {"refresh_token": self.refresh_token}
            self._keep(self.call("POST", "/sessions/refresh", body, with_token=False))
        return self.access_token

    # Problems and submissions

    def problems(self, **filters) -> Iterator[dict]:
        """All problems that match, page by page."""
        return self.pages("/problems", **filters)

    def submit(self, problem: str, language: str, source: str) -> dict:
        return self.create(f"/problems/{urllib.parse.quote(problem)}/submissions", {"language": language, "source": source})

    def verdict(self, submission_id: str, timeout: float = 120) -> dict:
        """The submission once it is finished."""
        deadline, pause = time.monotonic() + timeout, 0.2
        while True:
            submission = self.call("GET", f"/submissions/{submission_id}")
            if submission["status"] == "finished":
                return submission
            if time.monotonic() > deadline:
                raise TimeoutError(f"no verdict within {timeout:g} s")
            time.sleep(pause)
            pause = min(pause * 1.5, 2)

    # Rooms

    def make_room(self, language: str = "python", **more) -> dict:
        return self.create("/rooms", {"kind": "pair", "visibility": "private", "language": language} | more)

    # The ways of the interface

    def pages(self, path: str, **parameters) -> Iterator[dict]:
        while True:
            page = self.call("GET", f"{path}?{urllib.parse.urlencode(parameters)}")
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            parameters["cursor"] = page["next_cursor"]

    def create(self, path: str, body: dict) -> dict:
        """A call that creates something. Repeated after a broken connection it creates it once."""
        return self.call("POST", path, body, headers={"Idempotency-Key": str(uuid.uuid4())})

    def call(self, method: str, path: str, body: dict | None = None, headers: dict | None = None, with_token: bool = True):
        headers = {"Accept": "application/json"} | (headers or {})
        token = self._token() if with_token else None
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        for attempt in range(self.ATTEMPTS):
            request = urllib.request.Request(self.base + "/api/v1" + path, data, headers, method=method)
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    text = answer.read()
                    return json.loads(text) if text else None
            except urllib.error.HTTPError as error:
                problem = self._problem(error)
                if error.code not in (429, 503) or attempt == self.ATTEMPTS - 1:
                    raise problem from None
                time.sleep(min(float(error.headers.get("Retry-After", 1)), 30))

    @staticmethod
    def _problem(error: urllib.error.HTTPError) -> Problem:
        try:
            return Problem(error.code, json.loads(error.read()))
        except ValueError:
            return Problem(error.code, {"detail": error.reason})


def main(arguments: list[str]) -> int:
    if len(arguments) != 6:
        print(__doc__, file=sys.stderr)
        return 2
    base, handle, password, problem, language, path = arguments
    coduel = Coduel(base)
    try:
        coduel.log_in(handle, password)
        submission = coduel.submit(problem, language, Path(path).read_text())
        finished = coduel.verdict(submission["id"])
        coduel.log_out()
    except Problem as refusal:
        print(f"coduel_client.py: {refusal}", file=sys.stderr)
        return 1
    print(finished["verdict"])
    for test in finished["tests"]:
        print(f"  {test['name']}: {test['verdict']}, {test['cpu_time_ms']} ms")
    return 0 if finished["verdict"] == "AC" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
