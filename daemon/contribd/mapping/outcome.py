"""What the mapping of one record comes to: a post, or the reason why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final, Self, TypeAlias

if TYPE_CHECKING:
    from contribd.mapping.publish import PublishRules

FieldValue: TypeAlias = str | int | Decimal | None
"""A value as it is posted. ``None`` posts a blank. A number is finite, below 1e15, with at most 14 decimals; text is
printable ASCII. A Decimal may be a ``numbers.PlainDecimal``: encode it with ``encode.encode_fields`` or its hook."""


MAX_POSTS: Final = 500
"""Posts of one record. A commit has to be able to tell which of them have their results (see engine/records/parts)."""


class RejectCode(StrEnum):
    """Why a record was never posted (contract: result status REJECTED)."""

    BAD_RECORD = "BadRecord"
    NO_MAPPING = "NoMapping"
    MISSING_FIELD = "MissingField"
    BAD_VALUE = "BadValue"
    CHECK_FAILED = "CheckFailed"
    TOO_LARGE = "TooLarge"


class SuppressCode(StrEnum):
    """By what rule or order a price was never posted (contract: result status SUPPRESSED)."""

    PAUSED = "Paused"
    UNCHANGED = "Unchanged"
    TOO_SOON = "TooSoon"
    TOO_FAR = "TooFar"
    OUT_OF_HOURS = "OutOfHours"

    __hash__ = str.__hash__


class PostType(StrEnum):
    """The payload message of an off-stream post."""

    UPDATE = "Update"
    REFRESH = "Refresh"

    __hash__ = str.__hash__
    """The same value as Enum's own, which is Python code."""


class UnreadValue(bytes):
    """Stands where the value of a record would, which could not be read: it is empty, and says why."""

    reason: str

    def __new__(cls, reason: str) -> Self:
        """``reason``: what the record's result is to say."""
        made = super().__new__(cls)
        made.reason = reason
        return made


@dataclass(slots=True)
class Mapped:
    """One record as it is to be posted: ``fields`` in the mapping's order, ready for the wire."""

    ric: str
    service: str
    mapping: str
    type: PostType
    fields: dict[str, FieldValue]
    publish: "PublishRules | None" = field(default=None, compare=False, repr=False)
    """Whether it is worth a post is asked once its turn has come; None: it is."""


@dataclass(slots=True)
class Suppressed:
    """One post that is not made, though its record was mapped."""

    code: SuppressCode
    text: str
    ric: str
    service: str
    mapping: str
    fields: dict[str, FieldValue]


@dataclass(slots=True)
class Rejected:
    """One record that cannot be posted, with whatever was known of it when it failed."""

    code: RejectCode
    text: str
    ric: str | None = None
    service: str | None = None
    mapping: str | None = None
    fields: dict[str, FieldValue] | None = None


@dataclass(slots=True, frozen=True)
class Ignored:
    """One record that is not for posting: the mapping that took it says so."""

    mapping: str

    @property
    def text(self) -> str:
        """What the record's result says."""
        return f"mapping {self.mapping}: such records are not for posting"

    ric: ClassVar[None] = None
    service: ClassVar[None] = None
    code: ClassVar[None] = None
    fields: ClassVar[None] = None


@dataclass(slots=True)
class Several:
    """One record that makes several posts, each for a RIC and service of its own, or the reason why it makes one not.

    ``parts``: 2 to ``MAX_POSTS`` of them, in the order in which the mapping makes them. No two have the same RIC and
    service: where the record gives the same ones twice, they are one part, and rejected.
    """

    mapping: str
    parts: Sequence["PartOutcome"]

    @property
    def text(self) -> str:
        """In a few words."""
        rejected = sum(isinstance(part, Rejected) for part in self.parts)
        return f"{len(self.parts)} posts" + (f", {rejected} of them rejected" if rejected else "")

    ric: ClassVar[None] = None
    service: ClassVar[None] = None
    code: ClassVar[None] = None
    fields: ClassVar[None] = None


Outcome: TypeAlias = Mapped | Rejected | Ignored | Suppressed | Several
"""A mapper suppresses nothing: whoever asks the publish rules does (``publish.judged``)."""

PartOutcome: TypeAlias = Mapped | Rejected | Ignored | Suppressed
"""What one part of a record comes to."""


def parts_of(outcome: Outcome) -> Sequence[PartOutcome]:
    """The parts of a record, in order; one that makes a single post, or none, is one part."""
    return outcome.parts if isinstance(outcome, Several) else (outcome,)
