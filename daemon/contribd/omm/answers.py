"""What an ADS sends, decoded from tr_json2 into typed answers (LSEG WebSocket API specification).

``decode`` takes the text of one WebSocket frame, whatever it holds, and gives a list of answers or raises
``BadFrame``. Messages that mean nothing to a contributor come back as ``Other``.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias, cast

import msgspec

from contribd.omm.requests import LOGIN_STREAM, SOURCE_STREAM

_INFO_FILTER: Final = 1
_STATE_FILTER: Final = 2
_POST_ID: Final = re.compile(r'"PostID"\s*:\s*([0-9]{1,10})[^0-9]')
"""With what follows the number: an echo may be cut within it."""


_NOT_A_POST: Final = re.compile(r'"Domain"\s*:\s*"(?:Login|Source)"|"Type"\s*:\s*"(?:Ping|Pong|Close)"')
"""What contribd sends besides posts, for an echo that is cut before it says so itself."""

_LONGEST_PING: Final = 86_400
"""Seconds. A PingTimeout beyond a day is no number anybody meant."""


class BadFrame(ValueError):
    """A frame that is not tr_json2: not JSON, or not an object or an array of objects."""


class Ack(msgspec.Struct, frozen=True, gc=False, tag_field="Type", tag="Ack"):
    """The answer to one post. ``code`` is None for a positive Ack, else the NakCode's name (or its number as text).

    In this shape it is also read straight from a frame of nothing but Acks, as nearly all of them are.
    """

    post_id: int = msgspec.field(name="AckID")
    code: str | None = msgspec.field(name="NakCode", default=None)
    text: str = msgspec.field(name="Text", default="")


class PostError(NamedTuple):
    """An Error message. ``post_id`` is known where ``Debug.Message`` echoes the post, whole or cut."""

    post_id: int | None
    text: str


class LoginAnswer(NamedTuple):
    """A Refresh or Status on the login stream. Limits are None where the server names none."""

    stream: str
    data: str
    code: str
    text: str
    refresh: bool
    max_message_size: int | None
    ping_timeout: float | None
    supports_post: bool | None

    @property
    def is_open(self) -> bool:
        """The login stream is open: the server took the login."""
        return self.stream == "Open"


class ServiceChange(NamedTuple):
    """One entry of the source directory. ``up`` is None where the message says nothing about the state."""

    service_id: str
    name: str | None
    up: bool | None
    deleted: bool


class Directory(NamedTuple):
    """A Refresh or Update of the source directory; ``replaces`` says that services not named are gone."""

    changes: tuple[ServiceChange, ...]
    replaces: bool


class DirectoryRefused(NamedTuple):
    """The server does not serve the Source domain, or closed the stream."""

    text: str


class Ping(NamedTuple):
    """The server asks for a Pong."""


class Pong(NamedTuple):
    """The server's answer to a Ping."""


class Other(NamedTuple):
    """Anything else: its type and domain, and its text if it has one."""

    type: str
    text: str


class _Untagged(msgspec.Struct, tag_field="Type", tag="\0"):
    """Makes a union of what a frame of Acks is read as: msgspec only insists on a ``Type`` where there is a choice."""

    def __post_init__(self) -> None:
        raise ValueError("no message has this type")


Answer: TypeAlias = Ack | PostError | LoginAnswer | Directory | DirectoryRefused | Ping | Pong | Other

_decode_json = msgspec.json.Decoder().decode
_decode_acks = msgspec.json.Decoder(list[Ack | _Untagged]).decode


def decode(payload: bytes) -> Sequence[Answer]:
    """Decodes one text frame. The text is UTF-8; some servers send Latin-1, which is taken where UTF-8 fails.

    Raises:
        BadFrame: the text is not a JSON object or an array of JSON objects.
    """
    try:
        return cast("Sequence[Ack]", _decode_acks(payload))
    except (ValueError, RecursionError):
        return _decode_any(payload)


def _decode_any(payload: bytes) -> list[Answer]:
    try:
        document = _parse(payload)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadFrame(f"not JSON: {error}") from None
    messages = document if type(document) is list else [document]
    return [_answer(message) for message in messages]


def _parse(payload: bytes) -> Any:
    try:
        return _decode_json(payload)
    except UnicodeDecodeError:
        return _decode_json(payload.decode("latin-1"))


def _answer(message: Any) -> Answer:
    if type(message) is not dict:
        raise BadFrame(f"expected a JSON object, got {type(message).__name__}")
    kind = message.get("Type")
    if kind == "Ack":
        return _ack(message)
    if kind == "Ping":
        return Ping()
    if kind == "Pong":
        return Pong()
    if kind == "Error":
        return _error(message)
    return _stream_message(message, kind)


