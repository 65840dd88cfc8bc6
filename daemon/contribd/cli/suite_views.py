"""How the outcome of test cases is shown: as text with the cause of each failure, and as JSON."""

from itertools import groupby
from typing import Any

from rich.console import Console
from rich.text import Text

from contribd.cli.suite import Group, Ran
from contribd.mapping.case_specs import CaseSpec
from contribd.mapping.cases import Comparison, value_of, value_text
from contribd.mapping.causes import Cause, causes
from contribd.mapping.explain import Explanation
from contribd.mapping.scope import Surroundings

MAX_RECORD = 400
"""Characters of a record in the text of a failure."""

Explained = dict[int, tuple[Explanation, Group]]


def show_failures(console: Console, failed: list[Ran], explained: Explained) -> None:
    """Each with its record, what was expected and what came out beside each other, and why."""
    for one in failed:
        head = Text("FAILED ", style="bold red")
        console.print(head.append(f"{one.case.file}:{one.case.line}: {one.result.name}", style="not bold default"))
        console.print(Text(f"    record    {record_text(one.case.test)}", style="dim"))
        if around := surroundings_text(one.case.test):
            console.print(Text(f"    with      {around}", style="dim"))
        _show_comparisons(console, one.result.comparisons)
        for number, line in enumerate(cause_lines(one, explained)):
            console.print(Text(f"    {'because' if number == 0 else '':10}{line}", style="default"))


def show_summary(console: Console, failed: int, passed: int) -> None:
    """The last line."""
    if not failed and not passed:
        console.print("no tests; write some below tests: in a mapping file", style="yellow")
        return
    summary = f"{failed} failed, {passed} passed" if failed else f"{passed} passed"
    console.print(summary, style="bold red" if failed else "bold green")


def _show_comparisons(console: Console, comparisons: tuple[Comparison, ...]) -> None:
    """Side by side; of several posts, those that came out as expected are only counted."""
    different = {each.post for each in comparisons if not each.same}
    told = [each for each in comparisons if not each.post or (each.post in different and not _is_its_name(each))]
    first = max(10, *(len(_row_name(each)) + 2 for each in told))
    second = max(len("expected"), *(len(each.expected) for each in told)) + 2
    console.print(Text(f"    {'':{first}}{'expected':{second}}got", style="dim"))
    for post, rows in groupby(told, key=lambda each: each.post):
        if post:
            console.print(Text(f"    {post}", style="bold"))
        for each in rows:
            console.print(_row(each, first, second))
    if others := len({each.post for each in comparisons} - different - {""}):
        console.print(Text(f"    {others} other post{'s' if others != 1 else ''} as expected", style="dim"))


def _is_its_name(each: Comparison) -> bool:
    return each.same and each.what in ("ric", "service")


def _row(each: Comparison, first: int, second: int) -> Text:
    line = Text(f"  {' ' if each.same else '!'} {_row_name(each):{first}}", style="dim" if each.same else "bold")
    line.append(f"{each.expected:{second}}", style="dim" if each.same else "not bold green")
    return line.append(each.got, style="dim" if each.same else "not bold red")


def _row_name(each: Comparison) -> str:
    name = each.what.removeprefix("fields.")
    return f"  {name}" if each.post else name


def cause_lines(one: Ran, explained: Explained) -> list[str]:
    """Why it came out so, each with its place."""
    if id(one) not in explained:
        return []
    explanation, group = explained[id(one)]
    return [cause.text + _place(cause, group) for cause in causes(explanation, one.result.differences)]


def _place(cause: Cause, group: Group) -> str:
    if cause.site is None:
        return ""
    at = group.mappings.place_of(cause.site)
    return f" [{at.file.name}:{at.line}:{at.column}]"


def record_text(test: CaseSpec) -> str:
    """The record of a case as Kafka would carry it, shortened."""
    value = value_of(test)
    if value is None:
        return "no value"
    try:
        text = value[: MAX_RECORD * 4].decode()
    except UnicodeDecodeError:
        text = value[: MAX_RECORD // 2].hex(" ")
    text = "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text[:MAX_RECORD])
    return text if len(value) <= MAX_RECORD else f"{text}… ({len(value)} bytes)"


def surroundings_text(test: CaseSpec) -> str:
    """What the case says of the record's surroundings."""
    given = [name for name in Surroundings._fields if name in test.model_fields_set]
    return ", ".join(f"@{name} {value_text(getattr(test, name))}" for name in given)


def plain(one: Ran, explained: Explained) -> dict[str, Any]:
    """One case for programs."""
    return {
        "file": str(one.case.file),
        "line": one.case.line,
        "name": one.result.name,
        "passed": one.result.passed,
        "differences": [
            {
                **({"post": each.post} if each.post else {}),
                "what": each.what,
                "expected": each.expected,
                "got": each.got,
            }
            for each in one.result.differences
        ],
        **({} if one.result.passed else {"record": record_text(one.case.test), "because": cause_lines(one, explained)}),
    }
