"""The guards before a post, conversions, and what goes on the wire."""

import contextlib
import decimal
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribd.mapping import times
from contribd.mapping.conversions import AS_IT_COMES, As, Lookup, Reading, conversion, ric_text
from contribd.mapping.encode import ENCODER, encode_fields
from contribd.mapping.mistakes import EvaluationError
from contribd.mapping.numbers import CONTEXT
from contribd.mapping.operators import shown
from contribd.mapping.values import MAX_FIELD_TEXT, clean_ric, field_value, price_ric


@pytest.fixture(autouse=True)
def _context() -> Iterator[None]:
    with decimal.localcontext(CONTEXT):
        yield


def wire(value: Any) -> str:
    return encode_fields({"F": field_value(value)}).decode()[5:-1]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (-999_999_999_999_999, "-999999999999999"),
        (Decimal("1.50"), "1.50"),
        (Decimal("-0.25"), "-0.25"),
        (Decimal("-0.0"), "0"),
        (Decimal("0E-50"), "0"),
        (Decimal("0E+999999999"), "0"),
        (Decimal("1E+3"), "1000"),
        (Decimal("9.9E+14"), "990000000000000"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("-1.15E-13"), "-0.00000000000012"),
        (Decimal("1E-13"), "0.0000000000001"),
        (Decimal("4E-15"), "0"),
        (Decimal("0.123456789012345"), "0.12345678901234"),
        (Decimal("0.123456789012355"), "0.12345678901236"),
        (Decimal("1.00000000000000000000"), "1"),
        (Decimal("1000000000.0"), "1000000000"),
        (Decimal("-1200000000.00"), "-1200000000"),
        (Decimal("1200000000.50"), "1200000000.50"),
        (Decimal("999999999999999.99999999999999"), "999999999999999.99999999999999"),
        ("", '""'),
        ('a "quoted" \\ text', r'"a \"quoted\" \\ text"'),
        (None, "null"),
    ],
)
def test_value_goes_on_the_wire_in_plain_digits(value: Any, text: str) -> None:
    assert wire(value) == text


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        {},
        [],
        [1],
        10**15,
        -(10**15),
        10**4000,
        Decimal("1E+15"),
        Decimal("1E+999999999"),
        Decimal("-1000000000000000.5"),
        Decimal("999999999999999.999999999999996"),
        "a\x00b",
        "line\nbreak",
        "\x7f",
        "Société",
        "a\xa0b",
        "日本",
        "\x85",
        "\ud800",
        "x" * (MAX_FIELD_TEXT + 1),
    ],
)
def test_what_the_ads_refuses_or_misreads_never_passes(value: Any) -> None:
    with pytest.raises(EvaluationError):
        field_value(value)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_any_decimal_is_refused_or_posted_within_bounds(number: Decimal) -> None:
    with decimal.localcontext(CONTEXT):
        try:
            text = wire(number)
        except EvaluationError:
            assert number.copy_abs() > Decimal("999999999999999.9")
            return
        assert "E" not in text
        assert "e" not in text
        assert len(text.partition(".")[2]) <= 14
        assert abs(Decimal(text)) < 10**15
        assert abs(Decimal(text) - number) <= Decimal("0.5E-14" if abs(number) >= Decimal("1E-13") else "0.5E-13")


def test_refused_text_says_which_character_and_where() -> None:
    with pytest.raises(EvaluationError, match=r"U\+00E9 at position 4"):
        field_value("Soci\xe9t\xe9")


def test_encoder_refuses_what_is_no_field_value() -> None:
    with pytest.raises(NotImplementedError, match="object is no field value"):
        ENCODER.encode({"F": object()})


@pytest.mark.parametrize("ric", ["EUR=TRCC", "a b", "x" * 255])
def test_ric_passes(ric: str) -> None:
    assert clean_ric(ric) == ric


@pytest.mark.parametrize("ric", ["", " EUR=", "EUR= ", "EUR\n", "EÜR=", "x" * 256, "\x00"])
def test_ric_that_names_no_item_is_refused(ric: str) -> None:
    with pytest.raises(EvaluationError, match="RIC"):
        clean_ric(ric)


