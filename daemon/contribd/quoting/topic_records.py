"""What stands in the control topic of orders about quotes, as JSON: the orders, and what instances did. Pure.

An order is a record with a key of its own, beside those to pause (``pausing/topic_records.py``). It is done once:
whoever begins to follow the topic after it lets it be. What an instance says that it did takes the place of what it
said before.
"""

from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from contribd.engine.posts.ordered import Tally
from contribd.engine.records.pauses import Selector
from contribd.engine.records.standing import OrderKind
from contribd.pausing.selectors import selector_document, selector_of


class Ordered(NamedTuple):
    """An order about quotes. ``at``: microseconds since 1970, UTC; ``instance``: to which it was given."""

    kind: OrderKind
    what: Selector
    by: str
    reason: str
    at: int
    instance: str
    number: str


class Done(NamedTuple):
    """What a process of an instance has done of an order."""

    number: str
    instance: str
    process: str
    tally: Tally


Told: TypeAlias = Ordered | Done
"""Whatever a record tells of them."""

_ORDERS: Final = frozenset({OrderKind.WITHDRAW, OrderKind.REPUBLISH})


def key_of_done(instance: str) -> bytes:
    """One for each instance."""
    return f"done/{instance}".encode()


def encode_ordered(told: Ordered) -> bytes:
    """As it is written."""
    return msgspec.json.encode(
        {
            "kind": told.kind,
            "what": selector_document(told.what),
            "who": told.by,
            "when": told.at,
            "why": told.reason,
            "instance": told.instance,
            "number": told.number,
        }
    )


def encode_done(told: Done) -> bytes:
    """As it is written."""
    return msgspec.json.encode(
        {
            "kind": "done",
            "number": told.number,
            "instance": told.instance,
            "process": told.process,
            "tally": told.tally,
        }
    )


def decode(value: bytes | None) -> Told | None:
    """What a record tells; None where it is of something else, deleted, or none of contribd's."""
    try:
        document = msgspec.json.decode(value or b"null")
        if document["kind"] == "done":
            return _done(document)
        return _ordered(document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, LookupError, TypeError, ValueError):
        return None


def _done(given: dict[str, Any]) -> Done:
    tally = msgspec.convert(given["tally"], Tally)
    return Done(str(given["number"]), str(given["instance"]), str(given["process"]), tally)


def _ordered(given: dict[str, Any]) -> Ordered | None:
    if given["kind"] not in _ORDERS or (what := selector_of(given["what"])) is None:
        return None
    who, why, when = str(given["who"]), str(given["why"]), int(given["when"])
    return Ordered(OrderKind(given["kind"]), what, who, why, when, str(given["instance"]), str(given["number"]))
