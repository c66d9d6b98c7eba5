"""Tokens as an attacker, or somebody with the server's key, would make them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sqlite3
import subprocess
import tempfile
from pathlib import Path


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def parts(token: str) -> tuple[dict, dict]:
    """Header and claims."""
    head, body, _ = token.split(".")
    return json.loads(unb64(head)), json.loads(unb64(body))


def seed_of(server, kid: str) -> bytes:
    """The seed of a signing key, read from the server's own data."""
    with sqlite3.connect(f"file:{Path(server.data) / 'coduel.db'}?mode=ro", uri=True) as database:
        return database.execute("SELECT seed FROM signing_keys WHERE id = ?", (kid,)).fetchone()[0]


def ed25519(seed: bytes, message: bytes) -> bytes:
    """Signs by OpenSSL; the key is wrapped as PKCS #8 (RFC 8410)."""
    der = bytes.fromhex("302e020100300506032b657004220420") + seed
    with tempfile.TemporaryDirectory() as folder:
        key, text = Path(folder) / "key.der", Path(folder) / "text"
        key.write_bytes(der)
        text.write_bytes(message)
        done = subprocess.run(
            ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-keyform", "DER", "-in", text],
            capture_output=True,
            check=True,
        )
    return done.stdout


def signed(header: dict, claims: dict, seed: bytes) -> str:
    text = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
    return f"{text}.{b64(ed25519(seed, text.encode()))}"


def hmac_signed(header: dict, claims: dict, secret: bytes) -> str:
    text = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
    return f"{text}.{b64(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"
