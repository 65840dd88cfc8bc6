"""How a field of the record becomes a field of a post: by which conversion, or why not."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import localcontext
from typing import Any, Final

from contribd.drafting.leaves import Leaf, ascii_text
from contribd.drafting.words import Role
from contribd.mapping.conversions import As, Reading
from contribd.mapping.epochs import Unit
from contribd.mapping.mistakes import RAISED
from contribd.mapping.numbers import CONTEXT, parse_number
from contribd.mapping.times import DateReading
from contribd.mapping.values import field_value

CURRENCIES: Final = {
    "AUD": 36, "BRL": 986, "CAD": 124, "CHF": 756, "CNY": 156, "CZK": 203, "DKK": 208, "EUR": 978, "GBP": 826,
    "HKD": 344, "HUF": 348, "ILS": 376, "INR": 356, "JPY": 392, "KRW": 410, "MXN": 484, "NOK": 578, "NZD": 554,
    "PLN": 985, "SEK": 752, "SGD": 702, "THB": 764, "TRY": 949, "USD": 840, "ZAR": 710,
}  # fmt: skip
"""ISO 4217 numbers of the currencies that are traded most."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One field of the mapping. ``settings`` stand behind its expression, as ``as: real``; ``note`` behind them."""

    acronym: str
    source: str
    settings: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why no field is made of it."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Way:
    """A conversion that may fit: ``settings`` say it in the mapping, ``step`` does it."""

    settings: Mapping[str, str]
    step: Callable[[Any], Any]
    note: str = ""


def propose(acronym: str, role: Role | None, leaf: Leaf) -> Proposal | Refusal:
    """The field of this name made of what stands at a path. ``role`` None: whatever its values are."""
    if not leaf.source:
        return Refusal("no expression can name it; rename the key where the record is made")
    if not leaf.given:
        return Refusal("null in every sample: give one that has a value")
    if unfit := leaf.kinds & {"true or false", "a list", "an object"}:
        return Refusal(f"{_alternatives(sorted(leaf.kinds))}: a field takes a number or text ({_advice(unfit)})")
    if role is Role.CURRENCY:
        return _currency(acronym, leaf)
    for way in _WAYS[role](leaf):
        if _fits(way, leaf.given):
            notes = [way.note, _where(leaf)]
            missing = {} if leaf.everywhere else {"missing": "skip"}
            return Proposal(acronym, leaf.source, {**way.settings, **missing}, "; ".join(filter(None, notes)))
    return Refusal(_unread(role, leaf))


def _numbers(leaf: Leaf) -> Iterable[_Way]:
    if leaf.kinds == {"a number"}:
        yield _Way({}, lambda value: value)
        return
    mixed = "a number in some samples, text that is one in others" if len(leaf.kinds) > 1 else "text that is a number"
    yield _Way({"as": "real"}, _step(Reading(As.REAL)), mixed)
    if any(isinstance(value, str) and parse_number(value) is None for value in leaf.given):
        fractions = "guess: fractions as US Treasuries have them; futures differ, see Fractions in docs/mapping.md"
        yield _Way({"as": "fraction"}, _step(Reading(As.FRACTION)), fractions)


def _times(leaf: Leaf) -> Iterable[_Way]:
    yield _Way({"as": "time"}, _step(Reading(As.TIME)), _zone_note(leaf))
    for unit in (Unit.MILLISECONDS, Unit.MICROSECONDS, Unit.NANOSECONDS, Unit.SECONDS):
        if all(_is_epoch(value, unit) for value in leaf.given):
            note = f"an epoch in {unit}, as text"
            yield _Way({"as": "time", "unit": unit}, _step(Reading(As.TIME, dates=DateReading(unit=unit))), note)


def _dates(_leaf: Leaf) -> Iterable[_Way]:
    yield _Way({"as": "date"}, _step(Reading(As.DATE)))


def _anything(leaf: Leaf) -> Iterable[_Way]:
    """Where the user has named the field: as it is, if it is of one kind."""
    if leaf.kinds == {"text"} and any(parse_number(value) is None for value in leaf.given):
        yield _Way({}, lambda value: value)
    yield from _numbers(leaf)


_WAYS: Final[Mapping[Role | None, Callable[[Leaf], Iterable[_Way]]]] = {
    Role.NUMBER: _numbers,
    Role.TIME: _times,
    Role.DATE: _dates,
    None: _anything,
}

_EPOCHS: Final = {
    Unit.SECONDS: (10**8, 10**10),
    Unit.MILLISECONDS: (10**11, 10**13),
    Unit.MICROSECONDS: (10**14, 10**16),
    Unit.NANOSECONDS: (10**17, 10**19),
}
"""Sizes that leave no doubt about the unit: between the years 1973 and 2199."""


def _is_epoch(value: object, unit: Unit) -> bool:
    number = parse_number(value) if isinstance(value, str) else None
    low, high = _EPOCHS[unit]
    return number is not None and low <= number < high


def _step(reading: Reading) -> Callable[[Any], Any]:
    step = reading.step()
    assert step is not None  # noqa: S101 - each of these readings names its kind
    return step


def _fits(way: _Way, values: list[Any]) -> bool:
    with localcontext(CONTEXT):
        try:
            for value in values:
                field_value(way.step(value))
        except RAISED:
            return False
    return True


def _currency(acronym: str, leaf: Leaf) -> Proposal | Refusal:
    unknown = [value for value in leaf.given if value not in CURRENCIES]
    if unknown:
        return Refusal(f"{shown(unknown[0])} is none of the currencies that are known here; add a lookup of your own")
    table = ", ".join(f"{name}: {number}" for name, number in CURRENCIES.items())
    missing = {} if leaf.everywhere else {"missing": "skip"}
    note = "; ".join(filter(None, ["by its ISO 4217 number; others are rejected", _where(leaf)]))
    return Proposal(acronym, leaf.source, {"lookup": f"{{{table}}}", **missing}, note)


def _where(leaf: Leaf) -> str:
    notes = (
        [] if leaf.everywhere else [f"in {len(leaf.values)} of {leaf.samples} samples: left out where it is missing"]
    )
    notes += ["null in some: it posts a blank"] if None in leaf.values else []
    return "; ".join(notes)


def _zone_note(leaf: Leaf) -> str:
    texts = [value for value in leaf.given if isinstance(value, str)]
    named = all(value[-1:] in "zZ" or value[-6:-5] in {"+", "-"} or value[-5:-4] in {"+", "-"} for value in texts)
    return "" if named else "guess: in UTC, since the text names no zone; else add zone: Europe/London"


def _unread(role: Role | None, leaf: Leaf) -> str:
    example = f"{_alternatives(sorted(leaf.kinds))}, {shown(leaf.given[0])}"
    if role in (Role.TIME, Role.DATE):
        kind = "time" if role is Role.TIME else "date"
        return f"{example}: no {kind} that is read without a form; add format: or unit: (Forms in docs/mapping.md)"
    return f"{example}: no number that can be posted"


def _advice(unfit: frozenset[str]) -> str:
    if "a list" in unfit:
        return "one post for each element: each, in docs/mapping.md; one of them: [0], first()"
    return "different from sample to sample" if "an object" in unfit else "1 if it is true: 1 if x else 0"


def shown(value: object) -> str:
    """A value for a comment."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{ascii_text(value)}"' if isinstance(value, str) else ascii_text(str(value))


def _alternatives(kinds: list[str]) -> str:
    return " or ".join(kinds)
