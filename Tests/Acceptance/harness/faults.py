"""A server on a disk that forgets what was not synced, fills up, or fails to sync."""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness.server import Server

SOURCE = Path(__file__).resolve().parents[1] / "faults/storage_faults.c"
ENTRY = struct.Struct("=QQQQ")


class FaultyDisk:
    """Builds the library that stands between a server and its disk; `env` puts it there."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="coduel-faults-"))
        # The server gives up root.
        self.folder.chmod(0o777)
        if shutil.which("cc") is None:
            pytest.skip("there is no C compiler")
        self.library = self.folder / "faults.so"
        command = ["cc", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", self.library, SOURCE]
        subprocess.run([*command, "-ldl", "-pthread"], check=True)
        self.clock = self.folder / "clock"
        self.set_clock(0)
        self.env = {"LD_PRELOAD": str(self.library), "FAULTS_DIR": str(self.folder)}

    def begin(self, fault: str) -> None:
        """`fail-sync`, `slow-sync` or `full`, until `end`."""
        (self.folder / fault).touch()

    def end(self, fault: str) -> None:
        (self.folder / fault).unlink(missing_ok=True)

    def set_clock(self, offset_seconds: float) -> None:
        """How far the server's clock is off from now on."""
        with self.clock.open("r+b" if self.clock.exists() else "wb") as file:
            file.write(struct.pack("=q", int(offset_seconds * 1000)))

    def cut_power(self, data: Path, random: random.Random, everything: bool = False) -> int:
        """After a kill: takes back what was never synced, all of it or parts; returns how many writes."""
        taken = 0
        for journal in sorted(self.folder.glob("*.journal")):
            entries = self._entries(journal.read_bytes())
            # What a disk keeps of its cache is in no order; half the time it keeps nothing.
            share = random.choice([1.0, random.random()])
            share = 1.0 if everything else share
            with (data / journal.name.removesuffix(".journal")).open("r+b") as file:
                for offset, length, size, before in reversed(entries):
                    if random.random() > share:
                        continue
                    taken += 1
                    file.seek(offset)
                    file.write(before)
                    if share == 1.0:
                        file.truncate(size)
                    elif len(before) < length:
                        # The file had grown; the disk knows its length, and has no such bytes.
                        file.write(bytes(length - len(before)))
            journal.write_bytes(b"")
        # The index of the write-ahead log is memory.
        for index in data.glob("*.db-shm"):
            index.unlink()
        return taken

    @staticmethod
    def _entries(journal: bytes) -> list[tuple[int, int, int, bytes]]:
        entries, at = [], 0
        while at + ENTRY.size <= len(journal):
            offset, length, size, before = ENTRY.unpack_from(journal, at)
            at += ENTRY.size
            entries.append((offset, length, size, journal[at : at + before]))
            at += before
        return entries

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class SmallDisk:
    """A server whose data folder is a file system of its own, of a few MiB."""

    def __init__(self, *flags: str, mebibytes: int = 24):
        self.server = Server(*flags)
        command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=755", "tmpfs", str(self.server.data)]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
            self.server.close()
            pytest.skip("a small file system cannot be mounted here")
        self.ballast = self.server.data / "ballast"

    def fill(self) -> None:
        with self.ballast.open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue

    def make_space(self) -> None:
        self.ballast.unlink(missing_ok=True)

    def close(self) -> None:
        folder = self.server.data
        if self.server.process is not None and self.server.process.poll() is None:
            self.server.process.kill()
            self.server.process.wait(10)
        subprocess.run(["umount", "-l", str(folder)], check=False)
        self.server.close()
