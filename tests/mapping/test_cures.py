"""What other languages write, and what is mistyped: told at its place, with a number and a cure."""

import pytest
from tests.mapping.refusals import refused

from contribd.mapping.codes import Code
from contribd.mapping.expression import compile_expression
from contribd.mapping.template import compile_template

MISTAKES = [
    ('asset == "FX" && tenor == "SP"', 14, "M107", 'Write asset == "FX" and tenor == "SP"'),
    ("a || b", 2, "M107", "Write a or b"),
    ("!exists(bid)", 0, "M107", "Write not exists(bid)"),
    ("bid = 2", 4, "M107", "Write bid == 2"),
    ("bid === 2", 4, "M107", "Write bid == 2"),
    ("bid <> 2", 4, "M107", "Write bid != 2"),
    ("bid !== 2", 4, "M107", "Write bid != 2"),
    ("bid > 0 ? bid : ask", 8, "M107", "Write bid if bid > 0 else ask"),
    ("bid ?? ask", 4, "M107", "Write coalesce(bid, ask)"),
    ("bid is None", 4, "M107", "Write bid == null"),
    ("bid is not null", 4, "M107", "Write bid != null"),
    ("bid is not None and ask is None", 4, "M107", "Write bid != null and ask == null"),
    ("bid IS NOT NULL", 4, "M107", "Write bid != null"),
    ('asset in ("FX", "MM")', 9, "M107", 'Write asset in ["FX", "MM"]'),
    ('asset in ("FX")', 9, "M107", 'Write asset in ["FX"]'),
    ('asset in "FX"', 9, "M134", 'Write asset == "FX"'),
    ('asset not in ("FX", "MM")', 13, "M107", 'Write asset not in ["FX", "MM"]'),
    ("round(bid, decimals=2)", 19, "M107", "Write round(bid, 2)"),
    ("bid * 1.", 8, "M105", "Write bid * 1.0"),
    ("bid // 2", 4, "M107", "Write floor(bid / 2)"),
    ("bid ** 2", 4, "M107", "Write bid * bid"),
    ("bid ^ 2", 4, "M107", "Write bid * bid"),
    ("int(bid)", 0, "M107", "Write floor(bid)"),
    ('str(bid) + "x"', 0, "M107", 'Write text(bid) + "x"'),
    ("float(bid) > 1", 0, "M107", "Write number(bid) > 1"),
    ("length(pair)", 0, "M107", "Write len(pair)"),
    ("IF(bid > 0, bid, ask)", 0, "M107", "Write bid if bid > 0 else ask"),
    ("if(bid > 0, bid, ask)", 0, "M105", "Write bid if bid > 0 else ask"),
    ("if bid > 0 then bid else ask", 0, "M105", "Write bid if bid > 0 else ask"),
    ("pair.upper()", 5, "M107", "Write upper(pair)"),
    ('pair.replace("/", "")', 5, "M107", 'Write replace(pair, "/", "")'),
    ('pair.startswith("EUR")', 5, "M107", 'Write starts_with(pair, "EUR")'),
    ("quote.pair.strip()", 11, "M107", "Write trim(quote.pair)"),
    ('f"{pair}=X"', 0, "M107", 'Join the parts, as in pair + "=" + text(n)'),
    ("`bid` > 1", 0, "M107", "Write bid > 1"),
    ("\u201cFX\u201d == asset", 0, "M107", 'Write "FX" == asset'),
    ("asset == \u2018FX\u2019", 9, "M107", "Write asset == 'FX'"),
    ("bid\xa0> 1", 3, "M102", "Write bid > 1"),
    ("bid \u2212 ask", 4, "M107", "Write bid - ask"),
    ("bid \xd7 2", 4, "M107", "Write bid * 2"),
    ("bid \u2013 ask", 4, "M107", "Write bid - ask"),
    ("$.bid", 0, "M107", "Write bid"),
    (".bid", 0, "M107", "Write bid"),
    ("$bid", 0, "M107", "Write bid"),
    ("${bid}", 0, "M107", "Write bid"),
    ("record.bid", 0, "M107", "Write bid"),
    ("this.bid > 1", 0, "M107", "Write bid > 1"),
    ("bid?.x", 3, "M107", "Write bid.x"),
    ('asset == "FX" AND tenor == "SP"', 14, "M107", 'Write asset == "FX" and tenor == "SP"'),
    ("NOT exists(bid)", 0, "M107", "Write not exists(bid)"),
    ("a OR b", 2, "M107", "Write a or b"),
    ("bid > 0 and NOT x", 12, "M107", "Write bid > 0 and not x"),
    ("{bid}", 0, "M107", "Write bid"),
    ("{{ bid }}", 0, "M107", "Write bid"),
    ("nil", 0, "M107", "Write null"),
    ("undefined", 0, "M107", "Write null"),
    ("None", 0, "M107", "Write null"),
    ("True", 0, "M107", "Write true"),
    ("bid == None", 7, "M107", "Write bid == null"),
    ("bid == TRUE", 7, "M107", "Write bid == true"),
    ("1_000", 0, "M103", "Write 1000"),
    ("0x1F", 0, "M103", "Write 31"),
    ("bid + 1,000.5", 6, "M103", "Write bid + 1000.5"),
    ("bid * 5%", 8, "M107", "Write bid * 0.05"),
    ("bid > 5%", 8, "M107", "Write bid > 0.05"),
    (".5", 0, "M107", "Write 0.5"),
    ("bid > .5", 6, "M107", "Write bid > 0.5"),
    ('"abc', 0, "M104", 'Add " where it ends'),
    ("(bid + ask / 2", 0, "M106", "Add ')' where it ends"),
    ("round(bid, 2", 5, "M106", "Add ')' where it ends"),
    ("sizes[0", 5, "M106", "Add ']' where it ends"),
    ('asset in ["FX", "MM"', 9, "M106", "Add ']' where it ends"),
    ("bid + ask)", 9, "M106", "Take it away, or open it before"),
    ("sizes[0]]", 8, "M106", "Take it away, or open it before"),
    ("bid between 1 and 2", 4, "M107", "Write 1 <= bid and bid <= 2"),
    ('x LIKE "a"', 2, "M107", "Write matches(text, pattern) instead of LIKE"),
    ('asset contains "F"', 6, "M107", 'Write "F" in asset'),
    ("bid; ask", 3, "M107", "Use several fields or checks, or let"),
    ("bid # the bid", 4, "M107", "Put the comment behind it, after the quote that ends it"),
    ("1/0", 1, "M131", "Write a value that it takes"),
    ("round(bid, 40)", 11, "M131", "Write a value that it takes"),
    ("bid / 0", 6, "M131", "Write a value that it takes"),
    ("bid % 0", 6, "M131", "Write a value that it takes"),
    ("slice(pair, 1.5)", 12, "M131", "Write a value that it takes"),
    ('split(pair, "")', 12, "M131", "Write a value that it takes"),
    ('number("abc") + bid', 0, "M131", "Write a value that it takes"),
    ('bid <= "9.5"', 7, "M133", "Write 9.5 without quotes"),
    ("upper(bid) == 1", 11, "M132", 'Write "1" in quotes'),
    ("upper(pair) + 1", 12, "M130", "Write text(1), or number(upper(pair))"),
    ("1 < bid < 3", 8, "M108", "Write 1 < bid and bid < 3"),
    ("a == b == c", 7, "M108", "Write a == b and b == c"),
    ("bid if ask > 1", 14, "M105", "Write bid if ask > 1 else null, or another value"),
    ("lookup(ccy, 1)", 0, "M107", "Write table[ccy], with a table under tables:"),
    ("substring(pair, 0, 3)", 0, "M107", "Write slice(pair, start, end)"),
    ("concat(a, b)", 0, "M107", "Write a + b"),
    ("avg(bid, ask)", 0, "M107", "Write (bid + ask) / 2"),
    ('contains(pair, "X")', 0, "M107", 'Write "X" in pair'),
    ("Round(bid, 2)", 0, "M120", "Write round(bid, 2)"),
    ("UPPER(pair)", 0, "M120", "Write upper(pair)"),
    ("rond(bid)", 0, "M120", "Write round(bid)"),
    ("eval(x)", 0, "M120", "Write one of these"),
    ("now()", 0, "M107", "Write @timestamp"),
    ("upper(1)", 6, "M130", "Write text(1)"),
    ("bid ~ 2", 4, "M102", 'Take it away, or put it in quotes: ["odd key"], "text"'),
    ("a & b", 2, "M107", "Write a and b"),
    ("a | b", 2, "M107", "Write a or b"),
    ("bid := 2", 4, "M107", "Write bid == 2"),
    ("x -> y", 2, "M107", "Write item, as in first(list, item.price > 0)"),
    ('"a" "b"', 4, "M105", "Write an operator before it, such as + or and; text stands in quotes"),
    ("bid ask", 4, "M105", "Write an operator before it, such as + or and; text stands in quotes"),
    ("round(bid ask)", 10, "M105", "Write an operator before it, such as + or and; text stands in quotes"),
    ("round bid", 6, "M105", "Write an operator before it, such as + or and; text stands in quotes"),
    ("len pair", 4, "M105", "Write an operator before it, such as + or and; text stands in quotes"),
    ("pair[0:3]", 6, "M107", "Write slice(pair, 0, 3)"),
    ("pair[0,3]", 6, "M105", "Write an operator before it, such as + or and; text stands in quotes"),
    ('"a\\d"', 2, "M104", 'Write \\\\ for a backslash; in a pattern put r before the quote, as in r"^\\d+$"'),
    (
        'matches(pair, "\\d+")',
        15,
        "M104",
        'Write \\\\ for a backslash; in a pattern put r before the quote, as in r"^\\d+$"',
    ),
    ('u"FX"', 0, "M107", "Take the u away"),
    ("@ key", 0, "M107", "Write @key, @headers.NAME or another of the names with @"),
    ("@kye", 0, "M122", 'Write @key; a key of the record that is called so is ["@kye"]'),
    ("\"abc' ", 0, "M104", 'Add " where it ends'),
    ("bid +", 5, "M105", "Write a value behind '+', or take '+' away"),
    ("+ bid", 0, "M105", "Take '+' away, or write a value before it"),
    ("* bid", 0, "M105", "Take '*' away, or write a value before it"),
    ("not", 3, "M105", "Write a value behind 'not', or take 'not' away"),
    ("and bid", 0, "M105", 'Write a value before it, or ["and"] for a key'),
    ("()", 1, "M105", "Write a value behind '(', or take '(' away"),
    ("[1, 2]", 0, "M105", 'Write ["key"], or x in ["FX", "MM"]'),
    ("[bid]", 0, "M105", 'Write ["key"], or x in ["FX", "MM"]'),
    ("bid == [1]", 7, "M105", 'Write ["key"], or x in ["FX", "MM"]'),
    ("asset in [FX]", 10, "M105", 'Write text in quotes, as in ["FX"]'),
    ("asset in FX, MM", 11, "M105", "Write an operator before it, such as + or and; text stands in quotes"),
    ("a.b.", 4, "M105", 'Write a.b["key"] for an odd key, a.b[0] for a position'),
    ("a.1", 2, "M105", 'Write a["key"] for an odd key, a[0] for a position'),
    ("007", 0, "M103", 'Write 7, or "007" where it is text'),
    ("1,000", 0, "M103", "Write 1000"),
    ("bid:.5f", 3, "M107", "Write fixed(bid, 5)"),
    ("bid != null?", 11, "M107", "Write x if condition else y"),
    ("round((bid + ask / 2, 5)", 20, "M105", "Write an operator before it, such as + or and; text stands in quotes"),
    ("abs bid", 4, "M105", "Write an operator before it, such as + or and; text stands in quotes"),
    ("bid == 'x", 7, "M104", "Add ' where it ends"),
    ("max([a, b])", 4, "M105", 'Write ["key"], or x in ["FX", "MM"]'),
    ("any(item.x == 1, list)", 11, "M130", "Write something that gives a list"),
    ('first(book, item.side = "B").price', 22, "M107", 'Write first(book, item.side == "B").price'),
    ("exists(bid + 1)", 11, "M130", "Write one path in it, as in exists(bid) and exists(ask)"),
    ("null + 1", 0, "M130", "Write something that gives a number or text"),
    ("first(sizes, x => x.bid > 1)", 15, "M107", "Write first(sizes, item.bid > 1)"),
    ("any(sizes, lambda x: x.bid > a.x)", 19, "M107", "Write any(sizes, item.bid > a.x)"),
]
TEMPLATES = [
    ('f"{pair}=X"', 0, "M107", "Write {pair}=X, in the quotes of YAML alone"),
    ("{{ pair }}=X", 0, "M107", "Write {pair}=X"),
    ("{{pair}}=X", 0, "M107", "Write {pair}=X"),
    ("${pair}=", 0, "M107", "Write {pair}="),
    ("%s=X", 0, "M107", "Write {pair}=X"),
    ("<pair>=X", 0, "M107", "Write {pair}=X"),
    ("{pair", 0, "M110", "Add '}' behind the expression"),
    ("pair}", 4, "M110", "Take it away, or write { before the expression"),
    ("{}", 1, "M101", "Write one, as in bid or round(bid, 5)"),
    ("{bid > 1}", 1, "M130", "Write {text(bid > 1)}"),
    ("{bid:.5f}", 4, "M107", "Write fixed(bid, 5)"),
    ("%(pair)s=", 0, "M107", "Write {pair}="),
    ('"{pair}="', 0, "M107", "Write {pair}=, in the quotes of YAML alone"),
    ("{None}", 1, "M107", "Write null"),
]


