"""One response of the HTTP endpoint, independent of sockets."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

JSON: Final = "application/json; charset=utf-8"
TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """``type`` is the content type; ``compressed``: the body is gzip, for a client that takes it so."""

    status: HTTPStatus
    type: str
    body: bytes
    compressed: bool = False


def plain(status: HTTPStatus, text: str) -> HttpAnswer:
    """A plain text answer."""
    return HttpAnswer(status, TEXT, f"{text}\n".encode())
