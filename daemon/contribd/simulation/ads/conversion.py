"""What the vendor's provider makes of one Post message, before anybody decides on its answer.

Measured on EMA Java 3.9.1: which defects are an Error message, and which ones it does not mind.
"""

import re
from collections.abc import Container, Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from contribd.simulation.ads.field_values import FieldKind, Verdict, judge

_DOMAIN_NAMES = """
Login Source Dictionary MarketPrice MarketByOrder MarketByPrice MarketMaker SymbolList YieldCurve Analytics Headline
History Map NewsTextAnalytics Poll Reference ReplayHeadline ReplayStory ServiceProviderStatus Story System Transaction
"""
DOMAINS: Final = frozenset(_DOMAIN_NAMES.split())
_TYPES = frozenset(("Request", "Refresh", "Update", "Status", "Close", "Ack", "Generic", "Post"))
_STREAM_STATES = frozenset(("Open", "NonStreaming", "Closed", "ClosedRecover", "Redirected", "Unspecified"))
_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")


class Conversion(NamedTuple):
    """A post that could be converted; its numbers with a point or exponent are Decimal.

    ``ric`` is empty and ``type`` None where the post had none.
    """

    post_id: int | None
    ric: str
    service: str | int | None
    type: str | None
    fields: Mapping[str, Any]


class SilentLoss(Enum):
    """The post, and what follows it in its frame, is lost without a word."""

    LOST = "lost"


LOST: Final = SilentLoss.LOST
Outcome: TypeAlias = Conversion | str | SilentLoss
"""The post, the text of the Error it gets, or that it is lost."""


def convert(
    post: Mapping[str, Any], fields: Mapping[str, FieldKind] | None, services: Container[str] | None
) -> Outcome:
    """What becomes of ``post``, a message whose ID is that of the login stream.

    ``fields``: the dictionary to check names and values against, ``None`` takes them all. ``services``: the names that
    are known, ``None`` takes any.
    """
    key = post.get("Key")
    if not isinstance(key, dict):
        return LOST
    complaint = _complaint_of_envelope(post, key, services)
    if complaint is not None:
        return complaint
    kind: str | None = None
    values: Mapping[str, Any] = {}
    if "Message" in post:
        payload = post["Message"]
        complaint = _complaint_of_payload(payload)
        if complaint is not None:
            return complaint
        kind, values = payload.get("Type"), payload.get("Fields", {})
        outcome = None if fields is None else _check(values, fields)
        if outcome is not None:
            return outcome
    return Conversion(post.get("PostID"), key.get("Name", ""), key.get("Service"), kind, values)


def wants_ack(post: Mapping[str, Any]) -> bool:
    """Whether ``Ack`` is true, in the converter's wide sense."""
    asked = post.get("Ack")
    return asked is True or asked == "true" or (isinstance(asked, int) and asked != 0)


def _complaint_of_envelope(
    post: Mapping[str, Any], key: Mapping[str, Any], services: Container[str] | None
) -> str | None:
    if not isinstance(key.get("Name", ""), str):
        return "JSON Converter: Name of a Key is not a text"
    service = key.get("Service", 0)
    if not _is_service(service, services):
        return f"JSON Converter: unknown service {service!r}"
    if not _is_whole(post.get("PostID", 0)):
        return "JSON Converter: PostID is not a whole number"
    if post.get("Domain", "MarketPrice") not in DOMAINS:
        return "JSON Converter: unknown Domain"
    if "PostUserInfo" in post and not _is_user(post["PostUserInfo"]):
        return "JSON Converter: PostUserInfo without a valid Address and UserID"
    return None


def _complaint_of_payload(payload: object) -> str | None:
    if not isinstance(payload, dict) or not _is_whole(payload.get("ID")):
        return "JSON Converter: Message is no message with an ID"
    kind = payload.get("Type", "Request")
    if kind not in _TYPES:
        return "JSON Converter: unknown Type of Message"
    if kind in {"Update", "Refresh"} and not isinstance(payload.get("Fields"), dict):
        return "JSON Converter: Message without Fields"
    state = payload.get("State", {})
    if not isinstance(state, dict) or state.get("Stream", "Open") not in _STREAM_STATES:
        return "JSON Converter: unknown State of Message"
    return None


def _check(values: Mapping[str, Any], fields: Mapping[str, FieldKind]) -> str | SilentLoss | None:
    for name, value in values.items():
        verdict = judge(name, value, fields)
        if verdict is Verdict.BREAKS:
            return LOST
        if verdict is Verdict.ERROR:
            kind = fields.get(name)
            expected = "which is not in the dictionary" if kind is None else f"a {kind.value}"
            return f"JSON Converter: unexpected value for field {name}, {expected}"
    return None


def _is_service(service: object, services: Container[str] | None) -> bool:
    if isinstance(service, str):
        return services is None or service in services
    return _is_whole(service) and service >= 0  # type: ignore[operator]  # it is an int by then


def _is_user(info: object) -> bool:
    if not isinstance(info, dict) or "UserID" not in info:
        return False
    address = info.get("Address")
    return _is_whole(address) or (isinstance(address, str) and _is_address(address))


@lru_cache(maxsize=1000)
def _is_address(text: str) -> bool:
    return _ADDRESS.fullmatch(text) is not None


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
