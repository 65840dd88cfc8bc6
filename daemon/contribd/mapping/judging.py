"""Publish rules asked without a daemon: of a test that says what was last posted, or of records one after the other.

Nothing is posted here. What a test does not say is not known; of records in a row each post is taken for accepted.
"""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import FieldValue, Mapped, Outcome, PartOutcome, PostType, Several
from contribd.mapping.publish import UNKNOWN, Last, judged
from contribd.mapping.scope import Surroundings

MOST_RICS: Final = 100_000
"""Whose last values are remembered; of more, the one posted longest ago is forgotten."""


class Judge(Protocol):
    """What knows what was last posted, and so what is worth a post."""

    def view(self, service: str, ric: str) -> Mapping[str, FieldValue]:
        """What ``@last`` names."""

    def judge(self, outcome: Outcome) -> Outcome:
        """What a mapped record comes to by the publish rules."""


class Told:
    """Knows what it is told."""

    def __init__(self, last: Callable[[str, str], Last], arrived: int | None) -> None:
        """``last``: by service and RIC; ``arrived``: microseconds since 1970, None: hours are not asked."""
        self._last = last
        self._arrived = arrived

    def view(self, service: str, ric: str) -> Mapping[str, FieldValue]:
        """What ``@last`` names."""
        return self._last(service, ric).fields

    def judge(self, outcome: Outcome) -> Outcome:
        """What is too soon is suppressed: nothing is there to wait."""
        return each_part(outcome, self._part)

    def _part(self, part: PartOutcome) -> PartOutcome:
        if not isinstance(part, Mapped):
            return part
        return judged(part, self._last(part.service, part.ric), self._arrived, conflate=False)


class InARow:
    """Knows what the records before came to."""

    def __init__(self, *, conflate: bool) -> None:
        """``conflate``: what is too soon waits in the daemon and is posted later: here it counts as posted."""
        self._conflate = conflate
        self._posted: dict[tuple[str, str], tuple[dict[str, FieldValue], int | None]] = {}
        self._arrived: int | None = None

    def map(self, mapper: Mapper, value: bytes | None, surroundings: Surroundings) -> Outcome:
        """The record's outcome; it arrives when it is stamped."""
        self.arrive(None if surroundings.timestamp is None else surroundings.timestamp * 1000)
        return self.judge(mapper.map(value, surroundings, self.view))

    def arrive(self, at: int | None) -> None:
        """The next record arrives then (microseconds since 1970); None: that is not known."""
        self._arrived = at

    def view(self, service: str, ric: str) -> Mapping[str, FieldValue]:
        """What ``@last`` names."""
        return self._posted[service, ric][0] if (service, ric) in self._posted else {}

    def judge(self, outcome: Outcome) -> Outcome:
        """What is posted is the last from now on."""
        return each_part(outcome, self._part)

    def _part(self, part: PartOutcome) -> PartOutcome:
        if not isinstance(part, Mapped) or (part.publish is None and (part.service, part.ric) not in self._posted):
            return part
        came = judged(part, self._last(part), self._arrived, conflate=self._conflate)
        if isinstance(came, Mapped):
            self._post(came)
        return came

    def _last(self, mapped: Mapped) -> Last:
        found = self._posted.get((mapped.service, mapped.ric))
        if found is None:
            return UNKNOWN
        fields, at = found
        known = at is not None and self._arrived is not None
        return Last(fields, max(0, (self._arrived or 0) - (at or 0)) / 1e6 if known else None)

    def _post(self, mapped: Mapped) -> None:
        key = mapped.service, mapped.ric
        before = self._posted.pop(key, None)
        keeps = before is not None and mapped.type is PostType.UPDATE
        self._posted[key] = ({**before[0], **mapped.fields} if before and keeps else mapped.fields), self._arrived
        if len(self._posted) > MOST_RICS:
            del self._posted[next(iter(self._posted))]


def each_part(outcome: Outcome, change: Callable[[PartOutcome], PartOutcome]) -> Outcome:
    """The outcome with each of its parts changed."""
    if isinstance(outcome, Several):
        return Several(outcome.mapping, [change(part) for part in outcome.parts])
    return change(outcome)
