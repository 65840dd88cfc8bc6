"""How the way of one record to its outcome is shown: aligned text, and plain data."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from rich.console import Console
from rich.text import Text

from contribd.config.mappings import MappingFiles
from contribd.mapping.causes import reason_text, shown
from contribd.mapping.explain import Asked, Computed, Explanation, ValueStep
from contribd.mapping.inputs import Input
from contribd.mapping.outcome import Ignored, Mapped, Outcome, PartOutcome, RejectCode, Rejected, Several, parts_of
from contribd.mapping.rules import FieldSpec

MAX_RECORD = 2_000
"""Characters of a record that are shown."""

_SHOWN_BYTES = 64
_A_ROW = 16
_WIDEST = 60


class Row(NamedTuple):
    """A line of three columns: what it belongs to, the expression or step, what that came to."""

    name: str
    step: str
    value: str
    bad: bool = False
    head: bool = False


def show(
    console: Console, label: str, record: Input, found: Explanation, messages: Sequence[bytes], files: MappingFiles
) -> None:
    """One record; ``messages``: its posts as they go on the wire, empty where one is not posted."""
    console.print(Text(label, style="bold"))
    for line in [*_record_lines(record, found), *_surroundings(record)]:
        console.print(Text(f"  {line}", style="dim"))
    _print_rows(console, [*_asked_rows(found), *_computed_rows(found, files)])
    for part, message in zip(parts_of(found.outcome), messages, strict=True):
        console.print(_end(part, message))
    if found.failed is not None:
        console.print(Text(f"           at {_place(found.failed, files)}", style="dim"))


def _print_rows(console: Console, rows: list[Row]) -> None:
    names = max([len(row.name) for row in rows if not row.head] + [8]) + 2
    steps = min(max([len(row.step) for row in rows if not row.head] + [8]), _WIDEST) + 2
    for row in rows:
        if row.head:
            console.print(Text(f"  {row.name}", style="bold"))
            continue
        line = Text(f"    {row.name:{names}}").append(f"{row.step:{steps}}", style="cyan")
        console.print(line.append(row.value, style="red" if row.bad else ""))


def _place(computed: Computed, files: MappingFiles) -> str:
    at = files.place_of(computed.site)
    return f"{at.file}:{at.line}:{at.column}"


def _end(outcome: PartOutcome, message: bytes) -> Text:
    if isinstance(outcome, Mapped):
        return Text("  posted   ", style="bold green").append(message.decode(), style="not bold default")
    if isinstance(outcome, Ignored):
        return Text("  ignored  ", style="bold").append(outcome.text, style="not bold")
    return Text("  rejected ", style="bold red").append(f"{outcome.code}: {outcome.text}", style="not bold default")


def _record_lines(record: Input, found: Explanation) -> Iterator[str]:
    value = record.value
    if value is None:
        yield "no value"
        return
    if isinstance(found.outcome, Rejected) and found.outcome.code is RejectCode.BAD_RECORD:
        yield f"{len(value)} bytes"
        yield from _dump(value)
        return
    text = value[: MAX_RECORD * 4].decode(errors="replace")
    printable = "".join(each if each.isprintable() else " " for each in text[:MAX_RECORD])
    yield printable if len(text) <= MAX_RECORD else f"{printable}… ({len(value)} bytes)"


def _surroundings(record: Input) -> Iterator[str]:
    """What is known of the record in Kafka; of a line that says nothing of it, nothing."""
    around = record.surroundings
    known = [("@key", around.key), ("@timestamp", around.timestamp), ("@headers", around.headers)]
    if told := ", ".join(f"{name} {shown(value)}" for name, value in known if value not in (None, {})):
        yield told


def _dump(value: bytes) -> Iterator[str]:
    """The first bytes, as numbers and as text."""
    for at in range(0, min(len(value), _SHOWN_BYTES), _A_ROW):
        row = value[at : at + _A_ROW]
        text = "".join(chr(each) if 32 <= each < 127 else "." for each in row)
        yield f"{at:04x}  {row.hex(' '):{_A_ROW * 3}} {text}"
    if len(value) > _SHOWN_BYTES:
        yield "…"


def _asked_rows(found: Explanation) -> Iterator[Row]:
    for each in found.asked:
        yield Row(f"mapping {each.mapping}: {_answer(each)}", "", "", head=True)
        if each.when is not None:
            yield from _rows("when", each.when)


def _answer(asked: Asked) -> str:
    if asked.taken:
        return "taken" if asked.when else "taken, it has no when"
    return f"not taken: {'; '.join(map(reason_text, asked.why_not))}"


def _computed_rows(found: Explanation, files: MappingFiles) -> Iterator[Row]:
    outcome = found.outcome
    if outcome.mapping is None:
        return
    fields = files.written[outcome.mapping].spec.fields
    for each in found.computed:
        if each.what != "check" and each.what not in fields:
            yield from _rows(each.what, each)
    by_name = {each.what: each for each in found.computed}
    if not isinstance(outcome, Several) and outcome.ric is not None and "ric" not in by_name:
        yield Row("ric", "value", shown(outcome.ric))
    for name, spec in fields.items():
        yield from _field_rows(name, spec, by_name.get(name), outcome)
    for each in found.computed:
        if each.what == "check":
            yield from _rows("check", each)


def _field_rows(name: str, spec: FieldSpec, computed: Computed | None, outcome: Outcome) -> Iterator[Row]:
    is_posted = isinstance(outcome, Mapped)
    if computed is not None:
        yield from _rows(name, computed)
        if is_posted and computed.last.error is not None:
            yield Row("", f"missing: {spec.missing}", "null" if spec.missing == "blank" else "not posted")
    elif is_posted:
        yield Row(name, "value", shown(spec.value))


def _rows(name: str, computed: Computed) -> Iterator[Row]:
    steps = [*computed.parts, *computed.after]
    told = set[str]()
    for number, step in enumerate(steps):
        # An error rises through all that is around it: once is enough.
        if step.error is None or step.error not in told:
            yield Row(name if number == 0 else "", step.text, _value(step), bad=step.error is not None)
        told.add(step.error or "")
    if computed.left_out:
        yield Row("", f"and {computed.left_out} steps more", "")


def _value(step: ValueStep) -> str:
    return step.error if step.error is not None else shown(step.value)


def plain(found: Explanation, files: MappingFiles) -> dict[str, Any]:
    """The way as data: what was asked, what was computed, each with its place and steps."""
    return {
        "asked": [
            {
                "mapping": each.mapping,
                "taken": each.taken,
                "why_not": [reason_text(reason) for reason in each.why_not],
                "when": None if each.when is None else _plain(each.when, files),
            }
            for each in found.asked
        ],
        "computed": [{"what": each.what, **_plain(each, files)} for each in found.computed],
    }


def _plain(computed: Computed, files: MappingFiles) -> dict[str, Any]:
    at = files.place_of(computed.site)
    return {
        "expression": computed.source,
        "file": str(at.file),
        "line": at.line,
        "column": at.column,
        "steps": [
            {"step": step.text, **({"error": step.error} if step.error is not None else {"value": _json(step.value)})}
            for step in (*computed.parts, *computed.after)
        ],
    }


def _json(value: Any) -> Any:
    """A value as JSON has it; what it has no form for, as text."""
    try:
        msgspec.json.encode(value)
    except (TypeError, ValueError):
        return str(value)
    return value
