"""Events for the worker from the other threads, and the one thing it sleeps on."""

import contextlib
import os
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """Any thread puts, one thread takes. ``fileno`` becomes readable when something was put."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        self._signalled = False

    def fileno(self) -> int:
        """For a selector."""
        return self._read

    def put(self, item: Item) -> None:
        """Adds an item and wakes the taker; one system call however many items are put before it wakes."""
        self._items.append(item)
        if not self._signalled:
            self._signalled = True
            os.write(self._write, b"x")

    def take(self) -> list[Item]:
        """Everything put so far, in order."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._read, 4096)
        # Lowered before the items are taken: a put in between signals again, and costs one idle wake-up.
        self._signalled = False
        items = []
        while self._items:
            items.append(self._items.popleft())
        return items

    def close(self) -> None:
        """Frees the descriptors; nothing may be put any more."""
        os.close(self._read)
        os.close(self._write)
