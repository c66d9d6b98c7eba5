"""Every route for every kind of caller, against the table in fixtures/authorization.txt."""

from __future__ import annotations

import re

import pytest

from harness import wire
from harness.api import PASSWORD, Account, Api, bundled_problems
from harness.server import ROOT, Server

CALLERS = "nobody guest user other participant spectator author moderator admin banned".split()
MANY = "logins registrations guests refreshes mails refusals submissions runs tickets uploads history writes reads"


class Row:
    def __init__(self, line: str, number: int):
        call, _, self.body = (part.strip() for part in line.partition("|"))
        words = re.match(r"(fresh )?([A-Z]+) (\S*(?:\{[^}]*\}\S*)*)\s+((?:\d{3}\s*)+)$", call)
        assert words, f"line {number} of the table cannot be read: {line}"
        self.is_fresh, self.method, self.path = bool(words[1]), words[2], words[3]
        self.expected = [int(status) for status in words[4].split()]
        assert len(self.expected) == len(CALLERS), f"line {number} has {len(self.expected)} statuses"
        self.name = f"{self.method} {self.path}"

    def is_about(self, method: str, pattern: str) -> bool:
        expression = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(pattern))
        return self.method == method and re.fullmatch(expression, self.path.split("?")[0]) is not None


def table() -> list[Row]:
    lines = (ROOT / "fixtures/authorization.txt").read_text().splitlines()
    return [Row(line, n) for n, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]


def routes() -> list[tuple[str, str]]:
    found, path = [], None
    for line in (ROOT / "protocol/openapi.yaml").read_text().split("\ncomponents:")[0].splitlines():
        if match := re.fullmatch(r"  (/\S*):", line):
            path = match[1]
        elif (match := re.fullmatch(r"    (get|put|post|patch|delete):", line)) and path:
            found.append((match[1].upper(), path))
    return found


def test_no_route_is_missing_from_the_table():
    rows = table()
    missing = [f"{method} {path}" for method, path in routes() if not any(row.is_about(method, path) for row in rows)]
    assert not missing, "fixtures/authorization.txt lacks:\n" + "\n".join(missing)
    odd = [row.name for row in rows if not any(row.is_about(method, path) for method, path in routes())]
    assert not odd, "fixtures/authorization.txt has what is no route:\n" + "\n".join(odd)


class World:
    """The callers, and what the table names in braces."""

    def __init__(self, server):
        self.api = api = Api(server)
        make = {role: lambda role=role: api.with_role(role) for role in ("author", "moderator", "admin")}
        self.make = make | {"guest": api.guest, "banned": self._banned}
        self.admin = api.with_role("admin")
        self.people = {name: self.new(name) for name in CALLERS if name != "nobody"}
        owner = self.people["user"]
        problem, self.draft = bundled_problems()[:2]
        self.private = owner.make_pair_room(visibility="private", problem_id=problem)["id"]
        self.public = owner.make_pair_room(visibility="public", problem_id=problem)["id"]
        for room in (self.private, self.public):
            owner.invite(room, self.people["participant"])
        self.socket = wire.room_socket(server, self.public, "main", self.people["spectator"].token)
        self.admin.post(f"/v1/problems/{self.draft}/retire", {"reason": "test"}, expect=200)
        submission = owner.post(f"/v1/problems/{problem}/submissions", {"language": "python", "source": "1"})
        run = owner.post("/v1/runs", {"language": "python", "source": "print(1)"}, expect=202)
        self.things = {
            "private": self.private, "public": self.public, "user": owner.id, "ghost": "00000000-none",
            "problem": problem, "draft": self.draft, "submission of user": submission.json()["id"],
            "run of user": run.json()["id"], "password": PASSWORD,
        }  # fmt: skip

    def new(self, name: str) -> Account:
        return self.make.get(name, self.api.register)()

    def _banned(self) -> Account:
        account = self.api.register()
        self.admin.post(f"/v1/admin/users/{account.id}/bans", {"reason": "test"}, expect=201)
        return account

    def renewed(self, text: str) -> str:
        """Fills in what stands in braces; what a call of its owner uses up is made anew for each."""
        owner = self.people["user"]
        things = dict(self.things)
        if "{session of user}" in text:
            other = self.api.log_in(owner.handle)
            items = owner.get("/v1/sessions").json()["items"]
            things["session of user"] = next(s["id"] for s in items if not s["current"])
            assert other.id == owner.id
        if "{token of user}" in text:
            made = owner.post("/v1/me/tokens", {"name": "t", "scopes": ["read"]}, expect=201).json()
            things["token of user"] = made["id"]
        if "{ticket of user}" in text:
            body = {"mode": "duel", "languages": ["python"], "topics": [], "rated": False}
            owner.call("DELETE", f"/v1/matchmaking/tickets/{self.things.get('ticket', 'none')}")
            answer = owner.post("/v1/matchmaking/tickets", body, expect=201).json()
            things["ticket of user"] = self.things["ticket"] = answer["id"]
        return re.sub(r"\{([a-z ]+)\}", lambda m: things.get(m[1], m[0]), text)

    def status(self, row: Row, caller: str) -> int:
        path, body = self.renewed(row.path), self.renewed(row.body).replace("{caller}", caller)
        if row.is_fresh and caller not in ("nobody", "banned"):
            token = self.new(caller).token
        else:
            token = self.people[caller].token if caller != "nobody" else None
        more = {"content": body, "headers": {"Content-Type": "application/json"}} if body else {}
        if path.endswith("/events"):
            # A stream that nobody ends: its head tells enough.
            return self.api.call("HEAD", path, token=token).status_code
        return self.api.call(row.method, path, token=token, **more).status_code


@pytest.fixture(scope="module")
def world():
    server = Server("--rate-limits", ",".join(f"{name}=1000000/60" for name in MANY.split())).start()
    made = World(server)
    yield made
    made.socket.__exit__()
    server.close()


@pytest.mark.parametrize("row", table(), ids=lambda row: row.name)
def test_each_caller_gets_what_the_table_says(world, row):
    found = [world.status(row, caller) for caller in CALLERS]
    wrong = [f"{c}: {got}, expected {wanted}" for c, got, wanted in zip(CALLERS, found, row.expected) if got != wanted]
    assert not wrong, f"{row.name}\n  " + "\n  ".join(wrong) + f"\n  found: {' '.join(map(str, found))}"
