"""Every combination of a field's settings with every kind of value, against the rules written down once more."""

import itertools
import json
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribd.mapping.compile import compile_file
from contribd.mapping.encode import encode_fields
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import Mapped, RejectCode, Rejected
from contribd.mapping.rules import MappingFile

ABSENT = object()
NOTHING = object()
"""No setting of that name."""

TABLE: Mapping[str, Any] = {"1.5": Decimal("2.250"), "x": "1.25", "true": 7, "gone": None}
VALUES = ["absent", "null", "1", "1.50", "7.0", '"1.5"', '"x"', '"gone"', '"2"', '"99-16+"', "true", "[]", "{}"]
VALUES += [
    "1e15",
    "999999999999999.9",
    "-1e15",
    "1.000000000000005",
    "0.1234567890123451",
    '"NaN"',
    '"é"',
    "1e-20",
    "-0.0",
]


class Refused(Exception):
    """The value is a BadValue."""


def mapper(settings: Mapping[str, Any]) -> Mapper:
    fields = {"F": {"from": "v", **settings}, "G": "coalesce(g, 'x')"}
    compiled = compile_file(
        MappingFile.model_validate({"mappings": [{"name": "m", "ric": "R", "fields": fields}]}), "S"
    )
    assert compiled.problems == []
    return Mapper(compiled.mappings)


def settings_of(to: Any, lookup: bool, default: Any, places: Any, missing: Any) -> dict[str, Any]:
    given_settings = {"as": to, "lookup": TABLE if lookup else NOTHING, "default": default, "round": places}
    given_settings["missing"] = missing
    return {key: value for key, value in given_settings.items() if value is not NOTHING}


def number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Refused
    return Decimal(value)


def looked_up(value: Any, settings: Mapping[str, Any]) -> Any:
    if isinstance(value, list | dict):
        raise Refused
    if isinstance(value, bool):
        key = "true" if value else "false"
    else:
        key = value if isinstance(value, str) else format(Decimal(value).normalize(), "f")
    if key in TABLE:
        return TABLE[key]
    if "default" in settings:
        return settings["default"]
    raise Refused


def real(value: Any) -> Decimal:
    if not isinstance(value, str):
        return number(value)
    if value == "NaN":
        raise Refused
    try:
        return Decimal(value)
    except InvalidOperation:
        raise Refused from None


def whole(value: Any) -> int:
    found = real(value)
    if abs(found) >= 10**15 or found != int(found):
        raise Refused
    return int(found)


def text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return format(number(value) or abs(number(value)), "f")


def fraction(value: Any) -> Decimal:
    if isinstance(value, str):
        if value not in {"99-16+", "2"}:
            raise Refused
        return Decimal("99.515625") if value == "99-16+" else Decimal(2)
    if number(value).as_tuple().exponent != 0:
        raise Refused
    return number(value)


def as_it_is(value: Any) -> Any:
    return value


MADE: Mapping[str | None, Any] = {"real": real, "int": whole, "text": text, "fraction": fraction, None: as_it_is}


def posted(value: Any, settings: Mapping[str, Any]) -> Any:
    """What the manual says is posted; Refused where it says BadValue."""
    if value is not None and "lookup" in settings:
        value = looked_up(value, settings)
    if value is None:
        return None
    to = settings.get("as")
    value = MADE[to](value)
    if "round" in settings:
        value = number(value)
    if isinstance(value, str):
        if not value.isascii() or (value == "NaN" and to != "text"):
            raise Refused
        return value
    places = settings.get("round", 14)
    if abs(number(value)) >= 10**16:
        raise Refused
    with localcontext(prec=60):
        fine = number(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    if abs(fine) >= 10**15:
        raise Refused
    return fine


COMBINATIONS = [
    settings_of(to, lookup, default, places, missing)
    for to, lookup, default, places, missing in itertools.product(
        [NOTHING, "real", "int", "text", "fraction"],
        [False, True],
        [NOTHING, None, 0],
        [NOTHING, 0, 2, 14],
        [NOTHING, "skip", "blank"],
    )
    if (lookup or default is NOTHING)
    and (places is NOTHING or to in {NOTHING, "real", "fraction"})
    # These tables hold what such a field cannot post: told when the file is read.
    and not (lookup and (to in {"int", "fraction"} or (to is NOTHING and places is not NOTHING)))
]


@pytest.mark.parametrize("settings", COMBINATIONS, ids=lambda settings: json.dumps(settings, default=str))
def test_every_combination_posts_what_the_manual_says(settings: Mapping[str, Any]) -> None:
    maps = mapper(settings)
    for text in VALUES:
        outcome = maps.map(b"{}" if text == "absent" else f'{{"v": {text}}}'.encode())
        if text == "absent":
            assert_missing(outcome, settings.get("missing", "reject"))
            continue
        try:
            expected = posted(msgspec.json.Decoder(float_hook=Decimal).decode(text), settings)
        except Refused:
            assert isinstance(outcome, Rejected), (text, outcome)
            assert (outcome.code, outcome.text[:3]) == (RejectCode.BAD_VALUE, "F: ")
            continue
        assert isinstance(outcome, Mapped), (text, outcome)
        assert outcome.fields["F"] == expected, text
        assert type(outcome.fields["F"]) is str or not isinstance(expected, str)


def assert_missing(outcome: object, missing: str) -> None:
    """Neither ``lookup`` nor its ``default`` stands for what the record does not have."""
    if missing == "reject":
        assert isinstance(outcome, Rejected)
        assert (outcome.code, outcome.text[:3]) == (RejectCode.MISSING_FIELD, "F: ")
    else:
        assert isinstance(outcome, Mapped)
        assert outcome.fields == {"G": "x", **({"F": None} if missing == "blank" else {})}


PLACES = st.integers(0, 40)


@given(st.integers(-(10**30), 10**30), PLACES)
def test_a_number_reads_back_as_it_was_posted(digits: int, places: int) -> None:
    value = Decimal(digits).scaleb(-places)
    for settings in ({}, {"as": "real"}, {"as": "text"}):
        outcome = mapper(settings).map(b'{"v": %s}' % format(value, "f").encode())
        if isinstance(outcome, Rejected):
            assert abs(value) > Decimal(10**15) - 1
            continue
        assert isinstance(outcome, Mapped)
        wire = msgspec.json.Decoder(float_hook=Decimal).decode(encode_fields(outcome.fields))["F"]
        assert "e" not in encode_fields(outcome.fields).decode().lower().replace('"f"', "").replace('"g"', "")
        if settings == {"as": "text"}:
            assert Decimal(wire) == value
        else:
            assert Decimal(wire) == outcome.fields["F"]
            assert abs(Decimal(wire) - value) <= Decimal("0.5e-14" if abs(value) >= Decimal("1e-13") else "0.5e-13")


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_a_text_reads_back_as_it_was_posted(value: str) -> None:
    outcome = mapper({"as": "text"}).map(json.dumps({"v": value}).encode())
    assert isinstance(outcome, Mapped)
    assert json.loads(encode_fields(outcome.fields))["F"] == value
