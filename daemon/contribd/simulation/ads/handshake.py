"""The server's side of the WebSocket opening handshake (RFC 6455 4.2)."""

import base64
import hashlib
from http import HTTPStatus
from typing import Final

PATH: Final = "/WebSocket"
SUBPROTOCOL: Final = "tr_json2"
MAX_REQUEST: Final = 16_384
"""Bytes; a longer request is no handshake."""

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class HandshakeError(Exception):
    """The request is no handshake this server takes; ``response`` is what to send before hanging up."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        body = f"{text}\n".encode()
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        self.response = head.encode() + body


def answer(request: bytes) -> bytes:
    """The 101 response to a whole request head (up to and with its empty line). Raises HandshakeError."""
    first, *lines = request.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    method, _, rest = first.partition(" ")
    if method != "GET" or headers.get("upgrade", "").lower() != "websocket":
        raise HandshakeError(HTTPStatus.BAD_REQUEST, "expected a WebSocket upgrade")
    if rest.partition(" ")[0] != PATH:
        raise HandshakeError(HTTPStatus.NOT_FOUND, f"the path is {PATH}")
    if SUBPROTOCOL not in [each.strip() for each in headers.get("sec-websocket-protocol", "").split(",")]:
        raise HandshakeError(HTTPStatus.BAD_REQUEST, f"expected the subprotocol {SUBPROTOCOL}")
    key = headers.get("sec-websocket-key")
    if not key:
        raise HandshakeError(HTTPStatus.BAD_REQUEST, "expected a Sec-WebSocket-Key")
    digest = hashlib.sha1(f"{key}{_GUID}".encode(), usedforsecurity=False).digest()
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
    ).encode()
