"""Mails of a server: those in its outbox, and a mail server that takes them."""

from __future__ import annotations

import email
import re
import socketserver
import threading
from email.message import Message
from pathlib import Path

from harness.waiting import until


def outbox(server) -> list[Message]:
    """All mails in the outbox of a server, the oldest first."""
    folder = Path(server.data) / "outbox"
    return [email.message_from_bytes(path.read_bytes()) for path in sorted(folder.glob("*.eml"))]


def text_of(message: Message) -> str:
    return message.get_payload(decode=True).decode()


def code_for(server, address: str, kind: str) -> str:
    """The code in the newest mail of that kind (`verify-email`, `reset-password`) to an address, once it is there."""

    def look():
        found = [text_of(m) for m in outbox(server) if m["To"] == f"<{address}>"]
        codes = [match.group(1) for text in found if (match := re.search(rf"/#/{kind}/(\S+)", text))]
        return codes[-1] if codes else None

    return until(f"a mail with {kind} to {address}", look)


class MailServer:
    """Speaks SMTP on a free port of loopback; `refusals` answers that many mails with 451 first."""

    def __init__(self, refusals: int = 0):
        self.messages: list[tuple[str, str, bytes]] = []
        self.commands: list[str] = []
        self.refusals = refusals
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, line: str) -> None:
                self.wfile.write(line.encode() + b"\r\n")

            def handle(self) -> None:
                self.say("220 test")
                sender = recipient = ""
                while line := self.rfile.readline().decode().rstrip("\r\n"):
                    outer.commands.append(line)
                    verb = line.split()[0].upper()
                    if verb == "EHLO":
                        self.wfile.write(b"250-test\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n")
                    elif verb == "MAIL":
                        sender = line
                        if outer.refusals > 0:
                            outer.refusals -= 1
                            self.say("451 try again")
                            return
                        self.say("250 ok")
                    elif verb == "RCPT":
                        recipient = line
                        self.say("250 ok")
                    elif verb == "DATA":
                        self.say("354 go on")
                        data = b""
                        while (part := self.rfile.readline()) != b".\r\n":
                            data += part
                        outer.messages.append((sender, recipient, data))
                        self.say("250 taken")
                    elif verb == "QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("500 what?")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
