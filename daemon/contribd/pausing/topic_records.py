"""What stands in the control topic, as JSON: the orders, and which instances follow it. Pure.

Each order is a record with a key of its own. So compaction removes none, and what is in force is the same for all who
have read up to the same offset, whenever they begin. Only what an instance says of itself takes the place of what it
said before.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from contribd.engine.records.pauses import Pause, Selector
from contribd.pausing.selectors import selector_document, selector_of


class Paused(NamedTuple):
    """An order to pause. ``number``: what it is known by; ``instance``: to which it was given."""

    pause: Pause
    instance: str
    number: str


class Resumed(NamedTuple):
    """An order to resume. ``uid``: of who gave it; ``at``: microseconds since 1970, UTC.

    ``ends``: the numbers of the pauses that it is to end, once so many users (``needs``) have ordered it. Its instance
    knew of these and of no others, so that one that comes late ends no newer pause.
    """

    what: Selector
    by: str
    uid: int
    reason: str
    at: int
    ends: tuple[str, ...]
    needs: int
    instance: str
    number: str


class Present(NamedTuple):
    """An instance follows the topic: all up to ``holds`` holds in it. ``left``: it ends, and posts nothing more."""

    instance: str
    process: str
    number: int
    holds: int
    left: bool = False


Told: TypeAlias = Paused | Resumed | Present
"""Whatever a record of the topic tells."""


def key_of_order(number: str) -> bytes:
    """One for each order."""
    return f"order/{number}".encode()


def key_of_instance(instance: str) -> bytes:
    """One for each instance."""
    return f"instance/{instance}".encode()


def encode_paused(told: Paused) -> bytes:
    """As it is written."""
    pause = told.pause
    return _encode(
        kind="pause",
        what=selector_document(pause.what),
        who=pause.by,
        when=pause.since,
        why=pause.reason,
        instance=told.instance,
        number=told.number,
    )


def encode_resumed(told: Resumed) -> bytes:
    """As it is written."""
    return _encode(
        kind="resume",
        what=selector_document(told.what),
        who=told.by,
        uid=told.uid,
        when=told.at,
        why=told.reason,
        ends=told.ends,
        needs=told.needs,
        instance=told.instance,
        number=told.number,
    )


def encode_present(told: Present) -> bytes:
    """As it is written."""
    return _encode(kind="instance", **told._asdict())


def decode(value: bytes | None) -> Told | None:
    """What a record tells; None where it is deleted, or none of contribd's."""
    try:
        document = msgspec.json.decode(value or b"null")
        return _DECODERS[document["kind"]](document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, LookupError, TypeError, ValueError):
        return None


def _encode(**document: Any) -> bytes:
    return msgspec.json.encode(document)


def _paused(given: Mapping[str, Any]) -> Paused:
    pause = Pause(_what(given), str(given["who"]), str(given["why"]), int(given["when"]))
    return Paused(pause, str(given["instance"]), str(given["number"]))


def _resumed(given: Mapping[str, Any]) -> Resumed:
    return Resumed(
        _what(given),
        str(given["who"]),
        int(given["uid"]),
        str(given["why"]),
        int(given["when"]),
        tuple(map(str, given["ends"])),
        int(given["needs"]),
        str(given["instance"]),
        str(given["number"]),
    )


def _present(given: Mapping[str, Any]) -> Present:
    instance, process = str(given["instance"]), str(given["process"])
    return Present(instance, process, int(given["number"]), int(given["holds"]), bool(given["left"]))


def _what(given: Mapping[str, Any]) -> Selector:
    what = selector_of(given["what"])
    if what is None:
        raise ValueError
    return what


_DECODERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Told]]] = {
    "pause": _paused,
    "resume": _resumed,
    "instance": _present,
}
