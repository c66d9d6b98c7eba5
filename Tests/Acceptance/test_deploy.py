"""deploy/: nginx in front of a running server, backup and restore, the unit and the container files."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
import pytest
import yaml
from websockets.sync.client import connect

from harness.api import Api
from harness.observability import free_port, run
from harness.server import BINARY, ROOT, Server
from harness.waiting import until
from harness.wire import RawSocket, room_socket, text_update, update

DEPLOY = ROOT / "deploy"
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
NAME = "code.example.org"
CLIENT = "127.78.0.9"


class Nginx:
    """The example configuration with its ports, certificate and upstream replaced; nothing else."""

    def __init__(self, server: Server):
        self.folder = Path(tempfile.mkdtemp(prefix="coduel-nginx-"))
        self.folder.chmod(0o755)
        self.port, plain = free_port(), free_port()
        run(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
            "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", self.folder / "key.pem",
            "-out", self.folder / "fullchain.pem",
        )
        text = (DEPLOY / "nginx/coduel.conf").read_text()
        for old, new in (
            ("server 127.0.0.1:8080;", f"server 127.0.0.1:{server.port};"),
            ("listen 443 ssl http2;", f"listen 127.0.0.1:{self.port} ssl http2;"),
            ("listen 80;", f"listen 127.0.0.1:{plain};"),
            ("/etc/ssl/coduel/", f"{self.folder}/"), ("/var/cache/nginx/coduel", f"{self.folder}/cache"),
            ("/var/log/nginx/coduel.log", f"{self.folder}/access.log"),
        ):
            assert old in text, f"{old} is not in the example"
            text = text.replace(old, new)
        text = re.sub(r"^\s*listen \[::\].*\n", "", text, flags=re.M)
        (self.folder / "nginx.conf").write_text(
            f"pid {self.folder}/pid;\nerror_log {self.folder}/error.log;\ndaemon off;\nworker_processes 1;\n"
            "events { worker_connections 256; }\n"
            "http {\n"
            + "".join(
                f"{kind}_temp_path {self.folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
            )
            + text + "}\n"
        )
        self.process = subprocess.Popen(
            [NGINX, "-c", self.folder / "nginx.conf", "-p", self.folder, "-e", self.folder / "error.log"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        until("nginx answers", self.answers, 15, every=0.1)

    def answers(self) -> bool:
        assert self.process.poll() is None, (self.folder / "error.log").read_text()
        try:
            return self.get("/healthz").status_code == 200
        except httpx.HTTPError:
            return False

    def get(self, path: str, **headers) -> httpx.Response:
        # From an address that is no proxy's.
        transport = httpx.HTTPTransport(verify=self.tls(), local_address=CLIENT)
        with httpx.Client(transport=transport, trust_env=False) as client:
            return client.get(
                f"https://127.0.0.1:{self.port}{path}", headers={"Host": NAME} | headers,
                extensions={"sni_hostname": NAME},
            )

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / "fullchain.pem"))

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def behind_nginx(request):
    server = Server("--behind-proxy", "127.0.0.1/32", "--allowed-hosts", NAME, "--log-format", "json").start()
    request.addfinalizer(server.close)
    nginx = Nginx(server)
    request.addfinalizer(nginx.close)
    return server, nginx


def test_nginx_serves_pages_api_and_refuses_metrics(behind_nginx):
    server, nginx = behind_nginx
    assert nginx.get("/api/v1/problems").json()["items"]
    assert "max-age" in nginx.get("/").headers["strict-transport-security"]
    assert nginx.get("/metrics").status_code == 404
    assert httpx.get(server.http + "/metrics", trust_env=False).status_code == 200


def test_an_address_that_a_client_claims_is_not_believed(behind_nginx):
    server, nginx = behind_nginx
    assert nginx.get("/api/v1/problems/nothing", **{"X-Forwarded-For": "203.0.113.9"}).status_code == 404
    line = until("the call is in the log", lambda: '"http.response.status_code":404' in server.log() and server.log())
    assert "203.0.113.9" not in line and f'"client.ip":"{CLIENT}"' in line


def test_a_socket_goes_through_nginx(behind_nginx):
    server, nginx = behind_nginx
    alice = Api(server).register()
    room = alice.make_pair_room()["id"]
    with connect(
        f"wss://{NAME}:{nginx.port}/sync/{room}/main?token={alice.token}", ssl=nginx.tls(), compression=None, proxy=None,
        sock=socket.create_connection(("127.0.0.1", nginx.port), timeout=5), server_hostname=NAME,
    ) as opened:
        assert opened.recv(5)[:2] == b"\x00\x00", "the server begins with its step 1"
    log = until("the socket is in nginx's log", lambda: "/sync/" in (text := (nginx.folder / "access.log").read_text()) and text)
    assert alice.token not in log


def backup(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, DEPLOY / "backup.py", *map(str, arguments)], capture_output=True, text=True, timeout=60
    )


def test_a_backup_of_a_running_server_is_a_server_again(serve, tmp_path):
    server = serve()
    alice = Api(server).register()
    room = alice.make_pair_room()
    token = alice.sync_token(room["id"])

    def write(client: int, text: str):
        with room_socket(server, room["id"], "main", alice.token) as socket:
            socket.wait_synced()
            socket.send(update(text_update(client, text)))
            socket.wait_for("the echo", lambda m: m[0] == 0 and text.encode() in m[1][1])

    write(9_001, "before the copy")
    copied = backup("backup", server.data, tmp_path / "copy")
    assert copied.returncode == 0, copied.stderr
    write(9_002, "after the copy")
    server.kill()
    shutil.move(server.data, tmp_path / "old")
    restored = backup("restore", tmp_path / "copy", server.data)
    assert restored.returncode == 0 and "1 rooms begin a new epoch" in restored.stdout, restored
    server.start()
    alice = Api(server).log_in(alice.handle)
    again = alice.get(f"/v1/rooms/{room['id']}").json()
    assert again["epoch"] == room["epoch"] + 1
    with room_socket(server, room["id"], "main", alice.token) as socket:
        state = socket.wait_synced()
        assert b"before the copy" in state and b"after the copy" not in state
    with RawSocket(server, f"/sync/{room['id']}/main", token) as socket:
        socket.wait_denied("reset:epoch")


def test_a_backup_leaves_nothing_half_made(tmp_path):
    (tmp_path / "empty").mkdir()
    missing = backup("backup", tmp_path / "empty", tmp_path / "copy")
    assert missing.returncode == 1 and "log.db does not exist" in missing.stderr
    assert not (tmp_path / "copy").exists()
    (tmp_path / "empty/log.db").write_bytes(b"this is no database" * 400)
    assert backup("backup", tmp_path / "empty", tmp_path / "copy").returncode == 1
    assert not (tmp_path / "copy").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").write_text("keep me")
    refused = backup("restore", tmp_path / "empty", tmp_path / "full")
    assert refused.returncode == 1 and "is not empty" in refused.stderr
    assert (tmp_path / "full/file").read_text() == "keep me"
    assert backup().returncode == 2


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_the_unit_is_one(tmp_path):
    unit = (DEPLOY / "systemd/coduel.service").read_text()
    executable = tmp_path / "coduel"
    executable.write_text("#!/bin/sh\n")
    executable.chmod(0o755)
    (tmp_path / "coduel.service").write_text(unit.replace("/usr/local/lib/coduel/coduel", str(executable)))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", tmp_path / "coduel.service"],
        capture_output=True, text=True, timeout=60,
    )
    assert checked.returncode == 0 and "coduel.service" not in checked.stderr, checked.stderr


def test_settings_in_the_examples_exist():
    """Flags that a person copies from there are ones that the server knows."""
    known = set(re.findall(r"--([a-z0-9-]+)", run(BINARY, "serve", "--help").stdout))
    examples = [path for path in DEPLOY.rglob("*") if path.suffix in (".service", ".conf", ".yaml", ".md")]
    seen: set[str] = set()
    for path in [*examples, DEPLOY / "caddy/Caddyfile", DEPLOY / "container/Dockerfile"]:
        for line in path.read_text().splitlines():
            if "coduel serve" in line or '"serve"' in line or line.strip().startswith(("CMD [", "command: [")):
                flags = set(re.findall(r"--([a-z0-9-]+)", line))
                assert flags <= known, f"{path.name}: {sorted(flags - known)}"
                seen |= flags
    assert {"listen", "data", "user", "behind-proxy", "allowed-hosts", "config"} <= seen


def test_compose_mounts_what_is_there():
    compose = yaml.safe_load((DEPLOY / "container/compose.yaml").read_text())
    folder = DEPLOY / "container"
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (folder / source).exists(), source
            else:
                assert source in compose["volumes"], source
    for source in re.findall(r"^COPY --from=build /src/([a-z/]+)", (folder / "Dockerfile").read_text(), re.M):
        assert (ROOT / source).exists() or source.startswith((".build", "web/dist")), source
