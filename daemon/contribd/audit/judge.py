"""One record, the claims of its results, and the rules that these name: what is off about them.

Theory of operation
===================

Single and complete. A record with one post has one claim. One with several has as many as its claims say, each with a
number of its own; where the rules changed while some of its results were open, those of the rest are numbered by the
new rules, so then it is the RICs and services that must be single, and all those of one set of rules must be there.

True to its input. The SHA-256 of the record's value is the one in each claim.

True to its rules. The record is mapped anew by the rules that a claim names, and must come to the same: the RIC, the
service, the mapping, the fields. Where others were merged into its post, the fields are those of all of them, the
newest value of each: whatever is not the record's own must be in a claim that names this one as its carrier. What a
mapping makes of ``@last`` cannot be told afterwards: where the outcome differs and the rules read it, that is counted
and nothing more.

In order. Of one RIC and service, and one partition, no post of an older record was sent after one of a newer record.
A post that carried both is no such post. The times are the sending host's own: those of different instances are
compared with a margin, for clocks; a clock that was set back shows here, and in the events of the audit.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Any, Final, Protocol

import msgspec

from contribd.audit.claim import NO_DIGEST, Claim, Place, stamped
from contribd.audit.differences import (
    cut,
    decode_fields,
    first_difference,
    is_merged,
    named_otherwise,
    rejected_otherwise,
)
from contribd.audit.findings import Finding, Wrong
from contribd.engine.records.price import Reply, Status
from contribd.mapping.encode import encode_fields
from contribd.mapping.inputs import Input
from contribd.mapping.mapper import Mapper
from contribd.mapping.outcome import (
    Ignored,
    Outcome,
    PartOutcome,
    Rejected,
    UnreadValue,
    parts_of,
)

CLOCKS: Final = 300_000_000
"""Microseconds by which the clocks of two hosts may differ."""

KEPT_ORDER: Final = 1_000_000
"""RICs whose last post is remembered; where there are more, the oldest are forgotten."""

UNKNOWN: Final = "rules not at hand: "
"""Begins the counts of results by rules that nobody has."""

_NEVER_POSTED: Final = (Status.CONFLATED, Status.REJECTED, Status.EXPIRED, Status.IGNORED, Status.SUPPRESSED)
_LOST: Final = (Reply.TIMEOUT, Reply.LOST)
_ANSWERS: Final[dict[Status, tuple[Reply | None, ...]]] = {
    Status.ACK: (Reply.ACK,),
    Status.NAK: (Reply.NAK,),
    Status.ERROR: (Reply.ERROR,),
    Status.UNANSWERED: (*_LOST, None),
    # Merged after posts of their own; what went with them is the newer record's to tell.
    Status.CONFLATED: (*_LOST, Reply.NAK, None),
}
"""What the last post of a result may have been answered, None where it may have had none. Of all others: none."""


class Claims(Protocol):
    """Where claims of other records are found."""

    def at(self, place: Place) -> list[Claim]:
        """The claims of one post of a record."""

    def carried_by(self, place: Place) -> list[tuple[Place, Claim]]:
        """The claims that name this post as their carrier, older records of a partition first."""


class Judge:
    """Asked record by record, in the order of each partition. ``counts``: what was looked at, and what could not be."""

    def __init__(
        self, rules: Callable[[str], Mapper | None], claims: Claims, results: str, version: str, counts: Counter[str]
    ) -> None:
        """``rules``: those of a digest; ``results``: the topic; ``version``: of this contribd, which words rejections
        as results of the same version do."""
        self._rules = rules
        self._claims = claims
        self._results = results
        self._version = version
        self._counts = counts
        self._partition: tuple[str, int] | None = None
        self._last_sent: dict[tuple[str, str, str], tuple[int, str, Place]] = {}

    def judge(self, record: Input, claims: Sequence[Claim]) -> Iterator[Finding]:
        """What is off about a record that has claims."""
        at = record.surroundings
        place = Place(at.topic, at.partition, at.offset)
        self._counts["records"] += 1
        yield from self._single(place, claims, record)
        digest, anew = _digest_of(record.value), dict[str, Outcome | None]()
        mixed = len({claim.config for claim in claims}) > 1
        if (partition := (at.topic, at.partition)) != self._partition:
            self._partition = partition
            self._last_sent.clear()  # its RICs are in order within a partition
        for claim in claims:
            self._counts["results"] += 1
            self._counts[f"status {claim.status}"] += 1
            if claim.sha256 == NO_DIGEST:
                self._counts["without a digest"] += 1
            elif claim.sha256 != digest:
                yield self._finding(
                    Wrong.OTHER_INPUT, place, claim, f"SHA-256 {digest}, its result says {claim.sha256}"
                )
                continue
            if claim.config not in anew:
                anew[claim.config] = self._mapped(record, claim.config)
            yield from self._against_rules(place, claim, anew[claim.config], mixed=mixed)
            yield from self._against_posts(place, claim)
            yield from self._against_carrier(place, claim)
            yield from self._in_order(place, claim)

    # Single and complete

    def _single(self, place: Place, claims: Sequence[Claim], record: Input) -> Iterator[Finding]:
        if len(claims) == 1 and claims[0].parts == 1:
            return
        numbered = {(claim.config, claim.parts) for claim in claims}
        if len(numbered) == 1 or all(claim.parts == 1 for claim in claims):
            seen: dict[Any, Claim] = {}
            for claim in claims:
                yield from self._twice(place, claim, seen, claim.part)
            parts = claims[0].parts
            if lacking := [str(number) for number in range(parts) if number not in seen]:
                text = f"{len(lacking)} of its {parts} posts have no result: {cut(', '.join(lacking))}"
                yield Finding(Wrong.MISSING, str(place), text)
            return
        yield from self._single_by_ric(place, claims, record)

    def _single_by_ric(self, place: Place, claims: Sequence[Claim], record: Input) -> Iterator[Finding]:
        """Of a record whose posts were made by several sets of rules."""
        seen: dict[Any, Claim] = {}
        for claim in claims:
            by = (claim.config, claim.part) if claim.ric is None else (claim.service, claim.ric)
            yield from self._twice(place, claim, seen, by)
        for config in dict.fromkeys(claim.config for claim in claims):
            outcome = self._mapped(record, config)
            if outcome is None or all(_key(part) in seen for part in parts_of(outcome) if _key(part) is not None):
                return
        text = f"it has {len(claims)} results by several sets of rules, and by none of them all"
        yield Finding(Wrong.MISSING, str(place), text)

    def _twice(self, place: Place, claim: Claim, seen: dict[Any, Claim], by: Any) -> Iterator[Finding]:
        first = seen.setdefault(by, claim)
        if first is not claim:
            where = f"{self._place_of(first)} and {self._place_of(claim)}"
            yield self._finding(Wrong.DOUBLED, place, claim, f"it has its result twice: {where}")

    # True to its rules

    def _mapped(self, record: Input, config: str) -> Outcome | None:
        """What the record comes to by these rules; None where nobody has them."""
        mapper = self._rules(config)
        if mapper is None:
            return None
        return mapper.map(record.value, record.surroundings if mapper.surrounded else None)

    def _against_rules(self, place: Place, claim: Claim, outcome: Outcome | None, *, mixed: bool) -> Iterator[Finding]:
        """``mixed``: results of this record were made by several sets of rules."""
        if outcome is None:
            self._counts["by unknown rules"] += 1
            if not self._counts[f"{UNKNOWN}{claim.config}"]:
                why = f"rules {claim.config} are not at hand: results that name them are not mapped anew (see --rules)"
                yield self._finding(Wrong.UNKNOWN_RULES, place, claim, why)
            self._counts[f"{UNKNOWN}{claim.config}"] += 1
            return
        part = _part_of(outcome, claim, mixed=mixed)
        if part is None:
            text: str | None = f"the rules make {len(parts_of(outcome))} posts of it, and none is this one"
        else:
            text = self._difference(place, claim, part)
        if text is None:
            self._counts["mapped anew"] += 1
        elif part is not None and self._may_ask_last(claim, part):
            self._counts["reads @last"] += 1
        else:
            yield self._finding(Wrong.OTHER_RULES, place, claim, text)

    def _may_ask_last(self, claim: Claim, part: PartOutcome) -> bool:
        """Whether this very post's mapping reads ``@last``, and all that cannot depend on it is the same."""
        mapper = self._rules(claim.config)
        if mapper is None or part.mapping != claim.mapping or claim.status is Status.IGNORED:
            return False
        if part.ric is not None and claim.ric is not None and _key(part) != (claim.service, claim.ric):
            return False
        return any(
            post.reads_last for mapping in mapper.mappings if mapping.name == claim.mapping for post in mapping.posts
        )

    def _against_posts(self, place: Place, claim: Claim) -> Iterator[Finding]:
        """Its status, and what became of its last post."""
        expected = _ANSWERS.get(claim.status, (None,))
        if claim.answer not in expected:
            said = "no post" if claim.answer is None else f"a last post that was answered {claim.answer}"
            yield self._finding(Wrong.ALTERED, place, claim, f"a result {claim.status} with {said}")

    def _difference(self, place: Place, claim: Claim, part: PartOutcome) -> str | None:
        """In what the claim is not what the rules give; None: in nothing."""
        if isinstance(part, Rejected):
            return rejected_otherwise(claim, part, same_words=claim.version == self._version)
        if isinstance(part, Ignored):
            return None if claim.status is Status.IGNORED else f"it is ignored, its result says {claim.status}"
        if claim.is_shortened:
            self._counts["shortened"] += 1
        if (text := named_otherwise(claim, part)) is not None:
            return text
        return self._fields(place._replace(part=claim.part), claim, part.fields)

    def _fields(self, place: Place, claim: Claim, own: Any) -> str | None:
        if claim.fields is None:
            return None if claim.is_shortened else "its result has no fields"
        encoded = encode_fields(own)
        if claim.fields == encoded:
            return None
        try:
            expected, said = decode_fields(encoded), decode_fields(claim.fields)
        except (msgspec.MsgspecError, ArithmeticError) as error:
            return f"the fields of its result cannot be read: {error}"
        if said == expected:
            return None
        carried = self._claims.carried_by(place)
        return None if is_merged(said, expected, carried, claim) else first_difference(expected, said, len(carried))

    # True to what it says of others

    def _against_carrier(self, place: Place, claim: Claim) -> Iterator[Finding]:
        carrier = claim.carrier
        if (carrier is not None) != (claim.status is Status.CONFLATED):
            text = f"a result {claim.status} " + ("names a carrier" if carrier is not None else "names no carrier")
            yield self._finding(Wrong.CARRIER, place, claim, text)
        if carrier is None:
            return
        found = self._claims.at(carrier)
        if not found:
            self._counts["carriers not in the range"] += 1
        elif not any((each.ric, each.service) == (claim.ric, claim.service) for each in found):
            text = f"carried by {carrier}, whose RIC and service are others: {found[0].ric}, {found[0].service}"
            yield self._finding(Wrong.CARRIER, place, claim, text)
        elif all(each.status in _NEVER_POSTED for each in found):
            yield self._finding(Wrong.CARRIER, place, claim, f"carried by {carrier}, which is {found[0].status}")

    # In order

    def _in_order(self, place: Place, claim: Claim) -> Iterator[Finding]:
        if not claim.sent or claim.ric is None or claim.service is None:
            return
        key = f"{place.topic}:{place.partition}", claim.service, claim.ric
        before = self._last_sent.pop(key, None)
        if before is not None:
            sent, instance, older = before
            margin = 0 if instance == claim.instance else CLOCKS
            if claim.sent[0] + margin < sent and sent not in claim.sent:  # one post may carry both
                text = f"posted at {stamped(claim.sent[0])}, before the older {older} was at {stamped(sent)}"
                yield self._finding(Wrong.OUT_OF_ORDER, place, claim, text)
        self._last_sent[key] = claim.sent[-1], claim.instance, place
        if len(self._last_sent) > KEPT_ORDER:
            del self._last_sent[next(iter(self._last_sent))]

    def _finding(self, wrong: Wrong, place: Place, claim: Claim, text: str) -> Finding:
        named = str(place) if claim.parts == 1 else f"{place} {claim.part}/{claim.parts}"
        return Finding(wrong, named, text, self._place_of(claim))

    def _place_of(self, claim: Claim) -> str:
        return f"{self._results}:{claim.at[0]}:{claim.at[1]}"


def _digest_of(value: bytes | None) -> str | None:
    """As results have it."""
    return None if value is None or type(value) is UnreadValue else sha256(value).hexdigest()


def _part_of(outcome: Outcome, claim: Claim, *, mixed: bool) -> PartOutcome | None:
    parts = parts_of(outcome)
    if len(parts) == claim.parts or not mixed:
        return parts[claim.part] if claim.part < len(parts) == claim.parts else None
    # Some parts of an earlier set of rules had their results already: this one is known by its RIC and service.
    return next((part for part in parts if _key(part) == (claim.service, claim.ric)), None)


def _key(part: PartOutcome) -> tuple[str | None, str | None] | None:
    return None if part.ric is None else (part.service, part.ric)