@pytest.mark.parametrize(
    ("to", "value", "expected"),
    [
        (As.REAL, 1, 1),
        (As.REAL, "1.10", Decimal("1.10")),
        (As.REAL, None, None),
        (As.INT, Decimal("2.000"), 2),
        (As.INT, "1e3", 1000),
        (As.TEXT, Decimal("1.50"), "1.50"),
        (As.TEXT, True, "true"),
        (As.TEXT, "x", "x"),
        (As.DATE, "2026-11-22", "2026-11-22"),
        (As.DATE, "20261122", "2026-11-22"),
        (As.DATE, "2026-11-22T23:30:00-02:00", "2026-11-22"),
        (As.DATE, "2026-11-22T00:00:00+01:00", "2026-11-22"),
        (As.DATE, "2026-11-22T00:00:00Z", "2026-11-22"),
        (As.TIME, "2026-11-22T00:00:00+01:00", "23:00:00"),
        (As.DATETIME, "2026-11-22T00:00:00+01:00", "2026-11-21T23:00:00"),
        (As.TIME, "23:59:60", "23:59:59"),
        (As.TIME, "23:59:60.25Z", "23:59:59.25"),
        (As.TIME, "2026-12-31T23:59:60Z", "23:59:59"),
        (As.TIME, "2026-12-31T23:59:60.123Z", "23:59:59.123"),
        (As.DATETIME, "2027-01-01T08:59:60+09:00", "2026-12-31T23:59:59"),
        (As.DATE, "2026-12-31T23:59:60Z", "2026-12-31"),
        (As.DATE, 1795342530, "2026-11-22"),
        (As.TIME, "10:15", "10:15:00"),
        (As.TIME, "10:15:30.123456789", "10:15:30.123456789"),
        (As.TIME, "10:15:30,5Z", "10:15:30.5"),
        (As.TIME, "00:15:00+01:00", "23:15:00"),
        (As.TIME, "2026-11-22 10:15:30.123+0530", "04:45:30.123"),
        (As.TIME, 1795342530123, "10:15:30.123"),
        (As.TIME, Decimal("1795342530.25"), "10:15:30.25"),
        (As.DATETIME, "2026-11-22T10:15:30Z", "2026-11-22T10:15:30"),
        (As.DATETIME, "2026-11-22T10:15:30+01", "2026-11-22T09:15:30"),
        (As.DATETIME, 1795342530, "2026-11-22T10:15:30"),
        (As.DATETIME, 1795342530123, "2026-11-22T10:15:30.123"),
        (As.DATETIME, 1795342530123456, "2026-11-22T10:15:30.123456"),
        (As.DATETIME, 1795342530123456789, "2026-11-22T10:15:30.123456789"),
        (As.DATETIME, None, None),
    ],
)
def test_as_gives(to: As, value: Any, expected: object) -> None:
    assert conversion(None, Reading(to), None)(value) == expected


@pytest.mark.parametrize(
    ("to", "value"),
    [
        (As.REAL, "1.1.1"),
        (As.REAL, ""),
        (As.REAL, True),
        (As.REAL, "1e400"),
        (As.INT, Decimal("2.5")),
        (As.INT, Decimal("1E+999999999")),
        (As.INT, Decimal("1E-999999999")),
        (As.TEXT, []),
        (As.TEXT, Decimal("1E+999999999")),
        (As.DATE, "2026-02-30"),
        (As.DATE, "0000-01-01"),
        (As.DATE, "10:15"),
        (As.DATE, ""),
        (As.DATE, "2026-1122"),
        (As.DATE, 20261122),
        (As.DATE, True),
        (As.DATE, {}),
        (As.DATE, "0001-01-01T00:00:00+01:00"),
        (As.TIME, "25:99"),
        (As.TIME, "24:00:00"),
        (As.TIME, "10:15:60"),
        (As.TIME, "23:59:61"),
        (As.TIME, "23:59:60+01:00"),
        (As.DATE, "2026-12-31T12:00:60Z"),
        (As.TIME, "2026-11-22"),
        (As.TIME, "T10:15"),
        (As.TIME, "10:15+25:00"),
        (As.TIME, "1\u0660:15"),
        (As.TIME, "10:15:30.1234567891"),
        (As.TIME, 93000),
        (As.TIME, -1),
        (As.TIME, Decimal("1E+999999999")),
        (As.TIME, Decimal("1E-999999999")),
        (As.DATETIME, "2026-11-22"),
        (As.DATETIME, "10:15"),
        (As.DATETIME, "2026112210:15"),
        (As.DATETIME, 20261122101530),
    ],
)
def test_as_refuses_what_it_would_have_to_guess(to: As, value: Any) -> None:
    with pytest.raises(EvaluationError):
        conversion(None, Reading(to), None)(value)


@given(st.one_of(st.text(), st.integers(), st.decimals(allow_nan=False, allow_infinity=False), st.booleans()))
@pytest.mark.parametrize("to", list(As))
def test_as_raises_nothing_but_what_the_mapper_expects(to: As, value: Any) -> None:
    with decimal.localcontext(CONTEXT), contextlib.suppress(EvaluationError, decimal.DecimalException):
        conversion(None, Reading(to), None)(value)


