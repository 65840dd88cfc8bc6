"""What a line of the source may show: no secret, wherever and however it is written."""

from pathlib import Path

import pytest

from contribd.config.document import parse_document
from contribd.config.excerpt import MASK, excerpt, masked_spans

SECRET = "hunter2"  # noqa: S105 - looked for, not used


def shown(text: str) -> list[str]:
    lines = text.split("\n")
    return [excerpt(line, spans, 0, 0).text for line, spans in zip(lines, masked_spans(lines), strict=True)]


@pytest.mark.parametrize(
    "text",
    [
        "password: hunter2",
        'password: "hunter2"',
        "client_secret : 'hunter2'",
        'client: {"ssl_password": hunter2}',
        "client: {ssl_password: hunter2, linger_ms: 5}",
        "client: {linger_ms: 5, ssl_password: hunter2",
        "  sasl_plain_password: a hunter2 # hunter2",
        "- password:hunter2",
        "password hunter2",
        "password=hunter2",
        "password: ${NAME:-hunter2}",
        "password: ${NAME}hunter2",
        "password: |\n  one\n\n  hunter2\nuser: x",
        "password:\n  hunter2",
        'password: "one\n  hunter2"',
        "token: [hunter2, hunter2]",
        "credentials:\n  user: hunter2\n  other: hunter2",
        "endpoints: [wss://hunter2:hunter2@ads:443/WebSocket]",
        "proxy: {address: hunter2:hunter2@proxy:3128}",
        "PASSWORD: hunter2",
        "{password: hunter2}",
    ],
)
def test_a_secret_is_masked(text: str) -> None:
    assert SECRET not in "\n".join(shown(text))
    assert MASK in "\n".join(shown(text))


@pytest.mark.parametrize(
    "text",
    [
        "password: ${PASSWORD}",
        'password: "${credential:ads-password}"  # from systemd',
        "auth: {password: '${PASSWORD:?set it}', user: x}",
        "auth: {type: password-grant, scope: x}",
        '- token == "x"',
        "when: token == 1",
        "endpoints: [ws://ads:15000/WebSocket]",
        'ric: "{@key}=X"',
        "password:\nuser: x",
    ],
)
def test_what_is_no_secret_is_shown_as_it_is(text: str) -> None:
    assert "\n".join(shown(text)) == text


def test_what_stands_behind_a_secret_is_shown_and_marked_in_its_place() -> None:
    line = "client: {ssl_password: hunter2, linger: 5}"
    at = line.index("linger")
    made = excerpt(line, masked_spans([line])[0], at, at + 6)
    assert made.text == "client: {ssl_password: ***, linger: 5}"
    assert made.text[made.start : made.end] == "linger"


@pytest.mark.parametrize(("start", "end"), [(10, 17), (10, 12), (12, 14), (16, 17), (11, 17)])
def test_a_place_within_a_secret_marks_the_mask_and_tells_no_length(start: int, end: int) -> None:
    line = "password: hunter2"
    made = excerpt(line, masked_spans([line])[0], start, end)
    assert made.text[made.start : made.end] == MASK


def test_a_place_and_its_end_are_those_of_the_file() -> None:
    document = parse_document(b"\xef\xbb\xbfa: 1\r\nc: \xe6\x97\xa5\xe6\x9c\xac", Path("c.yaml"))
    problem = document.problem(("c",), "wrong")
    assert (problem.line, problem.column, problem.end) == (2, 4, (2, 6))
    assert problem.excerpt is not None
    assert problem.excerpt == ("c: 日本", 3, 5)


@pytest.mark.parametrize("marked", ["bid", "rund", "(", '"a b"', ">=", "@key"])
def test_the_whole_token_of_an_expression_is_marked(marked: str) -> None:
    document = parse_document(b"""a: 'bid + rund(x, "a b")  >= @key'""", Path("c.yaml"))
    offset = document.data["a"].index(marked)
    problem = document.problem(("a",), "wrong", offset=offset, code="M101")
    assert problem.excerpt is not None
    assert problem.excerpt.text[problem.excerpt.start : problem.excerpt.end] == marked


def test_a_key_that_is_wrong_is_marked_and_not_its_value() -> None:
    problem = parse_document(b"a: {bcd: 1}", Path("c.yaml")).problem(("a", "bcd"), "wrong", key=True)
    assert problem.excerpt == ("a: {bcd: 1}", 4, 7)


def test_where_a_key_is_missing_its_section_is_marked() -> None:
    problem = parse_document(b"abc:\n  d: 1\n", Path("c.yaml")).problem(("abc", "x"), "missing")
    assert problem.excerpt == ("abc:", 0, 3)
