#!/usr/bin/env python3
"""Copies a data folder while the server runs, and puts a copy back.

    backup.py backup DATA_FOLDER NEW_FOLDER     a copy of both databases, checked
    backup.py restore COPY NEW_DATA_FOLDER      the other way, and a new epoch for every room

Exit code 1, and a line that says why, when something is missing or damaged; nothing half-made is left behind.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from pathlib import Path

# In this order: rooms that the copied log speaks of are then in the copied coduel.db, which is copied later.
DATABASES = ("log.db", "coduel.db")


class Failure(Exception):
    pass


def copy(source: Path, target: Path) -> None:
    """One database by SQLite's online backup, readable by its owner only."""
    if not source.is_file():
        raise Failure(f"{source} does not exist")
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    reader, writer = sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=30), sqlite3.connect(target)
    try:
        # All pages in one step: with a writer at work a copy in steps would begin again and again.
        reader.backup(writer)
        verdict = writer.execute("PRAGMA integrity_check").fetchone()[0]
        if verdict != "ok":
            raise Failure(f"the copy of {source} is damaged: {verdict}")
    finally:
        reader.close()
        writer.close()


def raise_epochs(database: Path) -> int:
    """Clients may know changes that the copy does not: every room's history is another one now."""
    connection = sqlite3.connect(database)
    try:
        changed = connection.execute(
            "UPDATE rooms SET specification = json_set(specification, '$.epoch', json_extract(specification, '$.epoch') + 1)"
        ).rowcount
        connection.commit()
        return changed
    finally:
        connection.close()


def sync(folder: Path) -> None:
    """Files and folder are on disk when this returns."""
    for path in [*folder.iterdir(), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def fill(source: Path, target: Path, is_restore: bool) -> None:
    if target.exists() and any(target.iterdir()):
        raise Failure(f"{target} is not empty")
    made = not target.exists()
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        for name in DATABASES:
            copy(source / name, target / name)
        if is_restore:
            print(f"{raise_epochs(target / 'coduel.db')} rooms begin a new epoch")
        sync(target)
    except BaseException:
        for name in DATABASES:
            for path in target.glob(f"{name}*"):
                path.unlink()
        if made:
            shutil.rmtree(target, ignore_errors=True)
        raise


def main(arguments: list[str]) -> int:
    if len(arguments) != 3 or arguments[0] not in ("backup", "restore"):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        fill(Path(arguments[1]), Path(arguments[2]), is_restore=arguments[0] == "restore")
    except (Failure, OSError, sqlite3.Error) as error:
        print(f"backup.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
