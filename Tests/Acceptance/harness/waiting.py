"""Waiting on conditions with deadlines, and the scale of random work."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

SCALE = float(os.environ.get("CODUEL_TEST_SCALE", "1"))


def scaled(count: int, floor: int) -> int:
    """`count` times CODUEL_TEST_SCALE, and at least `floor`."""
    return max(floor, int(count * SCALE))


def until(what: str, check: Callable[[], Value], timeout: float = 10.0, every: float = 0.03) -> Value:
    """Returns the first truthy `check()`; after `timeout` seconds fails with what was expected and the last value seen."""
    deadline = time.monotonic() + timeout
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"expected within {timeout:g} s: {what}; last seen: {value!r}")
        time.sleep(every)


def hold(what: str, check: Callable[[], bool], seconds: float, every: float = 0.05) -> None:
    """Fails as soon as `check()` is false within the next `seconds`: for things that must not happen meanwhile."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not check():
            raise AssertionError(f"expected to hold for {seconds:g} s: {what}")
        time.sleep(every)
