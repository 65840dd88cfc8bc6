"""What an ADS sends, decoded from tr_json2 into typed answers (LSEG WebSocket API specification).

``decode`` takes the text of one WebSocket frame, whatever it holds, and gives a list of answers or raises
``BadFrame``. Messages that mean nothing to a contributor come back as ``Other``.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final, NamedTuple, TypeAlias, cast

import msgspec

from contribd.omm.directory_message import Directory, DirectoryRefused, directory_message
from contribd.omm.numbers import (
    DATA_STATES,
    DOMAINS,
    MESSAGE_TYPES,
    NAK_CODES,
    STATE_CODES,
    STREAM_STATES,
    as_number,
    as_object,
    as_text,
    element,
    name_of,
)
from contribd.omm.requests import LOGIN_STREAM, SOURCE_STREAM

_POST_ID: Final = re.compile(r'"PostID"\s*:\s*([0-9]{1,10})[^0-9]')
"""With what follows the number: an echo may be cut within it."""


_NOT_A_POST: Final = re.compile(r'"Domain"\s*:\s*"(?:Login|Source)"|"Type"\s*:\s*"(?:Ping|Pong|Close)"')
"""What contribd sends besides posts, for an echo that is cut before it says so itself."""

_LONGEST_PING: Final = 86_400
"""Seconds. A PingTimeout beyond a day is no number anybody meant."""


_NamedCode: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^(?!None$|[0-9]+$)")]
"""A NakCode that means what it says; any other is read by itself."""

_LARGEST_SIZE: Final = 2**32
"""Bytes. MaxMsgSize beyond it is none either."""


class BadFrame(ValueError):
    """A frame that is not tr_json2: not JSON, or not an object or an array of objects."""


class Ack(msgspec.Struct, frozen=True, gc=False, tag_field="Type", tag="Ack"):
    """The answer to one post. ``code`` is None for a positive Ack, else the NakCode's name (or its number as text).

    In this shape it is also read straight from a frame of nothing but Acks, as nearly all of them are.
    """

    post_id: int = msgspec.field(name="AckID")
    code: _NamedCode | None = msgspec.field(name="NakCode", default=None)
    text: str = msgspec.field(name="Text", default="")


class PostError(NamedTuple):
    """An Error message. ``post_id`` is known where ``Debug.Message`` echoes the post, whole or cut."""

    post_id: int | None
    text: str


class LoginAnswer(NamedTuple):
    """A Refresh, Status or Update on the login stream. Limits are None where the server names none.

    ``stream``, ``data`` and ``code`` are by name, and empty where the message says nothing of them.
    """

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
    kind = name_of(message.get("Type"), MESSAGE_TYPES)
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
    code, text = message.get("NakCode"), as_text(message.get("Text"))
    if type(code) is str and code.isdecimal():
        code = int(code)
    if code in (None, 0, "None"):
        return Ack(post_id, None, text)
    return Ack(post_id, name_of(code, NAK_CODES), text)


def _error(message: dict[str, Any]) -> Answer:
    echo = as_object(message.get("Debug")).get("Message")
    text = as_text(message.get("Text"))
    about, post_id = _echoed(echo)
    if about and (type(echo) is str or message.get("ID") != SOURCE_STREAM):
        return PostError(post_id, text)
    return DirectoryRefused(text) if message.get("ID") == SOURCE_STREAM else Other("Error", text)


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
    message = as_object(found)
    post_id = message.get("PostID")
    return message.get("Type") == "Post" or post_id is not None, post_id if type(post_id) is int else None


def _stream_message(message: dict[str, Any], kind: str) -> Answer:
    domain, stream = name_of(message.get("Domain"), DOMAINS), message.get("ID")
    if domain == "Login" or (not domain and kind == "Status" and stream == LOGIN_STREAM):
        if kind in ("Refresh", "Status", "Update"):
            return _login(message, refresh=kind == "Refresh")
    elif (domain == "Source" or stream == SOURCE_STREAM) and (found := directory_message(message, kind)) is not None:
        return found
    return Other(kind, as_text(as_object(message.get("State")).get("Text")))


def _login(message: dict[str, Any], *, refresh: bool) -> LoginAnswer:
    """A Refresh without a State is Open and Ok."""
    state = message.get("State")
    state = {"Stream": "Open", "Data": "Ok"} if refresh and state is None else as_object(state)
    limits = as_object(message.get("Elements"))
    features = as_object(as_object(message.get("Key")).get("Elements"))
    supports = as_number(element(features, "SupportOMMPost"))
    return LoginAnswer(
        stream=name_of(state.get("Stream"), STREAM_STATES),
        data=name_of(state.get("Data"), DATA_STATES),
        code=name_of(state.get("Code"), STATE_CODES),
        text=as_text(state.get("Text")),
        refresh=refresh,
        max_message_size=_size(element(limits, "MaxMsgSize")),
        ping_timeout=_seconds(element(limits, "PingTimeout")),
        supports_post=None if supports is None else supports != 0,
    )


def _size(value: Any) -> int | None:
    number = as_number(value)
    return int(number) if number is not None and 0 < number < _LARGEST_SIZE and number == int(number) else None


def _seconds(value: Any) -> float | None:
    number = as_number(value)
    return float(number) if number is not None and 0 < number < _LONGEST_PING else None
