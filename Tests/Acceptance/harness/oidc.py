"""A provider of OpenID Connect on loopback that enforces PKCE, and lies when told to."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from harness.forge import b64


class Key:
    """A key pair made by OpenSSL, for one algorithm."""

    def __init__(self, algorithm: str):
        self.algorithm, self.kid = algorithm, secrets.token_hex(4)
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "key.pem"
        kinds = {
            "RS256": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            "ES256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            "EdDSA": ["ED25519"],
        }
        self._openssl("genpkey", "-algorithm", *kinds[algorithm], "-out", self.path)

    @staticmethod
    def _openssl(*arguments) -> bytes:
        return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=True).stdout

    @property
    def jwk(self) -> dict:
        common = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        der = self._openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")
        if self.algorithm == "RS256":
            text = self._openssl("rsa", "-in", self.path, "-noout", "-modulus").decode()
            return common | {"kty": "RSA", "n": b64(bytes.fromhex(text.strip().split("=")[1])), "e": "AQAB"}
        if self.algorithm == "ES256":
            return common | {"kty": "EC", "crv": "P-256", "x": b64(der[-64:-32]), "y": b64(der[-32:])}
        return common | {"kty": "OKP", "crv": "Ed25519", "x": b64(der[-32:])}

    def sign(self, message: bytes) -> bytes:
        text = Path(self.folder.name) / "text"
        text.write_bytes(message)
        if self.algorithm == "EdDSA":
            return self._openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.path, "-in", text)
        signature = self._openssl("dgst", "-sha256", "-sign", self.path, text)
        return self._raw(signature) if self.algorithm == "ES256" else signature

    @staticmethod
    def _raw(der: bytes) -> bytes:
        """The two numbers of an ECDSA signature, 32 bytes each."""
        at, out = 2, b""
        for _ in range(2):
            length = der[at + 1]
            out += int.from_bytes(der[at + 2 : at + 2 + length], "big").to_bytes(32, "big")
            at += 2 + length
        return out


class Provider:
    """`change(header, claims)` may change the next ID tokens; `down` answers 503 to everything.

    A real browser that comes is logged in as `visitor` and sent back at once."""

    client_id, client_secret = "coduel-test", "s3cret & more"

    def __init__(self, algorithm: str = "RS256"):
        self.key = Key(algorithm)
        self.change = lambda header, claims: None
        self.down = False
        self.issuer_told: str | None = None
        self.email_verified = True
        self.visitor = "visitor"
        self.requests: list[str] = []
        self.codes: dict[str, dict] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status: int, body: dict | None = None, location: str | None = None) -> None:
                data = json.dumps(body).encode() if body is not None else b""
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self) -> None:
                outer.requests.append(self.path)
                parts = urlsplit(self.path)
                if outer.down:
                    return self.answer(503, {})
                if parts.path == "/.well-known/openid-configuration":
                    return self.answer(200, outer.description())
                if parts.path == "/authorize":
                    back = outer.log_in(outer.issuer + self.path, outer.visitor, name=outer.visitor)
                    query = urlencode({"code": back["code"], "state": back["state"]})
                    return self.answer(302, location=f"{back['redirect_uri']}?{query}")
                if parts.path == "/keys":
                    return self.answer(200, {"keys": [{"kty": "odd"}, outer.key.jwk]})
                return self.answer(404, {})

            def do_POST(self) -> None:
                outer.requests.append(self.path)
                form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
                if outer.down:
                    return self.answer(503, {})
                if self.path != "/token":
                    return self.answer(404, {})
                status, body = outer.exchange({k: v[0] for k, v in form.items()}, self.headers)
                self.answer(status, body)

            def log_message(self, *_) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def flags(self) -> tuple[str, ...]:
        return ("--oidc", f"corp={self.issuer} {self.client_id}", "--oidc-allow-private")

    @property
    def environment(self) -> dict[str, str]:
        return {"CODUEL_OIDC_CORP_SECRET": self.client_secret}

    def description(self) -> dict:
        return {
            "issuer": self.issuer_told or self.issuer,
            "authorization_endpoint": self.issuer + "/authorize?tenant=1",
            "token_endpoint": self.issuer + "/token",
            "jwks_uri": self.issuer + "/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }

    def log_in(self, authorization_url: str, subject: str, **person) -> dict[str, str]:
        """What the browser comes back with after `subject` logged in at the address it was sent to."""
        assert authorization_url.startswith(self.issuer + "/authorize?tenant=1&"), authorization_url
        asked = {k: v[0] for k, v in parse_qs(urlsplit(authorization_url).query).items()}
        assert asked["response_type"] == "code" and asked["client_id"] == self.client_id
        assert asked["code_challenge_method"] == "S256" and len(asked["code_challenge"]) == 43
        assert "openid" in asked["scope"].split() and asked["nonce"] and asked["state"]
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked | {"sub": subject, "person": person}
        return {"code": code, "state": asked["state"], "redirect_uri": asked["redirect_uri"]}

    def exchange(self, form: dict, headers) -> tuple[int, dict]:
        basic = base64.b64decode(headers.get("Authorization", "Basic ").split()[-1]).decode()
        if basic != f"{self.client_id}:{urlencode({'': self.client_secret})[1:].replace('+', '%20')}":
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if asked is None or b64(digest) != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        header = {"alg": self.key.algorithm, "kid": self.key.kid, "typ": "JWT"}
        claims = {
            "iss": self.issuer, "sub": asked["sub"], "aud": self.client_id, "exp": now + 300, "iat": now,
            "nonce": asked["nonce"], "email_verified": self.email_verified,
        } | asked["person"]  # fmt: skip
        self.change(header, claims)
        text = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
        token = f"{text}.{b64(self.key.sign(text.encode()))}"
        return 200, {"id_token": token, "access_token": "x", "token_type": "Bearer"}

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
