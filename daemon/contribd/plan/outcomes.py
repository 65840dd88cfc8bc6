"""What two sets of rules make of one record, and how the two differ."""

from enum import StrEnum
from typing import Final, NamedTuple

from contribd.mapping.outcome import FieldValue, Mapped, Outcome, Rejected


class Kind(StrEnum):
    """How the outcomes of one record differ."""

    SAME = "same"
    CHANGED = "changed"
    OTHER_MAPPING = "other_mapping"
    NEWLY_REJECTED = "newly_rejected"
    NEWLY_ACCEPTED = "newly_accepted"
    REJECTED_OTHERWISE = "rejected_otherwise"
    NEWLY_IGNORED = "newly_ignored"
    NO_LONGER_IGNORED = "no_longer_ignored"

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
}
"""For people; in the order in which they are shown."""


class Example(NamedTuple):
    """One record that shows a difference. ``old`` and ``new``: what it came to, and would come to."""

    place: str
    ric: str
    old: FieldValue
    new: FieldValue


def kind_of(old: Outcome, new: Outcome) -> Kind:
    """How they differ. The words of a rejection do not count, its code does."""
    if type(old) is Mapped:
        if type(new) is Mapped:
            return _of_posts(old, new)
        return Kind.NEWLY_REJECTED if type(new) is Rejected else Kind.NEWLY_IGNORED
    if type(new) is Mapped:
        return Kind.NEWLY_ACCEPTED if type(old) is Rejected else Kind.NO_LONGER_IGNORED
    if type(old) is Rejected and type(new) is Rejected:
        return Kind.SAME if old.code is new.code else Kind.REJECTED_OTHERWISE
    if type(old) is type(new):
        return Kind.SAME if old.mapping == new.mapping else Kind.OTHER_MAPPING
    return Kind.NEWLY_IGNORED if type(old) is Rejected else Kind.NO_LONGER_IGNORED


def _of_posts(old: Mapped, new: Mapped) -> Kind:
    if old.fields != new.fields or old.ric != new.ric or old.service != new.service or old.type is not new.type:
        return Kind.CHANGED
    return Kind.SAME if old.mapping == new.mapping else Kind.OTHER_MAPPING


def words_of(outcome: Outcome) -> str:
    """An outcome in a few words."""
    if isinstance(outcome, Mapped):
        return f"posted to {outcome.ric}"
    if isinstance(outcome, Rejected):
        return f"{outcome.code}: {outcome.text}"
    return "ignored"