@pytest.mark.parametrize(("source", "at", "code", "cure"), MISTAKES)
def test_mistake_has_its_place_its_number_and_its_cure(source: str, at: int, code: str, cure: str) -> None:
    error = refused(source)
    assert (error.at, error.code, error.cure) == (at, code, cure)


@pytest.mark.parametrize(("source", "at", "code", "cure"), TEMPLATES)
def test_mistake_in_a_template_has_them_too(source: str, at: int, code: str, cure: str) -> None:
    error = refused(source, by=compile_template)
    assert (error.at, error.code, error.cure) == (at, code, cure)


def test_cure_leaves_what_stands_in_quotes() -> None:
    assert refused("a == 'x && y = None' && b == \"AND\"").cure == "Write a == 'x && y = None' and b == \"AND\""


def test_mistakes_of_a_template_are_told_all() -> None:
    first = refused("{a +}{b}{upper(1)}${c}", by=compile_template)
    assert [first.at, *(error.at for error in first.others)] == [4, 15, 18]


def test_key_that_is_called_like_another_languages_word_is_written_in_brackets() -> None:
    expression = compile_expression('["None"] == 1 and ["record"].x == 2 and None.x == 3')
    assert expression.paths == (("None",), ("record", "x"), ("None", "x"))


def test_numbers_are_never_given_twice() -> None:
    assert len({code.value for code in Code}) == len(list(Code))
    assert all(code.meaning for code in Code)


@pytest.mark.parametrize(
    ("source", "cure"),
    [
        ("in_zone(t, 'GMT+5')", "Write Etc/GMT-5"),
        ("in_zone(t, 'GMT-5')", "Write Etc/GMT+5"),
        ("in_zone(t, 'CEST')", "Write a name such as"),
        ("expiry > 2026-12-10", 'Write "2026-12-10" in quotes'),
        ("expiry > 2026-12-01", 'Write "2026-12-01" in quotes'),
        ("avg(sizes)", "Write sum(sizes) / len(sizes)"),
        ("isnull(bid, 0)", "Write coalesce(bid, 0)"),
        ("isnull(bid)", "Write bid == null"),
        ("date(bid)", "Write read_date(bid)"),
    ],
)
def test_a_cure_does_no_harm(source: str, cure: str) -> None:
    assert refused(source).cure.startswith(cure)


@pytest.mark.parametrize("source", ["2026-12", "2000-1-2", "12345-12-10", '"2026-12-10" < day'])
def test_a_difference_that_is_no_date_is_a_difference(source: str) -> None:
    compile_expression(source)
