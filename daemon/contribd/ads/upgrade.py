"""The opening handshake of WebSocket, the client's side (RFC 6455, 4.1)."""

import base64
import hashlib
import os
import socket
from typing import Final

from contribd.ads.http_head import Head, read_head, send

SUBPROTOCOL: Final = "tr_json2"

_GUID: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class NotUpgraded(Exception):
    """The server does not speak WebSocket with us; the text says what it answered."""


def upgrade(sock: socket.socket, place: str, path: str, deadline: float) -> None:
    """Makes the connected socket one of WebSocket. ``place``: host and port; ``deadline``: monotonic seconds.

    Raises:
        NotUpgraded: the server answered otherwise.
        BadHead, OSError: as ``read_head``.
    """
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {place}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n"
        "User-Agent: contribd\r\n\r\n"
    )
    send(sock, request.encode(), deadline)
    _check(read_head(sock, deadline), key)


def _check(head: Head, key: str) -> None:
    if head.status != 101:
        raise NotUpgraded(f"the server answered the handshake with {head.status_text}{_target(head)}")
    wanted = base64.b64encode(hashlib.sha1(f"{key}{_GUID}".encode(), usedforsecurity=False).digest()).decode()
    if head.headers.get("upgrade", "").lower() != "websocket" or head.headers.get("sec-websocket-accept") != wanted:
        raise NotUpgraded("the server's handshake is none of WebSocket")
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
