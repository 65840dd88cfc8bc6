"""The opening handshake of WebSocket, the client's side (RFC 6455, 4.1): websocket-client makes it.

What it cannot do is done around it, at the socket that it is given: one deadline for all of the handshake, however it
drips; nothing is read behind the head of an answer, such as the page of a refusal; and what was answered is kept, since
the library tells of little of it.
"""

import socket
from typing import Any, Final

from websocket import WebSocket, WebSocketConnectionClosedException, WebSocketException, WebSocketTimeoutException

from contribd.ads.http_head import BadHead, Head, HeadSocket

SUBPROTOCOL: Final = "tr_json2"


class NotUpgraded(Exception):
    """The server does not speak WebSocket with us; the text says what it answered."""


def upgrade(sock: socket.socket, url: str, deadline: float) -> None:
    """Makes the connected socket one of WebSocket. ``url``: the endpoint's; ``deadline``: monotonic seconds.

    Raises:
        NotUpgraded: the server answered otherwise.
        BadHead, OSError: as ``read_head``.
    """
    answered = HeadSocket(sock, deadline)
    connection: Any = WebSocket(enable_multithread=False)
    # As a header of our own: which subprotocol the server chose is judged here, where it can be said.
    given: dict[str, Any] = {"header": ["User-Agent: contribd", f"Sec-WebSocket-Protocol: {SUBPROTOCOL}"]}
    try:
        connection.connect(url, socket=answered, suppress_origin=True, redirect_limit=0, **given)
    except WebSocketTimeoutException as error:
        raise TimeoutError from error
    except WebSocketException as error:
        if isinstance(error, WebSocketConnectionClosedException) and not answered.is_whole:
            raise BadHead("closed the connection during the handshake") from error
        _check(answered.head())
        raise NotUpgraded("the server's handshake is none of WebSocket") from error
    _check(answered.head())


def _check(head: Head) -> None:
    if head.status != 101:
        raise NotUpgraded(f"the server answered the handshake with {head.status_text}{_target(head)}")
    chosen = head.headers.get("sec-websocket-protocol")
    if chosen is None:
        raise NotUpgraded(f"the server chose no subprotocol, and {SUBPROTOCOL} was asked for: it may be no ADS")
    if chosen.lower() != SUBPROTOCOL:
        raise NotUpgraded(f"the server chose the subprotocol {chosen!r:.60}, and {SUBPROTOCOL} was asked for")


def _target(head: Head) -> str:
    """Where a redirect leads. None is followed: a login goes where the configuration says, and nowhere else."""
    target = head.headers.get("location")
    if not 300 <= head.status < 400 or not target:
        return ""
    return f" to {_without_user(target)!r:.200}: no redirect is followed; name the right endpoint in ads.endpoints"


def _without_user(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    place, slash, path = rest.partition("/")
    return f"{scheme}{mark}{place.rpartition('@')[2]}{slash}{path}" if mark else url
