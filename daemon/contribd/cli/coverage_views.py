"""How coverage is counted over files, and shown."""

from decimal import Decimal
from typing import Any, NamedTuple

from rich.console import Console
from rich.text import Text

from contribd.cli.suite import Group
from contribd.config.errors import Problem
from contribd.mapping.coverage import Coverage, Point


class Uncovered(NamedTuple):
    """One thing that no test tries."""

    at: Problem
    """Its file, line and column."""
    point: Point


class Report(NamedTuple):
    """The counts, and what is not covered in the order in which it is written."""

    covered: int
    total: int
    uncovered: tuple[Uncovered, ...]

    def reaches(self, percent: Decimal) -> bool:
        """Whether so many percent are covered: exactly, nothing is rounded."""
        return self.covered * 100 >= percent * self.total

    def plain(self) -> dict[str, Any]:
        """For programs."""
        return {
            "covered": self.covered,
            "total": self.total,
            "uncovered": [
                {
                    "file": str(each.at.file),
                    "line": each.at.line,
                    "column": each.at.column,
                    "mapping": each.point.mapping,
                    "what": each.point.what,
                    "needs": each.point.needs,
                }
                for each in self.uncovered
            ],
        }


def report(measured: list[tuple[Group, Coverage]]) -> Report:
    """A thing that is written once counts once, however many mappings take it from a file's defaults."""
    things: dict[tuple[object, ...], Uncovered] = {}
    covered = set[tuple[object, ...]]()
    for group, coverage in measured:
        for key, point in coverage.points.items():
            at = group.mappings.place(point.mapping, point.path, point.offset, key=point.is_key)
            thing = (at.file.absolute(), at.line, at.column, point.what)
            things.setdefault(thing, Uncovered(at, point))
            if key in coverage.covered:
                covered.add(thing)
    left = sorted(
        (each for thing, each in things.items() if thing not in covered), key=lambda each: (each.at, each.point.what)
    )
    return Report(len(covered), len(things), tuple(left))


def show(console: Console, found: Report) -> None:
    """Each thing that is not covered, with what would cover it; then the count."""
    for each in found.uncovered:
        line = Text(f"{each.at.file}:{each.at.line}:{each.at.column}: ", style="bold")
        line.append(f"{each.point.mapping}: ", style="not bold cyan").append(each.point.what, style="not bold default")
        console.print(line.append(f"; needs {each.point.needs}", style="not bold dim"))
    style = "bold green" if found.covered == found.total else "bold yellow"
    console.print(f"coverage: {found.covered} of {found.total}", style=style)
