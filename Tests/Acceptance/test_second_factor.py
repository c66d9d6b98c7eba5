"""Time codes as an authenticator app makes them, recovery codes, and secrets that are sealed on disk."""

from __future__ import annotations

import base64
import hashlib
import hmac
import sqlite3
import struct
import time
from pathlib import Path

import httpx

from harness.api import PASSWORD, Account, Api, assert_problem
from harness.server import coduel


def time_code(secret: str, drift: int = 0) -> str:
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">q", int(time.time()) // 30 + drift), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def with_factor(api: Api) -> tuple[Account, str, list[str]]:
    ann = api.register()
    assert_problem(ann.post("/v1/me/second-factor", {"password": "not this one"}), 401)
    made = ann.post("/v1/me/second-factor", {"password": PASSWORD}, expect=201).json()
    assert made["url"].startswith("otpauth://totp/Coduel:") and made["secret"] in made["url"]
    code = time_code(made["secret"], -1)
    codes = ann.post("/v1/me/second-factor/confirm", {"code": code}, expect=200).json()["recovery_codes"]
    return ann, made["secret"], codes


def log_in(api: Api, ann: Account, code: str | None = None) -> httpx.Response:
    body = {"login": ann.handle, "password": PASSWORD} | ({"code": code} if code else {})
    return api.call("POST", "/v1/sessions", json=body)


def test_a_log_in_with_a_code(server):
    api = Api(server)
    ann, secret, codes = with_factor(api)
    assert assert_problem(log_in(api, ann), 401)["code"] == "second_factor_required"
    assert assert_problem(log_in(api, ann, "000000"), 401)["code"] == "bad_credentials"
    code = time_code(secret)
    assert log_in(api, ann, code).status_code == 201
    assert_problem(log_in(api, ann, code), 401)
    assert log_in(api, ann, codes[0]).status_code == 201
    assert_problem(log_in(api, ann, codes[0]), 401)
    state = ann.get("/v1/me/second-factor").json()
    assert state == {"enabled": True, "recovery_codes_left": len(codes) - 1}
    body = {"password": PASSWORD, "code": codes[1]}
    ann.call("DELETE", "/v1/me/second-factor", json=body, expect=204)
    assert log_in(api, ann).status_code == 201


def test_secrets_are_sealed_and_brought_under_a_new_key(serve):
    server = serve()
    api = Api(server)
    ann, secret, codes = with_factor(api)
    admin = api.with_role("admin")
    hook = admin.post("/v1/webhooks", {"url": "https://hooks.example/x", "events": ["room.opened"]}, expect=201).json()
    database, key = Path(server.data) / "coduel.db", Path(server.data) / "encryption.key"

    def stored() -> list[str]:
        with sqlite3.connect(database) as connection:
            return [
                connection.execute("SELECT sealed_secret FROM second_factors").fetchone()[0],
                connection.execute("SELECT secret FROM webhooks").fetchone()[0],
            ]

    before, first = stored(), key.read_text()
    assert all(text.startswith("enc1:") for text in before), before
    raw = base64.b32decode(secret + "=" * (-len(secret) % 8))
    on_disk = b"".join(path.read_bytes() for path in Path(server.data).glob("coduel.db*"))
    assert raw not in on_disk and secret.encode() not in on_disk
    assert hook["secret"].encode() not in on_disk and not [c for c in codes if c.encode() in on_disk]
    assert key.stat().st_mode & 0o777 == 0o600

    running = coduel("secrets", "rotate", "--data", server.data)
    assert running.returncode != 0 and "another coduel" in running.stderr
    assert server.stop() == 0
    done = coduel("secrets", "rotate", "--data", server.data)
    assert done.returncode == 0 and done.stdout.strip() == '{"changed":2}', done.stdout + done.stderr
    after, second = stored(), key.read_text()
    assert second != first and len(second.split()) == 1 and all(a != b for a, b in zip(after, before))
    server.start()
    assert log_in(api, ann, time_code(secret, 1)).status_code == 201
    # Under a key that is not there nothing opens, and nobody gets in without the code.
    assert server.stop() == 0
    key.write_text(first)
    server.start()
    assert_problem(log_in(api, ann, time_code(secret, 0)), 503)
    assert_problem(log_in(api, ann), 401)
