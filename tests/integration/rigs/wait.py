"""Waiting for a condition with a deadline, for things that give no signal of their own."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(read: Callable[[], T], *, within: float = 10.0, every: float = 0.02, what: str = "") -> T:
    """Call ``read`` until it returns something true, and return that.

    Raises AssertionError with ``what`` and the last value read when ``within`` seconds have passed.
    """
    deadline = time.monotonic() + within
    while True:
        value = read()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {within:g} s: {what or read!r} (last read: {value!r})")
        time.sleep(every)
