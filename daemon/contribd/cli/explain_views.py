"""How the way of one record to its outcome is shown: aligned text, and plain data."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from rich.console import Console
from rich.text import Text

from contribd.config.mappings import MappingFiles
from contribd.mapping.causes import reason_text, shown
from contribd.mapping.explain import Asked, Computed, Explanation, PostExplanation, ValueStep
from contribd.mapping.field_specs import FieldSpec
from contribd.mapping.inputs import Input
from contribd.mapping.outcome import (
    Ignored,
    Mapped,
    Outcome,
    PartOutcome,
    RejectCode,
    Rejected,
    Several,
    Suppressed,
    parts_of,
)
from contribd.mapping.rules import PartSpec

MAX_RECORD = 2_000
"""Characters of a record that are shown."""

MAX_NOT_MADE = 20
"""Posts of a record that are shown as not made, each with the reason; of more the number is told."""

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
    of_posts = dict(zip(map(id, parts_of(found.outcome)), messages, strict=True))
    _print_rows(console, [*_asked_rows(found), *_way_lines(found, of_posts, files)])


def _way_lines(found: Explanation, messages: Mapping[int, bytes], files: MappingFiles) -> Iterator[Row | Text]:
    """What was computed, and what came of it: post by post, where there are several."""
    spec = None if found.outcome.mapping is None else files.written[found.outcome.mapping].spec
    if not found.posts:
        yield from _post_lines(found, spec and spec.post_at(0), messages, files)
        return
    for each in found.computed:
        yield from _rows(each.what, each)
    not_made = 0
    for post in found.posts:
        not_made += post.outcome is None
        if post.place is None or spec is None or (post.outcome is None and not_made > MAX_NOT_MADE):
            continue
        answer = "" if post.outcome is not None else f": not made: {'; '.join(map(reason_text, post.why_not))}"
        yield Row(f"{post.place.text or 'the post'}{answer}", "", "", head=True)
        yield from _post_lines(post, spec.post_at(post.place.post), messages, files)
    if not_made > MAX_NOT_MADE:
        yield Row(f"and {not_made - MAX_NOT_MADE} more that are not made", "", "", head=True)


def _post_lines(
    found: PostExplanation, spec: PartSpec | None, messages: Mapping[int, bytes], files: MappingFiles
) -> Iterator[Row | Text]:
    if spec is not None:
        yield from _computed_rows(found, spec)
    outcome = found.outcome
    if outcome is not None and not isinstance(outcome, Several):
        yield _end(outcome, messages[id(outcome)])
    if found.failed is not None:
        yield Text(f"           at {_place(found.failed, files)}", style="dim")


def _print_rows(console: Console, lines: list[Row | Text]) -> None:
    """Rows in columns, and what stands between them."""
    rows = [line for line in lines if isinstance(line, Row) and not line.head]
    names = max([len(row.name) for row in rows] + [8]) + 2
    steps = min(max([len(row.step) for row in rows] + [8]), _WIDEST) + 2
    for each in lines:
        if isinstance(each, Text):
            console.print(each)
        elif each.head:
            console.print(Text(f"  {each.name}", style="bold"))
        else:
            line = Text(f"    {each.name:{names}}").append(f"{each.step:{steps}}", style="cyan")
            console.print(line.append(each.value, style="red" if each.bad else ""))


def _place(computed: Computed, files: MappingFiles) -> str:
    at = files.place_of(computed.site)
    return f"{at.file}:{at.line}:{at.column}"


def _end(outcome: PartOutcome, message: bytes) -> Text:
    if isinstance(outcome, Mapped):
        return Text("  posted   ", style="bold green").append(message.decode(), style="not bold default")
    if isinstance(outcome, Ignored):
        return Text("  ignored  ", style="bold").append(outcome.text, style="not bold")
    if isinstance(outcome, Suppressed):
        told = f"{outcome.code}: {outcome.text}"
        return Text("  suppressed ", style="bold yellow").append(told, style="not bold default")
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


def _computed_rows(found: PostExplanation, spec: PartSpec) -> Iterator[Row]:
    outcome = found.outcome
    for each in found.computed:
        if each.site.section not in {"checks", "fields"} or each.site.in_key:
            yield from _rows(each.what, each)
    by_name = {each.what: each for each in found.computed}
    if outcome is not None and outcome.ric is not None and "ric" not in by_name:
        yield Row("ric", "value", shown(outcome.ric))
    for name, field in spec.fields.items():
        yield from _field_rows(name, field, by_name.get(name), outcome)
    for each in found.computed:
        if each.site.section == "checks":
            yield from _rows("check", each)


def _field_rows(name: str, spec: FieldSpec, computed: Computed | None, outcome: Outcome | None) -> Iterator[Row]:
    is_posted = isinstance(outcome, Mapped | Suppressed)
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


def plain(found: Explanation, part: int, files: MappingFiles) -> dict[str, Any]:
    """The way to one part of the record as data: what was asked, what was computed, each with its place and steps.

    The first part has what was computed once for all of them, and the posts that are not made.
    """
    outcome = parts_of(found.outcome)[part]
    posts = [each for each in found.posts if each.outcome is outcome]
    ways: list[PostExplanation] = [found, *posts] if part == 0 else posts  # of the record itself once
    told: dict[str, Any] = {
        "asked": [
            {
                "mapping": each.mapping,
                "taken": each.taken,
                "why_not": [reason_text(reason) for reason in each.why_not],
                "when": None if each.when is None else _plain(each.when, files),
            }
            for each in found.asked
        ],
        "computed": [{"what": each.what, **_plain(each, files)} for way in ways for each in way.computed],
    }
    if posts:
        told["places"] = [each.place.text for each in posts if each.place is not None]
    if part == 0 and (not_made := [each for each in found.posts if each.outcome is None]):
        told["not_made"] = [
            {"place": each.place and each.place.text, "why_not": [reason_text(reason) for reason in each.why_not]}
            for each in not_made
        ]
    return told


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
