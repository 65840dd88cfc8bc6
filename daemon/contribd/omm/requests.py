"""Messages contribd sends besides posts (LSEG WebSocket API specification: Login, Source Directory, Ping, Close)."""

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

LOGIN_STREAM: Final = 1
"""The stream ID of the login; off-stream posts travel on it."""

SOURCE_STREAM: Final = 2
"""The stream ID of the source directory."""

_SOURCE_FILTER: Final = 3
"""Source directory filter: info (1) and state (2). Servers refuse state alone."""

PING: Final = b'{"Type":"Ping"}'
PONG: Final = b'{"Type":"Pong"}'

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in, and from where: an empty ``position`` is yet to be told.

    ``token`` makes it an ``AuthnToken`` login (cloud endpoints); ``name`` is then not sent.
    """

    name: str
    application_id: str
    position: str
    token: str | None = field(default=None, repr=False)


def login(who: Login, *, refresh: bool = True) -> bytes:
    """A login request; ``refresh=False`` reissues a renewed token, which the server does not answer."""
    elements: dict[str, Any] = {"ApplicationId": who.application_id, "Position": who.position}
    key: dict[str, Any] = {"Elements": elements}
    if who.token is None:
        key["Name"] = who.name
    else:
        key["NameType"] = "AuthnToken"
        elements["AuthenticationToken"] = who.token
    message: dict[str, Any] = {"ID": LOGIN_STREAM, "Domain": "Login", "Key": key}
    if not refresh:
        message["Refresh"] = False
    return _encode(message)


def source_directory() -> bytes:
    """A streaming request for every service's name and state."""
    return _encode({"ID": SOURCE_STREAM, "Domain": "Source", "Key": {"Filter": _SOURCE_FILTER}})


def close_login() -> bytes:
    """Closes the login stream, and with it the session.

    There is no such message for the source directory: closing it breaks the directory of EMA-based servers for every
    later client.
    """
    return _encode({"ID": LOGIN_STREAM, "Type": "Close", "Domain": "Login"})
