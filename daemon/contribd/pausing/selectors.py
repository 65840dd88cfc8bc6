"""What can be paused, as it is written in orders: ``{"ric": "EUR*"}``, ``{"all": true}``. Pure."""

from typing import Any, Final

from contribd.engine.records.pauses import PauseKind, Selector

MAX_NAME: Final = 200
"""Characters of a pattern or a name."""


def selector_of(given: Any) -> Selector | None:
    """What it means; None where it means nothing."""
    if not isinstance(given, dict) or len(given) != 1:
        return None
    [(kind, value)] = given.items()
    if kind == PauseKind.ALL:
        return Selector(PauseKind.ALL) if value is True else None
    is_name = isinstance(value, str) and 0 < len(value) <= MAX_NAME and value.isprintable() and value == value.strip()
    return Selector(PauseKind(kind), value) if kind in list(PauseKind) and is_name else None


def selector_document(what: Selector) -> dict[str, Any]:
    """The other way."""
    return {str(what.kind): what.value or True}
