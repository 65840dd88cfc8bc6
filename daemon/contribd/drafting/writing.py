"""A draft as a mapping file, with its tests."""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from contribd.drafting.draft import Draft
from contribd.drafting.fields import Proposal
from contribd.drafting.samples import Sample
from contribd.mapping.outcome import Mapped, Outcome, Rejected

NAME: Final = "prices"
"""What the mapping is called."""
_COLUMN: Final = 40
"""Where comments begin, if there is room."""
_WIDTH: Final = 118
VARIABLE: Final = "${"
"""Refused in mapping files, wherever it stands."""
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z", re.ASCII)
_DOUBTFUL: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
"""Words that YAML may not read as text."""
_DEEPEST: Final = 20
_LONGEST_NUMBER: Final = 30


def mapping_text(draft: Draft, samples: Sequence[Sample], tested: Sequence[tuple[int, Sample, Outcome]]) -> str:
    """The file. ``tested``: samples with their numbers from 1, and what the mapper makes of each."""
    return "\n".join([*_head(len(samples)), *_mapping(draft), *_left_out(draft), *_tests(tested)]) + "\n"


def _head(samples: int) -> list[str]:
    of = f"{samples} sample records" if samples > 1 else "a sample record"
    return [
        "# yaml-language-server: $schema=../schemas/mapping.schema.json",
        "#",
        f"# Made by contribd init of {of}. The fields were chosen by names and values of the record: read",
        "# each line before anything is posted, above all those that say guess.",
        "# What mappings can say is in docs/mapping.md. `contribd test` runs the tests below.",
        "",
    ]


def _mapping(draft: Draft) -> Iterator[str]:
    yield "mappings:"
    yield f"  - name: {NAME}"
    if draft.when is not None:
        yield from _noted(f"    when: {_expression(draft.when)}", draft.when_note)
    elif draft.when_note:
        yield f"    # when: {draft.when_note}   # true of every sample; for a topic with other records, too"
    yield from _noted(f"    ric: {quoted(draft.ric)}", draft.ric_note)
    yield "    fields:"
    for proposal in draft.fields:
        yield from _field(proposal)
    if draft.checks:
        yield "    checks:"
        for check, note in draft.checks:
            yield from _noted(f"      - {_expression(check)}", note)
    yield ""


def _field(proposal: Proposal) -> Iterator[str]:
    name, source = quoted_name(proposal.acronym), _expression(proposal.source)
    if not proposal.settings:
        yield from _noted(f"      {name}: {source}", proposal.note)
        return
    if "lookup" not in proposal.settings:
        settings = ", ".join(f"{key}: {value}" for key, value in proposal.settings.items())
        yield from _noted(f"      {name}: {{from: {quoted_in_flow(proposal.source)}, {settings}}}", proposal.note)
        return
    yield from _noted(f"      {name}:", proposal.note)
    yield f"        from: {source}"
    for key, value in proposal.settings.items():
        yield from _wrapped(f"        {key}: {value}", "          ")


def _left_out(draft: Draft) -> Iterator[str]:
    if draft.left_out:
        yield "# Left out of the record:"
        yield from (f"#   {path}: {reason}" for path, reason in draft.left_out)
        yield ""


def _tests(tested: Sequence[tuple[int, Sample, Outcome]]) -> Iterator[str]:
    if tested:
        yield "# What these samples come to by the mapping above. Where it is changed, change them with it."
        yield "tests:"
    for number, sample, outcome in tested:
        yield f"  - name: sample {number}"
        yield from _record(sample)
        if (key := sample.given.surroundings.key) is not None:
            yield f"    key: {quoted(key)}"
        yield from _expected(outcome)


def _expected(outcome: Outcome) -> Iterator[str]:
    if isinstance(outcome, Mapped):
        fields = [f"{quoted_name(name)}: {flow(value)}" for name, value in outcome.fields.items()]
        line = f"      fields: {{{', '.join(fields)}}}"
        yield "    post:"
        yield f"      ric: {quoted(outcome.ric)}"
        yield from [line] if len(line) <= _WIDTH else ["      fields:", *(f"        {each}" for each in fields)]
    elif isinstance(outcome, Rejected):
        yield f"    rejected: {outcome.code}   # {_comment(outcome.text)}"


