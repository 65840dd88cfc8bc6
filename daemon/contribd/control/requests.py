"""What goes over the control socket: one JSON document that orders, and one that answers; each on a line of its own."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from contribd.engine.records.offsets import Partition
from contribd.engine.records.pauses import Selector
from contribd.engine.records.standing import OrderKind
from contribd.orders import Answer, Order, SkipOrder
from contribd.pausing.pause_orders import PauseOrder, ResumeOrder
from contribd.pausing.selectors import selector_document, selector_of
from contribd.quoting.quote_orders import QuoteOrder
from contribd.reloads import Planned, ReloadOrder

MAX_BYTES: Final = 16 * 1024
"""Of a request."""

MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024
"""Of an answer: that of a reload holds every problem."""

MAX_REASON: Final = 500
"""Characters of a reason: it is in every result that an order makes."""


MAX_RULES_BYTES: Final = 64 * 1024 * 1024
"""Of the answer that holds the rules in force: tables of a hundred thousand rows, many times over."""


class RulesRequest(NamedTuple):
    """No order but a question: the rules in force."""


Request: TypeAlias = Order | ReloadOrder | RulesRequest
"""Whatever can be said to the daemon."""


class BadRequest(Exception):
    """No order; the text says why."""


def encode_order(order: Order | ReloadOrder) -> bytes:
    """As it is sent."""
    return msgspec.json.encode(_document(order)) + b"\n"


def _document(order: Order | ReloadOrder) -> dict[str, Any]:
    if isinstance(order, ReloadOrder):
        return {"order": "reload"} if order.plan is None else {"order": "reload", "plan": order.plan._asdict()}
    if not isinstance(order, SkipOrder):
        name = order.kind.value if isinstance(order, QuoteOrder) else _NAMES[type(order)]
        return {"order": name, "what": selector_document(order.what), "reason": order.reason}
    topic, number = order.partition
    return {"order": "skip", "topic": topic, "partition": number, "offset": order.offset, "reason": order.reason}


def encode_rules_request() -> bytes:
    """As it is sent."""
    return b'{"order":"rules"}\n'


def decode_request(data: bytes) -> Request:
    """As it was meant. Raises ``BadRequest``."""
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise BadRequest("expected a JSON object")
    parse = _ORDERS.get(str(document.get("order")))
    if parse is None:
        raise BadRequest(f"there is no such order; there are: {', '.join(_ORDERS)}")
    return parse({name: value for name, value in document.items() if name != "order"})


def encode_rules(rules: str) -> bytes:
    """As they are sent; ``rules`` is JSON."""
    return b'{"done":true,"text":"the rules in force","rules":' + rules.encode() + b"}\n"


def decode_rules(data: bytes) -> dict[str, Any]:
    """As they are meant. Raises ``BadRequest``, with the daemon's words where it tells none."""
    try:
        document = msgspec.json.decode(data)
        rules = document.get("rules") if isinstance(document, dict) else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        rules, document = None, None
    if not isinstance(rules, dict):
        raise BadRequest(decode_answer(data).text)
    return rules


def encode_answer(answer: Answer) -> bytes:
    """As it is sent."""
    return msgspec.json.encode({"done": answer.done, "text": answer.text, **answer.details}) + b"\n"


def decode_answer(data: bytes) -> Answer:
    """As it was meant. Raises ``BadRequest``."""
    try:
        document = msgspec.json.decode(data)
        return Answer(bool(document.pop("done")), str(document.pop("text")), document)
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError, KeyError, AttributeError):
        raise BadRequest("the answer is none of contribd's") from None


def reason_of(text: str) -> str:
    """A reason as it is kept. Raises ``BadRequest`` where it is none."""
    reason = text.strip()
    if not reason or len(reason) > MAX_REASON or not reason.isprintable():
        raise BadRequest(f"the reason must be one line of text of at most {MAX_REASON} characters")
    return reason


def _skip(given: Mapping[str, Any]) -> Order:
    if given.keys() != {"topic", "partition", "offset", "reason"}:
        raise BadRequest("skip takes topic, partition, offset and reason")
    topic, number, offset, reason = (given[name] for name in ("topic", "partition", "offset", "reason"))
    if not isinstance(topic, str) or not isinstance(reason, str) or not _counts(number) or not _counts(offset):
        raise BadRequest("skip takes topic and reason as text, partition and offset as whole numbers")
    return SkipOrder(Partition(topic, number), offset, reason_of(reason))


def _pause(given: Mapping[str, Any]) -> Order:
    return PauseOrder(*_what_and_why("pause", given))


def _resume(given: Mapping[str, Any]) -> Order:
    return ResumeOrder(*_what_and_why("resume", given))


def _withdraw(given: Mapping[str, Any]) -> Order:
    return QuoteOrder(OrderKind.WITHDRAW, *_what_and_why("withdraw", given))


def _republish(given: Mapping[str, Any]) -> Order:
    return QuoteOrder(OrderKind.REPUBLISH, *_what_and_why("republish", given))


def _what_and_why(name: str, given: Mapping[str, Any]) -> tuple[Selector, str]:
    if given.keys() != {"what", "reason"} or not isinstance(given["reason"], str):
        raise BadRequest(f"{name} takes what, and reason as text")
    if (what := selector_of(given["what"])) is None:
        raise BadRequest(f"{name}: what is one of ric, mapping, desk with a name, or all with true")
    return what, reason_of(given["reason"])


def _rules(given: Mapping[str, Any]) -> RulesRequest:
    if given:
        raise BadRequest("rules takes nothing")
    return RulesRequest()


def _reload(given: Mapping[str, Any]) -> ReloadOrder:
    if not given:
        return ReloadOrder()
    plan = given.get("plan")
    if given.keys() != {"plan"} or not isinstance(plan, dict) or plan.keys() != set(Planned._fields):
        raise BadRequest(f"reload takes nothing, or plan with {', '.join(Planned._fields)}")
    if not all(isinstance(value, str) for value in plan.values()):
        raise BadRequest("reload takes text of a plan")
    return ReloadOrder(Planned(**plan))


def _counts(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


_ORDERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Request]]] = {
    "skip": _skip,
    "pause": _pause,
    "resume": _resume,
    "withdraw": _withdraw,
    "republish": _republish,
    "reload": _reload,
    "rules": _rules,
}
"""Every order and question by its name, with what reads the rest of its document."""

_NAMES: Final[Mapping[type[Order], str]] = {PauseOrder: "pause", ResumeOrder: "resume"}
"""What orders that say what they are about, and why, are called."""
