"""A WebSocket by hand: any bytes out, frames in with their reserved bits, whatever was agreed."""

from __future__ import annotations

import base64
import os
import socket
import struct
import zlib
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE = 0, 1, 2, 8
FIN, COMPRESSED = 0x80, 0x40


@dataclass
class Frame:
    first: int
    payload: bytes

    @property
    def opcode(self) -> int:
        return self.first & 15

    @property
    def is_compressed(self) -> bool:
        return bool(self.first & COMPRESSED)

    def message(self) -> bytes:
        return inflate(self.payload) if self.is_compressed else self.payload


def deflate(data: bytes) -> bytes:
    codec = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (codec.compress(data) + codec.flush(zlib.Z_SYNC_FLUSH))[:-4]


def inflate(data: bytes) -> bytes:
    return zlib.decompressobj(-15).decompress(data + b"\0\0\xff\xff")


class HandMade:
    """Opens `path`; `offer` is the value of Sec-WebSocket-Extensions."""

    def __init__(self, server, path: str, offer: str | None = "permessage-deflate", origin: str | None = None):
        host, port = server.http.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {host}:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            "Sec-WebSocket-Version: 13",
        ]
        if offer is not None:
            lines.append(f"Sec-WebSocket-Extensions: {offer}")
        if origin is not None:
            lines.append(f"Origin: {origin}")
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.buffer = b""
        head = self._until(b"\r\n\r\n").decode()
        self.status = int(head.split(" ", 2)[1])
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        self.extensions = {name.lower(): value for name, value in fields.items()}.get("sec-websocket-extensions")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.buffer += data

    def _until(self, end: bytes) -> bytes:
        while end not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(end, 1)
        return head

    def _take(self, count: int) -> bytes:
        while len(self.buffer) < count:
            self._more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def send(self, payload: bytes, opcode: int = BINARY, bits: int = FIN) -> None:
        count = len(payload)
        if count < 126:
            head = bytes([bits | opcode, 0x80 | count])
        elif count < 65536:
            head = bytes([bits | opcode, 0x80 | 126]) + struct.pack(">H", count)
        else:
            head = bytes([bits | opcode, 0x80 | 127]) + struct.pack(">Q", count)
        # A mask of zeros leaves the bytes as they are.
        self.socket.sendall(head + b"\0\0\0\0" + payload)

    def frame(self) -> Frame:
        first, second = self._take(2)
        count = second & 127
        if count == 126:
            count = struct.unpack(">H", self._take(2))[0]
        elif count == 127:
            count = struct.unpack(">Q", self._take(8))[0]
        return Frame(first, self._take(count))

    def close_code(self) -> int:
        """Reads up to the server's close frame."""
        while True:
            frame = self.frame()
            if frame.opcode == CLOSE:
                return struct.unpack(">H", frame.payload[:2])[0]
