"""Names with several addresses, and addresses that do not answer."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

Place = tuple[str, int]


@contextmanager
def silent_place() -> Iterator[Place]:
    """An address and port that takes no connection and refuses none: its queue is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.2", 0), backlog=0))
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()


def name_for(monkeypatch: pytest.MonkeyPatch, name: str, *places: Place) -> None:
    """From now on ``name`` has these addresses, in this order, whatever port is asked for."""
    asked = socket.getaddrinfo

    def found(host: Any, *args: Any, **more: Any) -> Any:
        if host != name:
            return asked(host, *args, **more)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]

    monkeypatch.setattr(socket, "getaddrinfo", found)