@pytest.mark.parametrize("sign", ["", "+", "-"])
@pytest.mark.parametrize("word", ["NaN", "nan", "Inf", "INF", "inf", "Infinity", "INFINITY", ".inf"])
def test_a_word_that_a_price_field_stores_is_posted_as_text_alone(sign: str, word: str) -> None:
    with pytest.raises(EvaluationError, match="as: text"):
        field_value(sign + word)
    assert conversion(None, Reading(As.TEXT), None)(sign + word) == sign + word


@pytest.mark.parametrize("word", ["Nano", "INFO", "N/A", "infinite", "NaN NaN", " NaN"])
def test_a_word_that_no_price_field_stores_is_text(word: str) -> None:
    assert field_value(word) == word


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (100, "100"),
        (Decimal("100.0"), "100"),
        (Decimal("1E+2"), "100"),
        (Decimal("2.50"), "2.5"),
        (Decimal("-0.0"), "0"),
    ],
)
def test_a_number_in_a_ric_has_no_trailing_zeros(value: Any, part: str) -> None:
    assert ric_text(value) == part


def test_a_ric_is_a_command_to_the_ats_only_where_the_mapping_says_so() -> None:
    with pytest.raises(EvaluationError, match="command to the ATS"):
        price_ric("ATS_DELETE_ALL")
    assert price_ric("XATS_=") == "XATS_="
    assert clean_ric("ATS_DELETE") == "ATS_DELETE"


def test_lookup_finds_text_numbers_and_booleans_by_their_text() -> None:
    table = Lookup({"USD": 840, "1.5": "x", "true": "yes", "blank": None}, ())
    assert [table(key) for key in ("USD", Decimal("1.50"), True, "blank")] == [840, "x", "yes", None]
    absent: list[Any] = [1, False, "usd", []]
    for key in absent:
        with pytest.raises(EvaluationError):
            table(key)


def test_lookup_without_a_hit_gives_the_default() -> None:
    assert Lookup({"USD": 840}, (0,))("CHF") == 0
    assert Lookup({"USD": 840}, (None,))("CHF") is None


def test_steps_follow_lookup_as_round() -> None:
    convert = conversion(Lookup({"a": "1.005"}, ()), Reading(As.REAL), 2)
    assert convert("a") == Decimal("1.00")
    assert convert(None) is None


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (Decimal("1.084135"), 5, "1.08414"),
        (Decimal("1.084145"), 5, "1.08414"),
        (Decimal("0.5"), 0, "0"),
        (Decimal("1.5"), 3, "1.500"),
        (Decimal("0.0000005"), 8, "0.00000050"),
        (7, 2, "7.00"),
        (Decimal("7.0"), 2, "7.00"),
        (-7, 0, "-7"),
        (999_999_999_999_999, 14, "999999999999999"),
        (1_200_000_000, 2, "1200000000"),
    ],
)
def test_round_is_half_to_even(value: Any, places: int, text: str) -> None:
    assert encode_fields({"F": conversion(None, AS_IT_COMES, places)(value)}).decode()[5:-1] == text


def test_round_takes_numbers_within_bounds_only() -> None:
    convert = conversion(None, AS_IT_COMES, 2)
    assert convert(None) is None
    for value in ("1.5", True, Decimal("1E+999999999"), 10**15, Decimal("999999999999999.999")):
        with pytest.raises(EvaluationError):
            convert(value)


SECONDS = st.datetimes().map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S").zfill(19))
ODD = st.text(alphabet="0123456789-:T Z.+", min_size=17, max_size=21)


@given(SECONDS | ODD, st.text(alphabet="0123456789²x", max_size=10), st.sampled_from(["Z", "z", "", "+01:00"]))
def test_the_short_way_to_a_time_gives_what_the_long_one_gives(second: str, fraction: str, zone: str) -> None:
    text = f"{second}.{fraction}{zone}"
    outcomes: list[object] = []
    for read in (times._from_text, times._from_any_text):
        try:
            outcomes.append(read(text))
        except EvaluationError as error:
            outcomes.append(error.text)
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("EUR", '"EUR"'),
        ("Société", '"Société"'),
        ("a\x1b[31m\nb\x9b", '"a\\u001b[31m\\u000ab\\u009b"'),
        ("\u202eabc", '"\\u202eabc"'),
        ("\U000e0001", '"\\U000e0001"'),
    ],
)
def test_what_an_error_shows_of_a_record_steers_no_terminal(value: Any, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("number", "posted"),
    [("4E-14", "0"), ("6E-14", "1E-13"), ("-6E-14", "-1E-13"), ("1.2E-13", "1.2E-13"), ("1E-13", "1E-13")],
)
def test_a_single_digit_in_the_last_place_is_too_fine(number: str, posted: str) -> None:
    with decimal.localcontext(CONTEXT):
        assert field_value(Decimal(number)) == Decimal(posted)
