"""The command line's end of the control socket."""

import errno
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from contribd.control.requests import (
    MAX_ANSWER_BYTES,
    MAX_RULES_BYTES,
    BadRequest,
    decode_answer,
    decode_rules,
    encode_order,
    encode_rules_request,
)
from contribd.orders import ANSWER_SECONDS, Answer, Order
from contribd.reloads import RELOAD_SECONDS, ReloadOrder

WAIT_SECONDS: Final = ANSWER_SECONDS + 10.0
"""How long an answer is waited for: somewhat longer than the daemon takes at most."""

RELOAD_WAIT_SECONDS: Final = RELOAD_SECONDS + 10.0
"""The same where it is a reload."""

PIECE: Final = 64 * 1024
"""Bytes of an answer that are taken at a time."""

_T = TypeVar("_T")


class Unreachable(Exception):
    """No daemon could be asked; the text says why and what to do."""


def ask(order: Order | ReloadOrder, sockets: Iterable[Path]) -> Answer:
    """Gives an order to the first daemon that is there. Raises ``Unreachable``."""
    seconds = RELOAD_WAIT_SECONDS if isinstance(order, ReloadOrder) else WAIT_SECONDS
    return _said(encode_order(order), sockets, MAX_ANSWER_BYTES, decode_answer, seconds)


def ask_rules(sockets: Iterable[Path]) -> dict[str, Any]:
    """The rules in force in the first daemon that is there, as it hands them on. Raises ``Unreachable``."""
    return _said(encode_rules_request(), sockets, MAX_RULES_BYTES, decode_rules)


def _said(
    request: bytes,
    sockets: Iterable[Path],
    most: int,
    decode: Callable[[bytes], _T],
    seconds: float = WAIT_SECONDS,
) -> _T:
    tried = list(sockets)
    for path in tried:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as daemon:
            daemon.settimeout(seconds)
            try:
                daemon.connect(str(path))
            except (FileNotFoundError, ConnectionRefusedError):
                continue
            except OSError as error:
                raise Unreachable(_refused(path, error)) from error
            return _asked(daemon, path, request, most, decode)
    if not tried:
        raise Unreachable("the configuration has no control socket (control.socket): the daemon cannot be asked")
    places = ", ".join(map(str, tried))
    raise Unreachable(
        f"no daemon of this instance takes orders: is it running? Looked for its socket at {places}; a daemon that has "
        "none says so in its log (control.socket)"
    )


def _asked(daemon: socket.socket, path: Path, request: bytes, most: int, decode: Callable[[bytes], _T]) -> _T:
    data = bytearray()
    try:
        with suppress(BrokenPipeError):  # it had its answer ready before it was asked, such as to come again
            daemon.sendall(request)
        while not data.endswith(b"\n") and len(data) <= most and (piece := daemon.recv(PIECE)):
            data += piece
        return decode(bytes(data))
    except (OSError, BadRequest) as error:
        raise Unreachable(f"{path}: no answer ({error}); see the daemon's log for whether it was done") from error


def _refused(path: Path, error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{path}: this user may not give orders: use the daemon's user, root, or a member of control.group"
    return f"{path}: {error.strerror or error}"
