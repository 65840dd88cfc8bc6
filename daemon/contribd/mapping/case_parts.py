"""Which post of a record each entry of a test's ``posts`` is about."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from contribd.mapping.case_expectations import ExpectedPart
from contribd.mapping.outcome import PartOutcome, Rejected

NO_RIC: Final = "no RIC"
"""What a post is called that was rejected before it had one."""


class Matched(NamedTuple):
    """One post by its name, as it was expected and as it came out; None where it was not."""

    name: str
    expected: ExpectedPart | None
    got: PartOutcome | None


def match(entries: Sequence[ExpectedPart], parts: Sequence[PartOutcome]) -> list[Matched]:
    """The entries in their order, then the posts that none of them is about.

    Posts are known by RIC and service; an entry without a service is about the first one with its RIC that is left.
    """
    left = list(parts)
    found: list[PartOutcome | None] = [None] * len(entries)
    for fits in _FITTING:
        for place, entry in enumerate(entries):
            if found[place] is None:
                found[place] = _taken(left, entry, fits)
    twice = _twice(entries) | _twice(parts)
    return [
        *(Matched(_name(part or entry, twice), entry, part) for entry, part in zip(entries, found, strict=True)),
        *(Matched(_name(part, twice), None, part) for part in left),
    ]


def _taken(
    left: list[PartOutcome], entry: ExpectedPart, fits: Callable[[ExpectedPart, PartOutcome], bool]
) -> PartOutcome | None:
    place = next((place for place, part in enumerate(left) if fits(entry, part)), None)
    return None if place is None else left.pop(place)


_FITTING: Final[tuple[Callable[[ExpectedPart, PartOutcome], bool], ...]] = (
    lambda entry, part: entry.ric is not None and (entry.ric, entry.service) == (part.ric, part.service),
    lambda entry, part: entry.ric is not None and entry.service is None and entry.ric == part.ric,
    lambda entry, part: entry.ric is not None and entry.ric == part.ric,
    lambda entry, part: entry.ric is None and part.ric is None and _fails_so(entry, part),
    lambda entry, part: entry.ric is None and part.ric is None,
)
"""The closest first: what is left takes the next one, so that a wrong service or code is told as such."""


def _fails_so(entry: ExpectedPart, part: PartOutcome) -> bool:
    rejection = entry.rejection
    return rejection is not None and isinstance(part, Rejected) and rejection.fits(part)


def _twice(named: Sequence[ExpectedPart | PartOutcome]) -> set[str]:
    """The RICs that come in several services."""
    found = Counter(ric for ric, _ in {(each.ric, each.service) for each in named} if ric is not None)
    return {ric for ric, count in found.items() if count > 1}


def _name(of: ExpectedPart | PartOutcome, twice: set[str]) -> str:
    if of.ric is None:
        return NO_RIC
    return f"{of.ric} of {of.service}" if of.ric in twice and of.service is not None else of.ric
