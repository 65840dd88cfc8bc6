"""How a plan is shown to people: what matters first, then the tables, then what the traffic has not shown."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from rich.text import Text

from contribd.ops.lines import printable
from contribd.plan.configuration import MappingChanges
from contribd.plan.findings import Finding, Weight, percent, value_text
from contribd.plan.moves import FieldChanges, Move
from contribd.plan.number_patterns import shown
from contribd.plan.outcomes import WORDS, Example, Kind
from contribd.plan.report import Report, Side

FIRST: Final = 5
"""Findings that stand before everything else, so that they are among the first ten lines."""

SHOWN_NAMES: Final = 8
"""Names that are given of a list; the rest is in the JSON document."""

_SERIOUS = "bold red"
_STYLES = {Weight.EXCHANGED: _SERIOUS, Weight.WRONG_PLACE: _SERIOUS, Weight.NOT_POSTED: "red"}


def plan_lines(report: Report) -> Iterator[Text]:
    """The whole of it, a line each."""
    found = report.findings
    yield Text(f"{_side(report.new)} in place of {_side(report.old)}")
    yield Text(_traffic(report))
    for each in report.unread:
        place = f"{each.topic}:{each.partition}:{each.first}" + (f" to {each.last}" if each.last > each.first else "")
        yield Text(f"  {place} could not be read and is left out: {printable(each.reason)}", style="yellow")
    yield _verdict(report)
    yield from _first(found)
    yield Text()
    yield from _outcomes(report)
    yield from _all_findings(found)
    yield from _moves(report)
    yield from _rics(report)
    yield from _configuration(report)
    yield from _not_shown(report)
    yield from (Text(f"note: {printable(note)}", style="yellow") for note in report.notes)


def _side(side: Side) -> str:
    return f"{printable(side.name)} ({side.digest[:12]})"


def _traffic(report: Report) -> str:
    seen = report.traffic
    text = f"over {printable(seen.source)}"
    if seen.earliest is not None and seen.latest is not None:
        text += f", {_time(seen.earliest)} to {_time(seen.latest)}"
    return text


def _time(milliseconds: int) -> str:
    when = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return when.isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z")


def _verdict(report: Report) -> Text:
    gathering = report.gathering
    records, changed = gathering.records, gathering.changed
    posts = f" with {gathering.parts:,} posts" if gathering.parts > records else ""
    text = Text(f"{records:,} record{'s' if records != 1 else ''}{posts}: ", style="bold")
    if not gathering.differ:
        return text.append("all come out the same", style="bold green")
    comes = "comes" if changed == 1 else "come"
    return text.append(f"{changed:,} {comes} out differently, {records - changed:,} the same", style=_SERIOUS)


def _first(found: list[Finding]) -> Iterator[Text]:
    for finding in found[:FIRST]:
        yield Text("  ").append(printable(finding.sentence), style=_STYLES.get(finding.weight, "yellow"))
    if len(found) > FIRST:
        yield Text(f"  and {len(found) - FIRST} more, below")


def _outcomes(report: Report) -> Iterator[Text]:
    gathering = report.gathering
    yield _heading("what becomes of the records" + (", post by post" if gathering.parts > gathering.records else ""))
    for kind in Kind:
        count = gathering.kinds[kind]
        if count or kind in (Kind.SAME, Kind.CHANGED, Kind.NEWLY_REJECTED, Kind.NEWLY_ACCEPTED):
            share = percent(count / gathering.parts) if gathering.parts else "-"
            yield Text(f"  {WORDS[kind]:<46} {count:>13,} {share:>9}", style="" if count else "dim")
    if gathering.reworded:
        yield Text(f"  {'(rejected by the same code, in other words)':<46} {gathering.reworded:>13,}", style="dim")


def _all_findings(found: list[Finding]) -> Iterator[Text]:
    if not found:
        return
    yield from (Text(), _heading("differences, with examples"))
    for finding in found:
        yield Text("  ").append(printable(finding.text), style=_STYLES.get(finding.weight, "yellow"))
        yield from _aligned(finding.examples, finding.weight if finding.field else None)


def _aligned(examples: Iterable[Example], weight: Weight | None) -> Iterator[Text]:
    old, new = (
        "not posted" if weight is absent else None for absent in (Weight.POSTED, Weight.NOT_POSTED)
    )  # which is no blank: an update leaves what the ADS has
    rows = [(each.place, each.ric, old or value_text(each.old), new or value_text(each.new)) for each in examples]
    if rows:
        wide = [max(len(printable(row[column])) for row in rows) for column in range(3)]
        for row in rows:
            place, ric, old, new = map(printable, row)
            yield Text(f"      {place:<{wide[0]}}  {ric:<{wide[1]}}  {old:>{wide[2]}} → {new}", style="dim")


def _moves(report: Report) -> Iterator[Text]:
    groups = sorted(report.gathering.groups.items(), key=lambda item: str(item[0]))
    rows = [
        (f"{pair} {name}", changes, f"{report.gathering.noun(pair)}s")
        for pair, group in groups
        for name, changes in sorted(group.fields.items(), key=lambda item: (-item[1].count, item[0]))
        if changes.farthest is not None
    ]
    if not rows:
        return
    yield from (Text(), _heading("largest moves"))
    wide = max(len(name) for name, _, _ in rows)
    for name, changes, counted in rows:
        yield Text(f"  {name:<{wide}} {changes.count:>13,} {counted:<7}  {_move_text(changes)}")


def _move_text(changes: FieldChanges) -> str:
    text = _one_move(changes.farthest, relative=False)
    steepest = changes.steepest
    if steepest is None or (changes.farthest is not None and steepest.example == changes.farthest.example):
        return f"{text}{'' if steepest is None else ', ' + percent(float(steepest.relative or 0))}"
    return f"{text}; {_one_move(steepest, relative=True)}"


def _one_move(move: Move | None, *, relative: bool) -> str:
    if move is None:
        return ""
    example = move.example
    size = percent(float(move.relative or 0)) if relative else shown(move.distance)
    return f"{size} ({example.place} {printable(example.ric)}: {value_text(example.old)} → {value_text(example.new)})"


def _rics(report: Report) -> Iterator[Text]:
    ledger = report.gathering.rics
    gained, lost = ledger.gained(), ledger.lost()
    yield from (Text(), _heading(f"RICs: {ledger.count:,}, {gained.total:,} gained, {lost.total:,} lost"))
    for what, found in (("gained", gained), ("lost", lost)):
        if found.total:
            yield Text(f"  {what:<7} {_named(found.first, found.total)}")
    if ledger.untold:
        yield Text(
            f"  those beyond the first {ledger.count:,} are not told apart: {ledger.untold:,} posts", style="yellow"
        )


def _configuration(report: Report) -> Iterator[Text]:
    changes = report.mappings
    if not changes and not report.settings:
        return
    yield from (Text(), _heading("the configurations differ in"))
    yield from _mapping_changes(changes)
    for each in report.settings:
        yield Text(f"  {each.path}: {_setting(each.old)} → {_setting(each.new)}")


def _mapping_changes(changes: MappingChanges) -> Iterator[Text]:
    for name in changes.added:
        yield Text(f"  + mapping {printable(name)}", style="green")
    for name in changes.removed:
        yield Text(f"  - mapping {printable(name)}", style="red")
    for old, new in changes.renamed:
        yield Text(f"  ~ mapping {printable(old)} is called {printable(new)}")
    for name, paths in changes.changed.items():
        yield Text(f"  ~ mapping {printable(name)}: {_named(paths, len(paths))}")
    for name in changes.tables:
        yield Text(f"  ~ table {printable(name)}")
    if changes.reordered:
        yield Text("  ~ the order in which mappings are tried")


def _setting(value: Any) -> str:
    return "not there" if value is None else printable(str(value))


def _not_shown(report: Report) -> Iterator[Text]:
    found = report.gathering.new.exercised()
    fields = found.silent_field_count
    if not found.silent_mappings and not fields:
        return
    mappings = f"{len(found.silent_mappings):,} of {found.mappings:,} mappings"
    yield from (Text(), _heading(f"not exercised by this traffic: {mappings}, {fields:,} of {found.fields:,} fields"))
    if found.silent_mappings:
        yield Text(f"  no record was for {_named(found.silent_mappings, len(found.silent_mappings))}")
    for name, silent in found.silent_fields.items():
        if name not in found.silent_mappings:
            yield Text(f"  {printable(name)} never posted {_named(silent, len(silent))}")


def _named(names: Iterable[str], total: int) -> str:
    first = list(names)[:SHOWN_NAMES]
    more = f", and {total - len(first):,} more" if total > len(first) else ""
    return ", ".join(map(printable, first)) + more


def _heading(text: str) -> Text:
    return Text(text, style="bold")