def _ack(message: dict[str, Any]) -> Answer:
    post_id = message.get("AckID")
    if type(post_id) is not int:
        return Other("Ack", f"an Ack without a numeric AckID: {post_id!r:.100}")
    code = message.get("NakCode")
    if code is None or code == 0:
        return Ack(post_id, None, _text(message.get("Text")))
    return Ack(post_id, str(code), _text(message.get("Text")))


def _error(message: dict[str, Any]) -> Answer:
    debug = _object(message.get("Debug"))
    text = _text(message.get("Text"))
    about, post_id = _echoed(debug.get("Message"))
    if not about:
        return Other("Error", text)
    return PostError(post_id, text)


def _echoed(echo: Any) -> tuple[bool, int | None]:
    """Whether an echoed message may be a post, and its PostID where it tells which.

    A whole frame of several posts does not. An echo may be cut, or be what is wrong with the message: then the text is
    searched, and the first PostID counts, since contribd writes it ahead of everything that holds the record's text.
    """
    if type(echo) is not str:
        return True, None
    try:
        found = _decode_json(echo)
    except (msgspec.DecodeError, RecursionError):
        if echo.lstrip().startswith("["):
            return True, None
        searched = _POST_ID.search(echo)
        return searched is not None or not _NOT_A_POST.search(echo), int(searched[1]) if searched else None
    if type(found) is list:
        found = found[0] if len(found) == 1 else {"Type": "Post"}
    message = _object(found)
    post_id = message.get("PostID")
    return message.get("Type") == "Post" or post_id is not None, post_id if type(post_id) is int else None


def _stream_message(message: dict[str, Any], kind: Any) -> Answer:
    domain = message.get("Domain")
    if domain == "Login" or (domain is None and kind == "Status" and message.get("ID") == LOGIN_STREAM):
        return _login(message, refresh=kind == "Refresh")
    if domain == "Source" or message.get("ID") == SOURCE_STREAM:
        return _source(message, kind)
    return Other(_text(kind), _text(_object(message.get("State")).get("Text")))


def _login(message: dict[str, Any], *, refresh: bool) -> LoginAnswer:
    state = _object(message.get("State"))
    limits = _object(message.get("Elements"))
    key_elements = _object(_object(message.get("Key")).get("Elements"))
    size, ping = limits.get("MaxMsgSize"), limits.get("PingTimeout")
    supports = key_elements.get("SupportOMMPost")
    return LoginAnswer(
        stream=_text(state.get("Stream")),
        data=_text(state.get("Data")),
        code=_text(state.get("Code")),
        text=_text(state.get("Text")),
        refresh=refresh,
        max_message_size=size if type(size) is int and size > 0 else None,
        ping_timeout=_seconds(ping),
        supports_post=bool(supports) if type(supports) is int else None,
    )


def _source(message: dict[str, Any], kind: Any) -> Answer:
    if kind in ("Refresh", "Update"):
        entries = _object(message.get("Map")).get("Entries")
        changes = [_service(entry) for entry in entries if type(entry) is dict] if type(entries) is list else []
        return Directory(tuple(changes), replaces=kind == "Refresh" and message.get("ClearCache", True) is not False)
    state = _object(message.get("State"))
    if kind == "Status" and state.get("Stream") in ("Closed", "ClosedRecover"):
        return DirectoryRefused(_text(state.get("Text")))
    return Other(_text(kind), _text(state.get("Text")))


def _service(entry: dict[str, Any]) -> ServiceChange:
    service_id = _text(entry.get("Key"))
    if entry.get("Action") == "Delete":
        return ServiceChange(service_id, None, None, deleted=True)
    filters = _object(entry.get("FilterList")).get("Entries")
    name, up = None, None
    for item in filters if type(filters) is list else []:
        part = _object(item)
        elements = _object(part.get("Elements"))
        if part.get("ID") == _INFO_FILTER and "Name" in elements:
            name = _text(elements["Name"])
        elif part.get("ID") == _STATE_FILTER and "ServiceState" in elements:
            up = elements["ServiceState"] == 1 and elements.get("AcceptingRequests", 1) == 1
    return ServiceChange(service_id, name, up, deleted=False)


def _seconds(value: Any) -> float | None:
    if type(value) is int or type(value) is float:
        return float(value) if 0 < value < _LONGEST_PING else None
    return None


def _object(value: Any) -> dict[str, Any]:
    return value if type(value) is dict else {}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if type(value) is str else str(value)
