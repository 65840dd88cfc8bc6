"""What two sets of rules make of one post of a record, and how the two differ."""

from enum import StrEnum
from types import NoneType
from typing import Final, NamedTuple

from contribd.mapping.outcome import FieldValue, Ignored, Mapped, PartOutcome, Rejected, Suppressed


class Kind(StrEnum):
    """How the outcomes of one part of a record differ."""

    SAME = "same"
    CHANGED = "changed"
    OTHER_MAPPING = "other_mapping"
    NEWLY_REJECTED = "newly_rejected"
    NEWLY_ACCEPTED = "newly_accepted"
    REJECTED_OTHERWISE = "rejected_otherwise"
    NEWLY_IGNORED = "newly_ignored"
    NO_LONGER_IGNORED = "no_longer_ignored"
    NEWLY_SUPPRESSED = "newly_suppressed"
    NO_LONGER_SUPPRESSED = "no_longer_suppressed"
    SUPPRESSED_OTHERWISE = "suppressed_otherwise"
    GAINED = "gained"
    LOST = "lost"

    __hash__ = str.__hash__


WORDS: Final = {
    Kind.SAME: "the same",
    Kind.CHANGED: "posted with other values, RIC, service or type",
    Kind.OTHER_MAPPING: "the same post, by another mapping",
    Kind.NEWLY_REJECTED: "newly rejected",
    Kind.NEWLY_ACCEPTED: "newly accepted",
    Kind.REJECTED_OTHERWISE: "rejected with another code",
    Kind.NEWLY_IGNORED: "newly ignored",
    Kind.NO_LONGER_IGNORED: "no longer ignored",
    Kind.NEWLY_SUPPRESSED: "newly suppressed by a publish rule",
    Kind.NO_LONGER_SUPPRESSED: "no longer suppressed by a publish rule",
    Kind.SUPPRESSED_OTHERWISE: "suppressed with another code",
    Kind.GAINED: "posts gained: further posts of a record",
    Kind.LOST: "posts lost: the record's others go on",
}
"""For people; in the order in which they are shown."""


class Example(NamedTuple):
    """One record that shows a difference. ``old`` and ``new``: what it came to, and would come to."""

    place: str
    ric: str
    old: FieldValue
    new: FieldValue


def kind_of(old: PartOutcome | None, new: PartOutcome | None) -> Kind:
    """How they differ; None where a set of rules does not make that part of the record.

    The words of a rejection do not count, its code does.
    """
    if type(old) is Mapped and type(new) is Mapped:
        if old.fields != new.fields or old.ric != new.ric or old.service != new.service or old.type is not new.type:
            return Kind.CHANGED
        return Kind.SAME if old.mapping == new.mapping else Kind.OTHER_MAPPING
    if type(old) is Rejected and type(new) is Rejected:
        return Kind.SAME if old.code is new.code else Kind.REJECTED_OTHERWISE
    if type(old) is Suppressed and type(new) is Suppressed:
        return Kind.SAME if old.code is new.code else Kind.SUPPRESSED_OTHERWISE
    if type(old) is Ignored and type(new) is Ignored:
        return Kind.SAME if old.mapping == new.mapping else Kind.OTHER_MAPPING
    return _TURNS[type(old), type(new)]


_TURNS: Final = {
    (Mapped, Rejected): Kind.NEWLY_REJECTED,
    (Mapped, Ignored): Kind.NEWLY_IGNORED,
    (Mapped, NoneType): Kind.LOST,
    (Rejected, Mapped): Kind.NEWLY_ACCEPTED,
    (Rejected, Ignored): Kind.NEWLY_IGNORED,
    (Rejected, NoneType): Kind.LOST,
    (Ignored, Mapped): Kind.NO_LONGER_IGNORED,
    (Ignored, Rejected): Kind.NO_LONGER_IGNORED,
    (Mapped, Suppressed): Kind.NEWLY_SUPPRESSED,
    (Rejected, Suppressed): Kind.NEWLY_SUPPRESSED,
    (Ignored, Suppressed): Kind.NEWLY_SUPPRESSED,
    (NoneType, Suppressed): Kind.NEWLY_SUPPRESSED,
    (Suppressed, Mapped): Kind.NO_LONGER_SUPPRESSED,
    (Suppressed, Rejected): Kind.NEWLY_REJECTED,
    (Suppressed, Ignored): Kind.NEWLY_IGNORED,
    (Suppressed, NoneType): Kind.LOST,
    (NoneType, Mapped): Kind.GAINED,
    (NoneType, Rejected): Kind.NEWLY_REJECTED,
}


def words_of(part: PartOutcome | None) -> str:
    """What became of it, in a few words."""
    if part is None:
        return "not made"
    if isinstance(part, Mapped):
        return f"posted to {part.ric}"
    if isinstance(part, Rejected | Suppressed):
        return f"{part.code}: {part.text}"
    return "ignored"
