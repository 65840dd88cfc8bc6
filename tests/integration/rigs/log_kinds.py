"""What an operator reads of a run: the kinds of lines at level warning and above, and what none of them may name."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

LEVELS: Final = frozenset({"warning", "error", "critical"})
OF_THE_MACHINE: Final = frozenset({"clock", "control"})
"""Parts whose warnings say how the machine that tests this is set up."""

UNTOLD: Final = "no line of ours"
"""The level of what is in a log without being one of its lines, such as a traceback."""

_PARTICULARS: Final = (
    (re.compile(r"'[^']*'|\"[^\"]*\""), "'…'"),
    (re.compile(r"\b[\w.-]+:\d+:\d+\b"), "TOPIC:PARTITION:OFFSET"),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b"), "ADDRESS"),
    (re.compile(r"\b[a-z]+(?:-[a-z]+)*-\d+-\d+-[0-9a-f]{6}\b"), "NAME"),
    (re.compile(r"\d[\d.,]*"), "N"),
)
"""What differs between two lines of one kind."""

_INTERNALS: Final = (
    re.compile(r"<[^<>]* object at 0x[0-9a-f]+|<[A-Z]\w+[^<>]*>|\b0x[0-9a-f]{6,}"),
    re.compile(r"\b[A-Z][a-z0-9]+(?:[A-Z][A-Za-z0-9]*)*(?:Error|Exception)\b"),
    re.compile(r"(?<![\w.])_(?!_consumer_offsets|_transaction_state)\w+|\b(?:kafka|contribd)(?:\.\w+)+"),
    re.compile(r"Traceback|\bTask\b|\b\w+\(\)"),
)
"""An object, a class of the program, something private, or a part of the program."""


@dataclass
class LogKind:
    """Lines that differ in particulars alone."""

    level: str
    text: str
    count: int
    example: str

    @property
    def internal(self) -> str | None:
        """What it names of the inside of the program."""
        return next((found.group() for each in _INTERNALS if (found := each.search(self.example))), None)


def kinds_of(logs: Iterable[Path]) -> list[LogKind]:
    """Of all lines at level warning and above in these logs, the most frequent first."""
    kinds: dict[tuple[str, str], LogKind] = {}
    for log in logs:
        for line in log.read_text(errors="replace").splitlines():
            level, text, shown = _parse(line)
            if level in LEVELS or level == UNTOLD:
                kind = kinds.setdefault((level, text), LogKind(level, text, 0, shown))
                kind.count += 1
    return sorted(kinds.values(), key=lambda kind: -kind.count)


def _parse(line: str) -> tuple[str, str, str]:
    """Level, what makes its kind, and the line as it is shown."""
    try:
        entry: Any = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict) or "event" not in entry:
        return UNTOLD, _without_particulars(line), line
    facts = {name: value for name, value in entry.items() if name not in {"event", "level", "part", "time"}}
    told = f"{entry.get('part', 'library')}: {entry['event']}"
    reason = facts.get("error", facts.get("reason", ""))
    shown = " ".join([told, *(f"{name}={value}" for name, value in facts.items())])
    return str(entry.get("level", "")), _without_particulars(f"{told} {reason}".strip()), shown


def _without_particulars(text: str) -> str:
    for pattern, instead in _PARTICULARS:
        text = pattern.sub(instead, text)
    return text
