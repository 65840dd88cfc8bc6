"""The parts of one record by both sets of rules: which one is compared with which."""

from collections.abc import Sequence
from typing import TypeAlias

from contribd.mapping.outcome import Mapped, Outcome, PartOutcome, Several, parts_of

Compared: TypeAlias = tuple[PartOutcome | None, PartOutcome | None]
"""A part by the old rules, and by the new ones; None where they do not make it."""


def paired(old: Outcome, new: Outcome) -> list[Compared]:
    """Each part once, in the order of the new rules; those that only the old rules make are last.

    A part is known by its service and RIC. Where both rules make equally many, those that are left are compared in
    their places: a RIC that is built otherwise is the same post under another name. A record that is rejected or
    ignored as a whole stands against each part of the other side.
    """
    before, after = parts_of(old), parts_of(new)
    partners = _partners(before, after)
    taken = {place for place in partners if place is not None}
    if not taken and (whole := _whole(old)) is not None:
        return [(whole, part) for part in after]
    if not taken and (whole := _whole(new)) is not None:
        return [(part, whole) for part in before]
    pairs: list[Compared] = [
        (None if place is None else before[place], part) for place, part in zip(partners, after, strict=True)
    ]
    return pairs + [(part, None) for place, part in enumerate(before) if place not in taken]


def _partners(before: Sequence[PartOutcome], after: Sequence[PartOutcome]) -> list[int | None]:
    """For each new part, the place of the old one that it is compared with."""
    names = [(part.service, part.ric) for part in before]
    places = {name: place for place, name in enumerate(names) if name[1] is not None}
    found = [places.pop((part.service, part.ric), None) for part in after]
    if len(before) == len(after):
        taken = set(found)
        found = [place if partner is None and place not in taken else partner for place, partner in enumerate(found)]
    return found


def _whole(outcome: Outcome) -> PartOutcome | None:
    """What is said of the whole record, where it is not posted at all."""
    return None if isinstance(outcome, Several | Mapped) else outcome
