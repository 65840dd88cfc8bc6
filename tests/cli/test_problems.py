"""How problems with a configuration are shown."""

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from contribd.cli import problems as shown
from contribd.config.document import parse_document
from contribd.config.errors import Problem


def found(source: str, start: tuple[int, int], end: tuple[int, int] | None = None, cure: str = "") -> Problem:
    document = parse_document(source.encode(), Path("m.yaml"))
    return document._told(start, end, "a.b", "is wrong", "Y199", cure)


def printed(*problems: Problem, width: int = 200, terminal: bool = False, monkeypatch: pytest.MonkeyPatch) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, soft_wrap=True, highlight=False, force_terminal=terminal)
    monkeypatch.setattr(shown, "diagnostics", lambda: console)
    shown.print_problems(problems)
    return stream.getvalue()


def test_place_text_number_line_and_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed(found("x: 1\na: {b: rund(c)}", (2, 8), (2, 12), "write round"), monkeypatch=monkeypatch)
    assert text.splitlines() == [
        "m.yaml:2:8: a.b: is wrong [Y199]",
        "2 | a: {b: rund(c)}",
        "  |        ^^^^",
        "  = write round",
        "1 problem",
    ]


def test_line_numbers_stand_in_one_column(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "\n" * 9 + "b: 1"
    text = printed(found("a: 1", (1, 1), (1, 2)), found(source, (10, 1), (10, 2)), monkeypatch=monkeypatch)
    assert [line for line in text.splitlines() if "|" in line] == [" 1 | a: 1", "   | ^", "10 | b: 1", "   | ^"]


@pytest.mark.parametrize(
    ("source", "at", "end", "lines"),
    [
        ("a:\tb c", 4, 5, ["a:    b c", "      ^"]),
        ("a: 日本語 x", 5, 6, ["a: 日本語 x", "     ^^"]),
        ("a: é x", 4, 5, ["a: é x", "   ^"]),
        ("a: b\r", 4, 5, ["a: b", "   ^"]),
        ("a: ", 4, None, ["a: ", "   ^"]),
        ("a: \u200b[31mx", 4, 5, ["a: \ufffd[31mx", "   ^"]),
        ("a: b", 40, None, ["a: b", "    ^"]),
    ],
)
def test_carets_stand_below_what_is_meant(
    monkeypatch: pytest.MonkeyPatch, source: str, at: int, end: int | None, lines: list[str]
) -> None:
    problem = found(source, (1, at), (1, end) if end else None)
    text = printed(problem, monkeypatch=monkeypatch)
    assert [line[4:] for line in text.split("\n")[1:3]] == lines


@pytest.mark.parametrize("at", [1, 400, 990])
@pytest.mark.parametrize("length", [1, 7, 800])
def test_of_a_long_line_the_part_around_the_place_is_shown(
    monkeypatch: pytest.MonkeyPatch, at: int, length: int
) -> None:
    line = "".join(f"{number:04d}" for number in range(250))
    problem = found(f"'{line}", (1, at), (1, min(at + length, 1002)))
    _, source, carets, _, _ = printed(problem, width=80, terminal=False, monkeypatch=monkeypatch).split("\n")
    assert len(source) <= shown.PIPE_WIDTH
    start = carets.index("^")
    marked = source[start : carets.rindex("^") + 1].strip("…")
    assert marked
    assert f"'{line}"[at - 1 :].startswith(marked)


def test_what_goes_over_several_lines_is_marked_to_the_end_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed(found("a: [1,  \n  2]", (1, 4), (2, 5)), monkeypatch=monkeypatch)
    assert text.splitlines()[1:3] == ["1 | a: [1,  ", "  |    ^^^"]


def test_colours_are_for_terminals_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = found("a: b", (1, 4), (1, 5), "write c")
    coloured = printed(problem, terminal=True, monkeypatch=monkeypatch)
    plain = printed(problem, monkeypatch=monkeypatch)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_a_problem_of_the_file_as_a_whole_has_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed(Problem(Path("c.yaml"), 1, 1, "", "there is no such file"), monkeypatch=monkeypatch)
    assert text.splitlines() == ["c.yaml:1:1: there is no such file", "1 problem"]


def test_the_form_that_editors_read_is_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    shown.print_problems([found("a: b", (1, 4), (1, 5), "write c")] * 2, shown.Format.GNU)
    assert capsys.readouterr().err == "m.yaml:1:4: error: a.b: is wrong; write c [Y199]\n" * 2


def test_sarif_has_rule_region_and_cure(capsys: pytest.CaptureFixture[str]) -> None:
    shown.print_problems([found("a: b", (1, 4), (1, 5), "write c")], shown.Format.SARIF)
    log = json.loads(capsys.readouterr().out)
    (run,) = log["runs"]
    (result,) = run["results"]
    assert log["version"] == "2.1.0"
    assert result["ruleId"] == run["tool"]["driver"]["rules"][0]["id"] == "Y199"
    assert result["message"]["text"] == "a.b: is wrong\nWrite c"
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "m.yaml"},
        "region": {"startLine": 1, "startColumn": 4, "endLine": 1, "endColumn": 5},
    }


def test_plain_data_has_all_of_it() -> None:
    assert shown.problem_json(found("a: b", (1, 4), (1, 5), "write c")) == {
        "file": "m.yaml",
        "line": 1,
        "column": 4,
        "end": {"line": 1, "column": 5},
        "path": "a.b",
        "code": "Y199",
        "text": "is wrong",
        "cure": "Write c",
    }