def _noted(line: str, note: str) -> Iterator[str]:
    """A line with its note behind it, or before it where both are too long."""
    together = f"{line:<{_COLUMN - 2}}  # {note}"
    if note and len(together) > _WIDTH:
        indent = " " * (len(line) - len(line.lstrip()))
        yield from textwrap.wrap(note, _WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")
    yield together if note and len(together) <= _WIDTH else line


def _wrapped(line: str, indent: str) -> Iterator[str]:
    """What YAML lets go on over several lines: what stands in braces. No text of the record is in it."""
    first = " " * (len(line) - len(line.lstrip()))
    together = line.strip().replace(": ", ":\0")  # a key and its value stay on one line
    for part in textwrap.wrap(together, _WIDTH, initial_indent=first, subsequent_indent=indent):
        yield part.replace("\0", " ")


def _comment(text: str) -> str:
    return json.dumps(text)[1:-1].replace("\x7f", "")


def _record(sample: Sample) -> Iterator[str]:
    """The record as YAML where that says the same, else as the text of its JSON."""
    if not _is_plain(sample.record, 0):
        text = flow(sample.record, strict=True).replace("'", "''")
        yield f"    value: '{text}'"
        return
    line = f"    record: {flow(sample.record)}"
    if len(line) <= _WIDTH:
        yield line
        return
    yield "    record:"
    yield from (f"      {quoted_name(key)}: {flow(value)}" for key, value in sample.record.items())


def _is_plain(value: Any, depth: int) -> bool:
    if isinstance(value, dict):
        return depth < _DEEPEST and all(_is_plain(k, depth) and _is_plain(v, depth + 1) for k, v in value.items())
    if isinstance(value, list):
        return depth < _DEEPEST and all(_is_plain(each, depth + 1) for each in value)
    if isinstance(value, str):
        return value.isprintable() and VARIABLE not in value and all(ord(character) < 0x10000 for character in value)
    if isinstance(value, Decimal):
        return abs(value.adjusted()) < _LONGEST_NUMBER and len(str(value)) <= _LONGEST_NUMBER
    return not isinstance(value, int) or isinstance(value, bool) or len(str(value)) <= _LONGEST_NUMBER


def flow(value: Any, *, strict: bool = False) -> str:
    """A value as YAML on one line; ``strict``: as JSON, in printable ASCII."""
    if isinstance(value, dict):
        return _section(value, strict)
    if isinstance(value, list):
        return f"[{', '.join(flow(each, strict=strict) for each in value)}]"
    if isinstance(value, str):
        return _text(value) if strict else quoted(value)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return str(value)


def _section(value: Mapping[str, Any], strict: bool) -> str:
    name = _text if strict else quoted_name
    return f"{{{', '.join(f'{name(key)}: {flow(each, strict=strict)}' for key, each in value.items())}}}"


def quoted_name(key: str) -> str:
    """A key, in quotes where YAML needs them."""
    return key if _WORD.match(key) and key.lower() not in _DOUBTFUL else _text(key)


def quoted(value: str) -> str:
    """Text, in quotes where YAML needs them or may be thought to."""
    return quoted_name(value)


def quoted_in_flow(expression: str) -> str:
    """An expression within braces: only the simplest need no quotes there."""
    return (
        expression if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", expression) and _safe(expression) else _text(expression)
    )


def _expression(source: str) -> str:
    """An expression as the value of a key."""
    plain = re.fullmatch(r"[A-Za-z_][ -~]*", source) and not re.search(r": | #|[:\s]$", source) and _safe(source)
    return source if plain else _text(source)


def _safe(source: str) -> bool:
    return source.lower() not in _DOUBTFUL


def _text(value: str) -> str:
    return json.dumps(value).replace("\x7f", "\\u007f").replace(VARIABLE, "\\u0024{")
