"""How problems with the configuration are shown: to people, to editors, to programs."""

import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from contribd.cli.common import diagnostics
from contribd.cli.sarif import sarif
from contribd.config.errors import Problem
from contribd.config.excerpt import Excerpt

TAB = "    "
LEAST_WIDTH = 60
"""Columns of a line of source that are shown at least, however narrow the terminal."""
PIPE_WIDTH = 160
"""The same where there is no terminal: what a line of a log or of a review can take."""


class Format(StrEnum):
    """How problems are written."""

    TEXT = "text"
    GNU = "gnu"
    JSON = "json"
    SARIF = "sarif"


FormatOption = Annotated[
    Format,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="How mistakes are told: text, with the line of the file; gnu, a line each, as editors read it (file:line:"
        "column: error: …), on stderr; json (the same as --json) or sarif, for code hosts, on stdout.",
    ),
]


def problem_json(problem: Problem) -> dict[str, Any]:
    """A problem with the configuration as plain data."""
    return {
        "file": str(problem.file),
        "line": problem.line,
        "column": problem.column,
        "end": {"line": problem.end[0], "column": problem.end[1]} if problem.end else None,
        "path": problem.path,
        "code": problem.code,
        "text": problem.text,
        "cure": problem.cure,
    }


def print_problems(problems: Sequence[Problem], form: Format = Format.TEXT) -> None:
    """All of them: on stderr for people and editors, SARIF on stdout."""
    if form is Format.SARIF:
        sys.stdout.write(json.dumps(sarif(problems), indent=2, ensure_ascii=False) + "\n")
    elif form is Format.GNU:
        sys.stderr.write("".join(f"{gnu(problem)}\n" for problem in problems))
    else:
        _print_text(problems)


def gnu(problem: Problem) -> str:
    """One line, in the form that compilers have and every editor reads."""
    code = f" [{problem.code}]" if problem.code else ""
    place = f"{problem.file}:{problem.line}:{problem.column}"
    text = str(problem).removeprefix(f"{place}: ")
    return " ".join(f"{place}: error: {text}{code}".splitlines())


def _print_text(problems: Sequence[Problem]) -> None:
    console = diagnostics()
    gutter = max((len(str(problem.line)) for problem in problems), default=1)
    for problem in problems:
        console.print(_head(problem))
        if problem.excerpt is not None:
            for line in _source(problem.line, problem.excerpt, gutter, _room(console, gutter)):
                console.print(line)
        if problem.cure:
            console.print(Text(f"{' ' * gutter} = ", style="bold blue").append(problem.advice, style="bold green"))
    console.print(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}", style="bold red")


def _head(problem: Problem) -> Text:
    line = Text(f"{problem.file}:{problem.line}:{problem.column}: ", style="bold")
    if problem.path:
        line.append(f"{problem.path}: ", style="cyan")
    line.append(problem.text, style="not bold")
    if problem.code:
        line.append(f" [{problem.code}]", style="not bold dim")
    return line


def _room(console: Console, gutter: int) -> int:
    return max(LEAST_WIDTH, (console.width if console.is_terminal else PIPE_WIDTH) - gutter - 3)


def _source(number: int, shown: Excerpt, gutter: int, room: int) -> list[Text]:
    """The line with its number, and the carets below it."""
    before, marked, after = (
        _printable(part)
        for part in (shown.text[: shown.start], shown.text[shown.start : shown.end], shown.text[shown.end :])
    )
    before, marked, after = _cut(before, marked, after, room)
    edge = Text(f"{' ' * gutter} |", style="bold blue")
    line = Text(f"{number:>{gutter}} | ", style="bold blue").append(before + marked + after, style="not bold default")
    carets = edge.copy().append(" " * (cell_len(before) + 1))
    return [line, carets.append("^" * max(1, cell_len(marked)), style="bold red")]


def _printable(text: str) -> str:
    """Tabs as spaces, whatever would move the cursor as a mark of one column."""
    text = text.replace("\t", TAB)
    return "".join(c if c.isprintable() and cell_len(c) else "\N{REPLACEMENT CHARACTER}" for c in text)


def _cut(before: str, marked: str, after: str, room: int) -> tuple[str, str, str]:
    """What there is room for, with the place in it; … stands for what is left out."""
    if cell_len(before) + cell_len(marked) + cell_len(after) <= room:
        return before, marked, after
    if cell_len(marked) > room // 2:
        marked = _first(marked, room // 2 - 1) + "…"
        after = ""
    rest = room - cell_len(marked)
    if cell_len(before) > rest * 2 // 3:
        before = "…" + _first(before[::-1], rest * 2 // 3 - 1)[::-1]
    if cell_len(after) > rest - cell_len(before):
        after = _first(after, rest - cell_len(before) - 1) + "…"
    return before, marked, after


def _first(text: str, cells: int) -> str:
    """As many characters as fit into so many columns."""
    kept = text[:cells]
    while cell_len(kept) > cells:
        kept = kept[:-1]
    return kept
