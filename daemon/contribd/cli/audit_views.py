"""What a verification covered and found, for people and for programs."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from contribd.audit.findings import MEANINGS, Wrong
from contribd.ops.lines import printable

if TYPE_CHECKING:
    from contribd.audit.verification import Verified

_WRONG = "wrong "
_STATUS = "status "


def summary_document(verified: "Verified", notes: Sequence[str]) -> dict[str, Any]:
    """As JSON has it."""
    return {
        "covered": [each._asdict() for each in verified.covered],
        "counts": {name: count for name, count in verified.counts.items() if not name.startswith((_WRONG, _STATUS))},
        "statuses": _named(verified, _STATUS),
        "wrong": _named(verified, _WRONG),
        "empty": verified.is_empty,
        "notes": list(notes),
    }


def summary_lines(verified: "Verified", notes: Sequence[str], not_verified: str = "") -> Iterator[str]:
    """A line for each thing that was looked at, and what came of it; ``not_verified``: what nobody has looked at."""
    for each in verified.covered:
        yield f"{each.place}: offsets {each.first} to {each.end} ({each.why}), {each.records} records"
        for note in each.notes:
            yield f"  {printable(note)}"
    for note in notes:
        yield printable(note)
    yield _counted(verified)
    if verified.is_empty:
        yield "there was no record to look at, which shows nothing"
    elif not verified.wrong:
        yield "nothing is off"
    if not_verified:
        yield not_verified
    for name, count in _named(verified, _WRONG).items():
        yield f"{count} x {name}: {MEANINGS[Wrong(name)]}"


def _counted(verified: "Verified") -> str:
    shown = (f"{count} {name}" for name, count in verified.counts.items() if not name.startswith((_WRONG, _STATUS)))
    statuses = ", ".join(f"{count} {name}" for name, count in sorted(_named(verified, _STATUS).items()))
    return "; ".join([*shown, statuses] if statuses else shown)


def _named(verified: "Verified", prefix: str) -> dict[str, int]:
    return {
        name.removeprefix(prefix): count for name, count in verified.counts.items() if name.startswith(prefix) and count
    }
