"""What stands in the control topic, as JSON: pauses, what was resumed, and which instances follow it. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from contribd.engine.records.pauses import Pause, Selector
from contribd.pausing.book import Approval, Entry
from contribd.pausing.selectors import selector_document, selector_of


class Paused(NamedTuple):
    """Something is paused, or more people agree to resume it. ``number``: tells orders apart."""

    entry: Entry
    instance: str
    number: str


class Resumed(NamedTuple):
    """It is not paused any more. ``at``: microseconds since 1970, UTC."""

    what: Selector
    by: str
    reason: str
    at: int
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


def key_of_order(what: Selector) -> bytes:
    """One for each thing that can be paused: what is ordered of it last is kept."""
    return f"pause/{what.id}".encode()


def key_of_instance(instance: str) -> bytes:
    """One for each instance."""
    return f"instance/{instance}".encode()


def encode_paused(told: Paused) -> bytes:
    """As it is written."""
    pause = told.entry.pause
    return _encode(
        kind="pause",
        what=selector_document(pause.what),
        who=pause.by,
        when=pause.since,
        why=pause.reason,
        agreed=[each._asdict() for each in told.entry.approvals],
        instance=told.instance,
        number=told.number,
    )


def encode_resumed(told: Resumed) -> bytes:
    """As it is written."""
    return _encode(
        kind="resume",
        what=selector_document(told.what),
        who=told.by,
        when=told.at,
        why=told.reason,
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
    agreed = tuple(
        Approval(str(one["by"]), int(one["uid"]), str(one["reason"]), int(one["at"])) for one in given["agreed"]
    )
    return Paused(Entry(pause, agreed), str(given["instance"]), str(given["number"]))


def _resumed(given: Mapping[str, Any]) -> Resumed:
    who, why, when = str(given["who"]), str(given["why"]), int(given["when"])
    return Resumed(_what(given), who, why, when, str(given["instance"]), str(given["number"]))


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
